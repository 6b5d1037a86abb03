"""Defects of an earlier system that must not come back: those of the engine, 1 to 3, 7, 9 and 10.

The numbers are those of its list. Those that listeners notice are in test_defects_for_listeners.
"""

from __future__ import annotations

import inspect
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import audio_cache
from audio_cache import AudioCache
from audio_cache.settings import Knob, knobs
from tests.helpers.audio import DATA, make_audio, make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.processes import processes_naming
from tests.helpers.renditions import growing_of, rendition_of, undisturbed, whole_file
from tests.helpers.waiting import wait_until

TRANSCODE = """
import sys
from pathlib import Path
from audio_cache import AudioCache
AudioCache(Path(sys.argv[1])).transcode_file(Path(sys.argv[2]), "low")
"""


@pytest.mark.slow
def test_half_a_file_never_stands_under_a_final_name(cache: AudioCache, tmp_path: Path) -> None:
    """Defect 1: half a file is served, and after a kill trusted for ever."""
    source = make_noise(tmp_path / "long.flac", samples=2_000_000)
    entry = cache.get_cache_path(source, "low")
    growing = growing_of(cache, source)
    command = [sys.executable, "-c", TRANSCODE, str(cache.cache_dir), str(source)]
    with subprocess.Popen(command) as process:
        wait_until(lambda: growing.exists() and growing.stat().st_size > 50_000, "half a file")
        assert not entry.exists()
        assert cache.get_cached_or_original(source, "low") == source
        process.send_signal(signal.SIGKILL)
    assert not entry.exists()
    assert not cache.is_cached(source, "low")
    content = cache.transcode_file(source, "low").read_bytes()
    assert content == whole_file(rendition_of(source))
    # And should a half file come there in another way, a copy that broke off, it is not trusted.
    entry.write_bytes(content[: len(content) // 2])
    assert not cache.is_cached(source, "low")
    assert cache.transcode_file(source, "low").read_bytes() == content


def test_two_that_want_the_same_track_share_one_encode(cache: AudioCache, tmp_path: Path) -> None:
    """Defect 2: two requests or two saves encode the same track into the same file at once."""
    source = make_noise(tmp_path / "x.flac", samples=400_000)
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    caches = [AudioCache(cache.cache_dir, ffmpeg=ffmpeg.path) for _ in range(2)]
    gate = threading.Barrier(2)

    def save(one: AudioCache) -> None:
        gate.wait()
        one.precache_file(source, ["low"])

    threads = [threading.Thread(target=save, args=(one,)) for one in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ffmpeg.starts()) == 1
    assert cache.get_cache_path(source, "low").read_bytes() == undisturbed(source, tmp_path)


def test_a_source_replaced_by_an_older_file_loses_its_mp3(
    cache: AudioCache, song: Path, tmp_path: Path
) -> None:
    """Defect 3: a source replaced by a file with an older date keeps its old MP3."""
    old = cache.transcode_file(song, "low").read_bytes()
    other = make_audio(tmp_path / "other.flac", samples=132_300, seed=3)
    os.utime(other, (1_000_000_000, 1_000_000_000))
    os.replace(other, song)
    assert not cache.is_cached(song, "low")
    new = cache.transcode_file(song, "low").read_bytes()
    assert new != old
    assert new == undisturbed(song, tmp_path)


def test_a_purge_breaks_no_reader_and_a_vanished_file_is_a_miss(
    cache: AudioCache, song: Path
) -> None:
    """Defect 7: a purge during a request is an error 500."""
    entry = cache.transcode_file(song, "low")
    content = entry.read_bytes()
    with entry.open("rb") as reader:
        begun = reader.read(1000)
        assert cache.clear_cache() == 1
        assert begun + reader.read() == content
    assert not cache.is_cached(song, "low")
    assert cache.get_cached_or_original(song, "low") == song
    shutil.rmtree(cache.cache_dir)
    assert not cache.is_cached(song, "low")
    assert cache.get_cached_or_original(song, "low") == song


def test_a_purge_leaves_an_encode_under_way_alone(cache: AudioCache, tmp_path: Path) -> None:
    """Defect 7: a purge must not take the file from under its encoder either."""
    source = make_audio(tmp_path / "x.flac", samples=50_000)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    held = StubFFmpeg(tmp_path / "held", f"read -r _ < {gate}")
    encoder = AudioCache(cache.cache_dir, ffmpeg=held.path)
    thread = threading.Thread(target=encoder.transcode_file, args=(source, "low"))
    thread.start()
    wait_until(held.starts, "the encode to begin")
    assert cache.clear_cache() == 0
    gate.write_text("go\n")
    thread.join()
    assert cache.is_cached(source, "low")


def test_ffmpeg_has_no_input_a_time_limit_and_few_formats(
    cache: AudioCache, song: Path, tmp_path: Path
) -> None:
    """Defect 9: ffmpeg without -nostdin, timeout, or format limits."""
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    AudioCache(cache.cache_dir, ffmpeg=ffmpeg.path).transcode_file(song, "low")
    [start] = ffmpeg.starts()
    arguments = start.arguments
    assert arguments.startswith("-nostdin ")
    assert "-protocol_whitelist file,pipe,subfile" in arguments
    formats = re.findall(r"-format_whitelist (\S+)", arguments)
    assert formats == ["flac,wav,w64,aiff,mov,ape,wv,tta,dsf,iff"]
    hanging = StubFFmpeg(tmp_path / "hanging", "exec sleep 600")
    limited = AudioCache(tmp_path / "other", ffmpeg=hanging.path, encode_timeout_s=0.2)
    with pytest.raises(subprocess.CalledProcessError):
        limited.transcode_file(song, "low")
    assert processes_naming(str(hanging.path)) == []


def test_words_that_are_not_utf_8_fail_no_good_encode(cache: AudioCache, tmp_path: Path) -> None:
    """Defect 9: non-UTF-8 stderr fails a good encode."""
    source = tmp_path / os.fsdecode(b"M\xfcll \xff\xfe.flac")
    shutil.copyfile(DATA / "stereo.flac", source)
    assert cache.transcode_file(source, "low").exists()
    content = bytearray(source.read_bytes())
    content[-3000] ^= 0xFF
    source.write_bytes(content)
    cache.clear_cache()
    with pytest.raises(subprocess.CalledProcessError, match="cannot be decoded"):
        cache.transcode_file(source, "low")


def test_no_ffmpeg_outlives_its_parent(cache: AudioCache, tmp_path: Path) -> None:
    """Defect 9: orphaned ffmpeg processes."""
    source = make_noise(tmp_path / "orphan maker.flac", samples=4_000_000)
    command = [sys.executable, "-c", TRANSCODE, str(cache.cache_dir), str(source)]
    with subprocess.Popen(command) as process:
        wait_until(lambda: len(processes_naming(str(source))) >= 2, "ffmpeg to start")
        process.kill()
    wait_until(lambda: not processes_naming(str(source)), "ffmpeg to end")


def test_the_default_logger_works(
    cache: AudioCache, song: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Defect 10: a default logger that crashes."""
    with caplog.at_level(logging.INFO, "audio_cache"):
        cache.transcode_file(song, "low")
        cache.precache_file(song.with_name("missing.flac"))
    levels = [(record.name, record.levelname) for record in caplog.records]
    assert levels == [("audio_cache", "INFO"), ("audio_cache", "ERROR")]
    assert "song.flac" in caplog.messages[0]


def test_the_name_of_an_entry_is_made_in_one_place() -> None:
    """Defect 10: cache key logic written twice."""
    package = Path(inspect.getfile(audio_cache)).parent
    makes_names = re.compile(r"md5\(.*path")
    sources = {path.name: path.read_text("utf-8") for path in package.rglob("*.py")}
    assert [name for name, text in sources.items() if makes_names.search(text)] == ["entry.py"]


@pytest.mark.parametrize("knob", knobs(), ids=lambda knob: knob.name)
def test_every_knob_is_read_by_something(knob: Knob) -> None:
    """Defect 10: knobs that nothing reads."""
    source = Path(inspect.getfile(audio_cache)).parents[1]
    readers = re.compile(rf"(?:settings|self)\.{knob.field}\b")
    assert any(readers.search(path.read_text("utf-8")) for path in source.rglob("*.py"))
