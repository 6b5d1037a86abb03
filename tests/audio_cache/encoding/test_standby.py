"""ffmpegs that wait for the next listener: the same bytes, and nothing that stays behind."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from audio_cache.encoding import standby, together
from audio_cache.encoding.ffmpeg import FFmpeg, FFmpegRun, end_all, find_ffmpeg
from audio_cache.encoding.ffmpeg_options import AudioCheck
from audio_cache.encoding.rendition import Rendition
from audio_cache.errors import DamagedSourceError, EncodeInterruptedError
from audio_cache.quality import DEFAULT_QUALITY, QUALITY_SETTINGS, QualityLevel
from audio_cache.settings import AudioCacheSettings
from conftest import find_program
from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.processes import is_alive, open_files
from tests.helpers.renditions import rendition_of
from tests.helpers.waiting import wait_until

MOST = 2
SAMPLES = 44_100 * 12
CODECS = {
    "a.flac": "flac",
    "b.flac": "flac",
    "c.wav": "pcm_s16le",
    "d.aiff": "pcm_s16be",
    "e.m4a": "alac",
}


class Watch:
    """What is on standby in this process, and what began there."""

    def __init__(self, pool: standby._Standby) -> None:
        self.pool = pool
        self.begun: list[int] = []

    @property
    def waiting(self) -> list[int]:
        """Return the processes that wait, that of the latest kind at the end."""
        found = [each for each in self.pool._waiting.values() if each is not None]
        return [each._process.pid for each in found]

    def settle(self) -> list[int]:
        """Wait until all of them have come to where they wait, and return them."""
        self.pool.settle()
        return self.waiting


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Return the watch of a standby of the test's own."""
    pool = standby._Standby()
    pool.most = MOST
    watch = Watch(pool)
    begin = standby._Waiting.begin

    def noted(waiting: standby._Waiting, *job: object) -> object:
        watch.begun.append(waiting._process.pid)
        return begin(waiting, *job)  # type: ignore[arg-type]

    monkeypatch.setattr(standby, "_standby", pool)
    monkeypatch.setattr(standby._Waiting, "begin", noted)
    yield watch
    pool.clear()


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a file of noise for each way in which ffmpeg is told what to read."""
    folder = tmp_path_factory.mktemp("standby")
    return {
        name: make_noise(folder / name, samples=SAMPLES, codec=codec, seed=seed)
        for seed, (name, codec) in enumerate(CODECS.items())
    }


def whole(rendition: Rendition, check: AudioCheck | None = None) -> bytes:
    return b"".join(rendition.encode(check=check))


def jump(rendition: Rendition, share: float) -> bytes:
    return b"".join(rendition.read(int(share * rendition.length), rendition.length))


@pytest.mark.parametrize("name", ["a.flac", "c.wav", "d.aiff", "e.m4a"])
@pytest.mark.parametrize(("quality", "before"), [("low", "medium"), ("high", "high")])
def test_it_gives_the_bytes_of_one_that_was_started_for_them(
    watch: Watch, tracks: dict[str, Path], name: str, quality: QualityLevel, before: QualityLevel
) -> None:
    rendition = rendition_of(tracks[name], quality)
    watch.pool.most = 0
    cold = [whole(rendition), jump(rendition, 0.6), jump(rendition, 0.7)]
    watch.pool.most = MOST
    other = rendition_of(tracks[name], before)
    whole(other), jump(other, 0.5)
    waiting = watch.settle()
    assert len(waiting) == MOST
    ready = [whole(rendition)]
    watch.settle()
    ready += [jump(rendition, 0.6)]
    assert sorted(watch.begun) == sorted(waiting)
    watch.settle()
    assert [*ready, jump(rendition, 0.7)] == cold
    assert len(watch.begun) == 3


def test_where_lame_is_to_search_less_another_one_is_needed(
    watch: Watch, tracks: dict[str, Path]
) -> None:
    whole(rendition_of(tracks["a.flac"], "medium"))
    watch.settle()
    whole(rendition_of(tracks["a.flac"], "high"))
    assert not watch.begun
    watch.settle()
    whole(rendition_of(tracks["a.flac"], "high"))
    assert len(watch.begun) == 1


def test_who_play_high_and_who_play_medium_find_one_each_of_as_many_as_are_kept(
    watch: Watch, tracks: dict[str, Path]
) -> None:
    watch.pool.most = AudioCacheSettings().standby
    mixed = [rendition_of(tracks["a.flac"], each) for each in ("high", "medium", "high", "medium")]
    for rendition in mixed:
        whole(rendition)
        watch.settle()
        jump(rendition, 0.6)
        watch.settle()
    # All but the first of each kind.
    assert len(watch.begun) == 2 * len(mixed) - 4


@pytest.mark.parametrize("quality", [*QUALITY_SETTINGS, "original"])
def test_the_first_listeners_find_one_where_it_was_warmed_up(
    watch: Watch, tracks: dict[str, Path], quality: QualityLevel
) -> None:
    together.prepare(find_ffmpeg(), quality)
    waiting = watch.waiting
    assert len(waiting) == MOST
    together.prepare(find_ffmpeg(), quality)
    assert watch.waiting == waiting
    made = quality if quality in QUALITY_SETTINGS else DEFAULT_QUALITY
    rendition = rendition_of(tracks["a.flac"], made)
    check = AudioCheck.of(rendition.source)
    assert check is not None
    whole(rendition, check)
    assert check.is_passed
    jump(rendition, 0.9)
    assert sorted(watch.begun) == sorted(waiting)


def test_another_takes_its_place_and_the_kind_that_was_needed_least_lately_goes(
    watch: Watch, tracks: dict[str, Path]
) -> None:
    watch.pool.most = 1
    rendition = rendition_of(tracks["a.flac"])
    whole(rendition)
    [first] = watch.settle()
    whole(rendition)
    [second] = watch.settle()
    assert watch.begun == [first]
    jump(rendition, 0.5)
    [third] = watch.settle()
    assert len({first, second, third}) == 3
    assert not is_alive(second)
    assert watch.begun == [first]


def test_encodes_that_nobody_waits_for_leave_it_alone(
    watch: Watch, tracks: dict[str, Path]
) -> None:
    rendition = rendition_of(tracks["a.flac"])
    whole(rendition)
    waiting = watch.settle()
    assert b"".join(rendition.encode(nice=5))
    assert watch.waiting == waiting
    assert watch.begun == []


def test_who_is_ended_for_another_leaves_none_behind(watch: Watch, tracks: dict[str, Path]) -> None:
    with pytest.raises(EncodeInterruptedError):
        list(rendition_of(tracks["a.flac"]).encode(on_start=FFmpegRun.kill))
    assert watch.waiting == []


def test_one_that_was_killed_is_done_without(watch: Watch, tracks: dict[str, Path]) -> None:
    rendition = rendition_of(tracks["a.flac"])
    expected = whole(rendition)
    [waiting] = watch.settle()
    os.kill(waiting, signal.SIGKILL)
    wait_until(lambda: not is_alive(waiting), "the end of one on standby")
    assert whole(rendition) == expected
    assert watch.begun == []
    # Afterwards there is another.
    watch.settle()
    assert whole(rendition) == expected
    assert len(watch.begun) == 1


def test_where_one_cannot_be_told_what_to_do_another_is_started(
    watch: Watch, tracks: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rendition = rendition_of(tracks["a.flac"])
    expected = whole(rendition)
    [waiting] = watch.settle()
    before = open_files()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(standby._Waiting, "begin", full)
    monkeypatch.setattr(watch.pool, "most", 0)
    assert whole(rendition) == expected
    assert not is_alive(waiting)
    assert len(open_files()) < len(before)


def test_one_that_never_comes_to_wait_is_replaced(
    watch: Watch, tracks: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rendition = rendition_of(tracks["a.flac"])
    whole(rendition)
    [stuck] = watch.settle()
    monkeypatch.setattr(standby, "_READY_WITHIN_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(standby._Waiting, "is_ready", False)
        whole(rendition)
    [fresh] = watch.waiting
    assert fresh != stuck
    assert not is_alive(stuck)


def test_without_descriptors_nothing_is_left_open(
    watch: Watch, tracks: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, pipe, made = open_files(), os.pipe, []

    def scarce() -> tuple[int, int]:
        made.append(1)
        if len(made) > 2:
            raise OSError(errno.EMFILE, "Too many open files")
        return pipe()

    monkeypatch.setattr(os, "pipe", scarce)
    together.prepare(find_ffmpeg(), DEFAULT_QUALITY)
    assert watch.waiting == []
    assert open_files() == before


def test_an_ffmpeg_that_knows_no_standby_is_asked_once(
    watch: Watch, tracks: dict[str, Path], tmp_path: Path
) -> None:
    stub = StubFFmpeg(tmp_path / "stub")
    rendition = replace(rendition_of(tracks["a.flac"]), ffmpeg=find_ffmpeg(stub.path))
    expected = whole(rendition_of(tracks["a.flac"]))
    for _ in range(3):
        assert whole(rendition) == expected
        watch.settle()
    assert watch.pool._unable == {str(stub.path)}
    assert len(stub.starts()) == 3


@pytest.mark.needs("ffmpeg")
def test_the_ffmpeg_of_the_system_works_whatever_it_knows(
    watch: Watch, tracks: dict[str, Path]
) -> None:
    ffmpeg = find_ffmpeg(find_program("ffmpeg"))
    rendition = replace(rendition_of(tracks["a.flac"]), ffmpeg=ffmpeg)
    first = whole(rendition)
    watch.settle()
    assert whole(rendition) == first


def test_a_file_that_is_read_in_part_is_none_for_it(watch: Watch, tmp_path: Path) -> None:
    path = make_noise(tmp_path / "tagged.flac", samples=44_100)
    with path.open("ab") as file:
        file.write(b"TAG" + bytes(125))
    assert whole(rendition_of(path))
    assert watch.waiting == []


def test_an_error_names_the_file_and_not_what_it_was_read_by(
    watch: Watch, tracks: dict[str, Path], tmp_path: Path
) -> None:
    whole(rendition_of(tracks["a.flac"]))
    watch.settle()
    broken = tmp_path / "broken.flac"
    data = bytearray(tracks["b.flac"].read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2_000] = bytes(2_000)
    broken.write_bytes(data)
    with pytest.raises(DamagedSourceError) as caught:
        whole(rendition_of(broken))
    assert len(watch.begun) == 1
    assert f"file:{broken}" in caught.value.cmd
    assert "/proc/" not in f"{caught.value} {caught.value.stderr}"
    assert not any("/proc/" in word for word in caught.value.cmd)


def test_nothing_is_left_open(watch: Watch, tracks: dict[str, Path], tmp_path: Path) -> None:
    rendition = rendition_of(tracks["a.flac"])
    before = open_files()
    whole(rendition)
    waiting = watch.settle()
    whole(rendition)
    watch.settle()
    end_all()
    wait_until(lambda: not any(map(is_alive, waiting)), "the end of those on standby")
    assert watch.waiting == []
    assert open_files() == before
    # What cannot be started leaves nothing either.
    together.prepare(FFmpeg(str(tmp_path / "gone"), "gone"), DEFAULT_QUALITY)
    assert watch.waiting == []
    assert open_files() == before


def test_with_none_allowed_there_is_none(watch: Watch, tracks: dict[str, Path]) -> None:
    watch.pool.most = 0
    whole(rendition_of(tracks["a.flac"]))
    together.prepare(find_ffmpeg(), DEFAULT_QUALITY)
    assert watch.waiting == []


KEEPER = """
import os, signal, sys, time
from audio_cache.encoding import standby, together
from audio_cache.encoding.ffmpeg import find_ffmpeg
standby.keep_ready(1)
together.prepare(find_ffmpeg(), "medium")
[waiting] = standby._standby._waiting.values()
if sys.argv[1] == "fork" and os.fork() == 0:
    time.sleep(3600)
print(waiting._process.pid, flush=True)
time.sleep(3600)
"""


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_it_ends_with_its_process_however_that_ends(how: str) -> None:
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEEPER, how],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with keeper:
        assert keeper.stdout is not None
        waiting = int(keeper.stdout.readline())
        assert is_alive(waiting)
        keeper.kill()
        keeper.wait()
        # Although a process that was forked from it goes on.
        wait_until(lambda: not is_alive(waiting), "the end of one on standby")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(keeper.pid, signal.SIGKILL)
