"""Encoders that are killed, at any moment: what they leave, and what the next one makes of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.encoding import mp3
from audio_cache.encoding.rendition import Rendition
from audio_cache.encoding.settling import EARLY_FRAMES
from audio_cache.store.partial import is_locked
from tests.helpers.audio import file_url, make_noise, run_ffmpeg
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.processes import processes_naming
from tests.helpers.renditions import files_of, growing_of, rendition_of, whole_file
from tests.helpers.waiting import LIMIT_S, wait_until

KILLS = 10
TRANSCODE = """
import sys
from pathlib import Path
from audio_cache import AudioCache
AudioCache(Path(sys.argv[1]), ffmpeg=sys.argv[3]).transcode_file(Path(sys.argv[2]), "low")
"""


@pytest.fixture(scope="module")
def track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return three minutes of noise at 48 kHz."""
    path = tmp_path_factory.mktemp("track") / "three minutes.flac"
    return make_noise(path, samples=180 * 48_000, rate=48_000)


@pytest.fixture(scope="module")
def rendition(track: Path) -> Rendition:
    return rendition_of(track)


@pytest.fixture(scope="module")
def content(rendition: Rendition) -> bytes:
    return whole_file(rendition)


def start(cache: AudioCache, track: Path, ffmpeg: StubFFmpeg) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", TRANSCODE, str(cache.cache_dir), str(track), str(ffmpeg.path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def kill_beyond(process: subprocess.Popen[bytes], growing: Path, size: int) -> None:
    """Kill an encoder as soon as the file that it writes is larger than a size."""
    with process:
        wait_until(
            lambda: size_of(growing) > size or process.poll() is not None, "the file to grow"
        )
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL, "it was too fast to be killed"


@pytest.mark.slow
def test_after_any_kill_nothing_is_wrong_and_the_next_encoder_goes_on(
    tmp_path: Path, track: Path, rendition: Rendition, content: bytes
) -> None:
    # Slow enough to be caught on a busy machine, however late the moment is.
    ffmpeg = StubFFmpeg(tmp_path / "stub", speed=30, seek_speed=30)
    cache = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path)
    entry = cache.get_cache_path(track, "low")
    growing = growing_of(cache, track)
    moments = sorted(random.Random().sample(range(len(content) * 9 // 10), KILLS))
    kept = 0
    for number, moment in enumerate(moments):
        kill_beyond(start(cache, track, ffmpeg), growing, max(moment, kept))
        wait_until(lambda: not processes_naming(track.name), f"ffmpeg to end ({moments})")
        assert not entry.exists()
        assert not cache.is_cached(track, "low")
        assert not is_locked(growing)
        left = growing.read_bytes()
        assert left == content[: len(left)], f"at {moment} of {moments}"
        assert len(ffmpeg.starts()) == number + 1
        assert sought_us(ffmpeg.starts()[-1].arguments) == expected_us(rendition, kept)
        kept = len(left)
    with start(cache, track, ffmpeg) as last:
        assert last.wait(LIMIT_S) == 0, last.stderr and last.stderr.read()
    # No one encoder has read all of the source, so one more run looks whether it is sound.
    *_, resumed, check = ffmpeg.starts()
    assert sought_us(resumed.arguments) == expected_us(rendition, kept) > 0
    assert check.is_whole
    assert "libmp3lame" not in check.arguments
    assert entry.read_bytes() == content
    assert files_of(cache.cache_dir) == [entry]
    assert cache.is_cached(track, "low")


def sought_us(arguments: str) -> int:
    """Return where in the track an ffmpeg was told to start."""
    behind = arguments.partition("-ss ")[2]
    return int(behind.partition("us")[0]) if behind else 0


def expected_us(rendition: Rendition, kept: int) -> int:
    """Return where to start after so many bytes: shortly before the last whole group of them."""
    frames = mp3.frame_at(128_000, max(0, kept - len(rendition.header)))
    heard = mp3.group_start(max(0, frames - 1)) - EARLY_FRAMES
    return max(0, heard) // mp3.GROUP_FRAMES * 1_280_000


def test_an_ffmpeg_that_is_killed_itself_is_an_error_and_leaves_nothing(
    tmp_path: Path, track: Path
) -> None:
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    cache = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path)
    growing = growing_of(cache, track)
    with start(cache, track, ffmpeg) as process:
        wait_until(lambda: size_of(growing) > 100_000, "the file to grow")
        os.kill(ffmpeg.starts()[-1].pid, signal.SIGKILL)
        _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert b"EncodeError" in said
    assert files_of(cache.cache_dir) == []


def test_an_interrupt_from_the_keyboard_leaves_what_was_made(
    tmp_path: Path, track: Path, content: bytes
) -> None:
    ffmpeg = StubFFmpeg(tmp_path / "stub", speed=30)
    cache = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path)
    growing = growing_of(cache, track)
    with start(cache, track, ffmpeg) as process:
        wait_until(lambda: size_of(growing) > 100_000, "the file to grow")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT_S)
    assert process.returncode != 0
    wait_until(lambda: not processes_naming(track.name), "ffmpeg to end")
    left = growing.read_bytes()
    assert len(left) > 100_000
    assert left == content[: len(left)]


def test_a_failed_source_is_not_taken_for_sound_after_a_kill(tmp_path: Path, track: Path) -> None:
    """All bytes were there when the encoder died, but not yet ffmpeg's word on the source."""
    cut = tmp_path / "cut.wav"
    run_ffmpeg("-i", file_url(track), "-t", "5", "-c:a", "pcm_s16le", file_url(cut))
    os.truncate(cut, cut.stat().st_size - 40)
    cache = AudioCache(tmp_path / "cache")
    growing = growing_of(cache, cut)
    made = rendition_of(cut)
    growing.write_bytes(whole_file(replace(made, is_best_effort=True)))
    assert growing.stat().st_size == made.length
    with pytest.raises(subprocess.CalledProcessError, match=r"239,990 of 240,000 samples"):
        cache.transcode_file(cut, "low")
    assert files_of(cache.cache_dir) == []
