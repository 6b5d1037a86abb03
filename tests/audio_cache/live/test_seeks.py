"""Who may have an encoder for a jump ahead, and which sources failed a while ago."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from audio_cache.encoding.ffmpeg import FFmpegRun, running_count
from audio_cache.errors import EncodeError, EncodeInterruptedError, LiveUnavailableError
from audio_cache.live.encodes import Failures
from audio_cache.live.growing_file import GrowingFile
from audio_cache.live.seeks import Seek, Seeks
from audio_cache.store.cache import AudioCache
from tests.helpers.progress import Clock
from tests.helpers.waiting import LIMIT_S, wait_until


class Places:
    """A number of places for encoders, which knows when more are given back than were taken."""

    def __init__(self, count: int) -> None:
        self.free = self.count = count
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            if self.free == 0:
                return False
            self.free -= 1
            return True

    def give_back(self) -> None:
        with self._lock:
            self.free += 1
            assert self.free <= self.count


@pytest.fixture
def places() -> Places:
    return Places(3)


@pytest.fixture
def seeks(places: Places) -> Seeks:
    return Seeks(places.take, places.give_back, 2)


@pytest.fixture
def growing(flac: Path, tmp_path: Path) -> GrowingFile:
    cache = AudioCache(tmp_path / "cache")
    return GrowingFile(cache.get_rendition(flac, "low"), tmp_path / "entry")


def begin(seeks: Seeks, listener: str, growing: GrowingFile) -> Seek:
    """Begin a seek whose encoder has no need to start."""
    seek = seeks.begin(listener, growing)
    assert seek is not None
    return seek


def endless(growing: GrowingFile) -> FFmpegRun:
    """Return an ffmpeg that goes on until it is ended."""
    silence = ("-f", "lavfi", "-i", "anullsrc", "-f", "s16le", "{out}")
    return FFmpegRun(growing.rendition.ffmpeg, silence)


def test_a_later_seek_of_a_listener_ends_the_one_before(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    first = begin(seeks, "ann", growing)
    with endless(growing) as run:
        first.hold(run)
        second = begin(seeks, "ann", growing)
        for _ in run.read():
            pass
        with pytest.raises(EncodeInterruptedError):
            run.finish()
    assert (places.free, seeks.count()) == (2, 2)
    seeks.finish("ann", growing, first)
    assert (places.free, seeks.count()) == (2, 1)
    assert seeks.is_seeking("ann", growing)
    seeks.finish("ann", growing, second)
    assert (places.free, seeks.count()) == (3, 0)
    assert not seeks.is_seeking("ann", growing)


def test_the_place_of_the_one_before_is_free_for_the_later(growing: GrowingFile) -> None:
    places = Places(1)
    seeks = Seeks(places.take, places.give_back, 2)
    first = begin(seeks, "ann", growing)
    first.finish()
    second = begin(seeks, "ann", growing)
    assert places.free == 0
    seeks.finish("ann", growing, second)
    seeks.finish("ann", growing, first)
    assert places.free == 1


def test_an_encoder_that_starts_after_its_end_is_ended_at_once(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    seek = begin(seeks, "ann", growing)
    ender = threading.Thread(target=seek.end)
    ender.start()
    # The end waits for what is about to start, so that no two encoders of a listener overlap.
    with endless(growing) as run:
        seek.hold(run)
        for _ in run.read():
            pass
    ender.join(LIMIT_S)
    assert places.free == 3
    assert running_count() == 0
    seeks.finish("ann", growing, seek)
    assert places.free == 3


def test_different_listeners_and_files_do_not_disturb_each_other(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    other = GrowingFile(growing.rendition, growing.entry.with_name("other"))
    held = [("ann", growing), ("bob", growing), ("ann", other)]
    begun = [begin(seeks, listener, file) for listener, file in held]
    assert (places.free, seeks.count()) == (0, 3)
    for (listener, file), seek in zip(held, begun, strict=True):
        seeks.finish(listener, file, seek)
    assert (places.free, seeks.count()) == (3, 0)


def test_a_listener_without_a_name_is_another_each_time(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    first, second = begin(seeks, "", growing), begin(seeks, "", growing)
    assert places.free == 1
    assert not seeks.is_seeking("", growing)
    seeks.finish("", growing, first)
    seeks.finish("", growing, second)
    assert (places.free, seeks.count()) == (3, 0)


def test_without_a_free_place_there_is_no_seek(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    begun = [begin(seeks, name, growing) for name in ("ann", "bob", "cid")]
    assert seeks.begin("dan", growing) is None
    assert seeks.count() == 3
    assert not seeks.is_seeking("dan", growing)
    seeks.finish("ann", growing, begun[0])
    assert seeks.begin("dan", growing) is not None
    assert places.free == 0


def test_when_the_file_is_complete_its_seeks_give_back_what_they_hold(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    other = GrowingFile(growing.rendition, growing.entry)
    for file in (growing, growing, other):
        seek = begin(seeks, "", file)
        seek._started.set()
    growing.end()
    assert places.free == 2


def test_after_the_end_of_all_no_seek_begins(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    seek = begin(seeks, "ann", growing)
    with endless(growing) as run:
        seek.hold(run)
        seeks.close()
        for _ in run.read():
            pass
    assert seeks.begin("bob", growing) is None
    assert places.free == 3


def test_a_seek_waits_for_the_last_but_one_too(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    first = begin(seeks, "ann", growing)
    with endless(growing) as run:
        later = [threading.Thread(target=seeks.begin, args=("ann", growing)) for _ in range(2)]
        for thread in later:
            thread.start()
            wait_until(lambda: seeks.count() == 1 + later.index(thread) + 1)  # noqa: B023
        # Both wait for the encoder of the first, which is about to start.
        assert places.free == 2
        first.hold(run)
        assert run._process.poll() is not None
        for thread in later:
            thread.join(LIMIT_S)
    assert places.free == 2


def test_a_hundred_seeks_at_once_leave_one(growing: GrowingFile) -> None:
    places = Places(2)
    seeks = Seeks(places.take, places.give_back, 2)
    most = []

    def seek() -> None:
        mine = seeks.begin("ann", growing)
        if mine is not None:
            mine._started.set()
            most.append(places.count - places.free)

    threads = [threading.Thread(target=seek) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    assert most
    wait_until(lambda: places.free == 1)


def test_a_failure_is_remembered_for_a_while() -> None:
    clock = Clock()
    failures = Failures(300, clock)
    key = (Path("entry"), "etag")
    failures.check(key)
    failures.add(key, EncodeError("x.flac ends before its length"))
    with pytest.raises(LiveUnavailableError, match=r"x\.flac ends before its length"):
        failures.check(key)
    failures.check((Path("entry"), "the tag of the mended file"))
    clock.now += 301
    failures.check(key)


def test_old_failures_are_forgotten() -> None:
    clock = Clock()
    failures = Failures(300, clock)
    for number in range(5):
        failures.add((Path("entry"), str(number)), OSError())
        clock.now += 100
    assert len(failures._failed) == 3


def test_nothing_is_remembered_for_no_time() -> None:
    failures = Failures(0, Clock())
    failures.add((Path("entry"), "etag"), OSError())
    failures.check((Path("entry"), "etag"))


def test_an_address_gives_up_the_seek_that_it_read_least_lately_for_one_too_many(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    with endless(growing) as run, endless(growing) as other_run:
        agents = [begin(seeks, f"192.0.2.1 agent{number}", growing) for number in range(2)]
        for seek, each in zip(agents, (run, other_run), strict=True):
            seek.hold(each)
        agents[0].read_at = agents[1].read_at + 1
        third = begin(seeks, "192.0.2.1 agent2", growing)
        assert [seek.has_ended for seek in (*agents, third)] == [False, True, False]
        assert places.free == 1
        bob = begin(seeks, "192.0.2.2 agent0", growing)
        assert [seek.has_ended for seek in (*agents, third, bob)] == [False, True, False, False]
        for seek in (*agents, third, bob):
            seek.finish()
    assert places.free == 3


def test_programs_of_this_machine_may_be_a_proxy_for_many(
    seeks: Seeks, places: Places, growing: GrowingFile
) -> None:
    begun = [begin(seeks, f"127.0.0.1 agent{number}", growing) for number in range(3)]
    assert not any(seek.has_ended for seek in begun)
    for seek in begun:
        seek.finish()


def test_a_seek_that_nobody_reads_makes_place_for_another(growing: GrowingFile) -> None:
    places = Places(1)
    seeks = Seeks(places.take, places.give_back, 2)
    with endless(growing) as run:
        paused = begin(seeks, "192.0.2.1", growing)
        paused.hold(run)
        assert seeks.begin("192.0.2.2", growing) is None
        assert not paused.has_ended
        paused.read_at -= 60
        begin(seeks, "192.0.2.2", growing).finish()
        assert paused.has_ended
        # It is forgotten only when its listener asks for more, and not ended twice.
        assert not seeks.end_stalled()
    assert places.free == 1
