"""One encoder, many followers and seeks ahead of it, within one process."""

from __future__ import annotations

import errno
import logging
import os
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audio_cache.encoding.ffmpeg import running_count
from audio_cache.encoding.rendition import Rendition
from audio_cache.errors import EncodeError, LiveUnavailableError
from audio_cache.live.encodes import Live
from audio_cache.live.growing_file import FollowedBytes
from audio_cache.store.cache import AudioCache
from audio_cache.store.partial import Partial, is_locked, partial_path
from tests.audio_cache.server import LIMIT_S, LoggingFFmpeg, make_long, together, wait_until

SECONDS = 30


@pytest.fixture(scope="module")
def track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_long(tmp_path_factory.mktemp("live") / "track.flac", SECONDS)


@pytest.fixture(scope="module")
def whole(track: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes that the plain encode of the track gives."""
    cache = AudioCache(tmp_path_factory.mktemp("reference"))
    return cache.transcode_file(track, "low").read_bytes()


@pytest.fixture
def slow(tmp_path: Path) -> LoggingFFmpeg:
    """Return an ffmpeg that takes half a minute for the track, which no test waits for."""
    return LoggingFFmpeg(tmp_path, speed=1)


@pytest.fixture
def steady(tmp_path: Path) -> LoggingFFmpeg:
    """Return an ffmpeg that takes three seconds for the track: it is caught on its way."""
    return LoggingFFmpeg(tmp_path, speed=10)


@pytest.fixture
def fast(tmp_path: Path) -> LoggingFFmpeg:
    return LoggingFFmpeg(tmp_path)


class House:
    """A cache with its live encodes, which must all be gone when a test is over."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lives: list[Live] = []

    def live(self, ffmpeg: LoggingFFmpeg, **given: object) -> Live:
        cache = AudioCache(self.directory, ffmpeg=ffmpeg.path)
        self.lives.append(Live(cache, **given))  # type: ignore[arg-type]
        return self.lives[-1]

    def entry(self, rendition: Rendition) -> Path:
        return AudioCache(self.directory).get_cache_path(rendition.source.path, rendition.quality)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    files = len(os.listdir("/proc/self/fd"))
    house = House(tmp_path / "cache")
    yield house
    for live in house.lives:
        live.stop(LIMIT_S)
    assert [live.busy_encoders for live in house.lives] == [0] * len(house.lives)
    assert not [thread for thread in threading.enumerate() if thread.name == "encoder"]
    assert running_count() == 0
    assert len(os.listdir("/proc/self/fd")) == files


def low(live: Live, track: Path) -> Rendition:
    return live.cache.get_rendition(track, "low")


def read(answer: FollowedBytes) -> bytes:
    try:
        return b"".join(answer)
    finally:
        answer.close()


def is_idle(live: Live) -> Callable[[], bool]:
    return lambda: live.busy_encoders == 0 and not live.growing()


def test_a_play_gives_the_file_while_it_is_made_and_leaves_it(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    answer = live.play(rendition, 0, rendition.length)
    assert not house.entry(rendition).exists()
    assert next(answer) == whole[: len(rendition.header)]
    assert whole[len(rendition.header) :] == read(answer)
    wait_until(is_idle(live))
    assert house.entry(rendition).read_bytes() == whole
    assert len(fast.encodes()) == 1
    assert os.listdir(house.directory) == [house.entry(rendition).name]


def test_when_a_play_begins_there_is_audio(house: House, slow: LoggingFFmpeg, track: Path) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    answer = live.play(rendition, 0, 10)
    assert live.growing()[0].has_audio
    answer.close()


def test_ten_listeners_have_one_encoder(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    play = lambda: read(live.play(rendition, 0, rendition.length))  # noqa: E731
    assert set(together(*[play] * 10)) == {whole}
    assert len(fast.encodes()) == 1


def test_even_one_place_for_an_encoder_is_enough_for_ten_listeners(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast, max_encoders=1, wait_s=LIMIT_S)
    rendition = low(live, track)
    play = lambda: read(live.play(rendition, 0, rendition.length))  # noqa: E731
    assert set(together(*[play] * 10)) == {whole}
    assert len(fast.encodes()) == 1


def test_a_listener_who_does_not_read_slows_nobody(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    sleeper = live.play(rendition, 0, rendition.length)
    assert read(live.play(rendition, 0, rendition.length)) == whole
    wait_until(is_idle(live))
    assert read(sleeper) == whole


def test_a_range_far_ahead_comes_at_once_from_an_encoder_of_its_own(
    house: House, slow: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    start = rendition.length * 3 // 4
    answer = live.play(rendition, start, start + 1000)
    assert live.busy_encoders == 2
    assert read(answer) == whole[start : start + 1000]
    assert live.growing()[0].size < start
    wait_until(lambda: live.busy_encoders == 1)
    assert sorted(encode.is_whole for encode in slow.encodes()) == [False, True]


def test_a_range_behind_the_encoder_comes_from_the_file(
    house: House, slow: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    first = live.play(rendition, 0, rendition.length)
    wait_until(lambda: live.growing()[0].size > 50_000)
    assert read(live.play(rendition, 20_000, 40_000)) == whole[20_000:40_000]
    assert len(slow.encodes()) == 1
    first.close()


def test_the_tag_alone_needs_no_seek(
    house: House, slow: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    tag = len(rendition.header)
    assert read(live.play(rendition, 100, tag)) == whole[100:tag]
    assert len(slow.encodes()) == 1


def test_a_seek_goes_on_from_the_file_when_that_has_come_as_far(
    house: House, steady: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(steady)
    rendition = low(live, track)
    first = live.play(rendition, 0, rendition.length)
    with steady.stopped(steady.encodes()[0].pid):
        start = (live.growing()[0].size + rendition.length) // 2
        answer = live.play(rendition, start, rendition.length)
        begun = next(answer)
        assert live.busy_encoders == 2
    wait_until(lambda: not live.growing())
    # Its encoder is gone before anybody reads on, so that a pause holds nothing.
    wait_until(is_idle(live))
    assert begun + read(answer) == whole[start:]
    assert read(first) == whole


def test_a_later_seek_takes_the_encoder_of_the_same_listener_and_both_get_their_bytes(
    house: House, steady: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(steady)
    rendition = low(live, track)
    keeper = live.play(rendition, 0, 10)
    with steady.stopped(steady.encodes()[0].pid):
        left = rendition.length - live.growing()[0].size
        early, late = rendition.length - left // 2, rendition.length - left // 4
        first = live.play(rendition, early, rendition.length, listener="ann")
        begun = next(first)
        second = live.play(rendition, late, rendition.length, listener="ann")
        assert live.busy_encoders == 2
        assert [encode.others for encode in steady.encodes()] == [0, 1, 1]
    assert begun + read(first) == whole[early:]
    assert read(second) == whole[late:]
    keeper.close()


def test_two_answers_of_one_listener_do_not_take_the_encoder_from_each_other_in_turns(
    house: House, steady: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(steady)
    rendition = low(live, track)
    keeper = live.play(rendition, 0, 10)
    with steady.stopped(steady.encodes()[0].pid):
        left = rendition.length - live.growing()[0].size
        early, late = rendition.length - left // 2, rendition.length - left // 4
        first, second = together(
            lambda: read(live.play(rendition, early, early + 30_000, listener="ann")),
            lambda: read(live.play(rendition, late, late + 30_000, listener="ann")),
        )
    assert first == whole[early : early + 30_000]
    assert second == whole[late : late + 30_000]
    # The file, a seek each, and at most one more for the one that had to stand back.
    assert len(steady.encodes()) <= 4
    keeper.close()


def test_without_a_place_a_seek_waits_for_the_file(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast, max_encoders=1)
    rendition = low(live, track)
    assert read(live.play(rendition, rendition.length - 100, rendition.length)) == whole[-100:]
    assert len(fast.encodes()) == 1


def test_who_leaves_a_seek_ends_its_encoder(house: House, slow: LoggingFFmpeg, track: Path) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    answer = live.play(rendition, rendition.length // 2, rendition.length)
    assert len(slow.running()) == 2
    answer.close()
    assert [encode.is_whole for encode in slow.running()] == [True]
    assert live.busy_encoders == 1


def test_an_abandoned_encode_is_finished_for_the_cache(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    live.play(rendition, 0, rendition.length).close()
    wait_until(is_idle(live))
    assert house.entry(rendition).read_bytes() == whole


def test_where_it_is_not_to_be_finished_it_ends_and_is_gone_on_with_later(
    house: House, steady: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(steady, finish_abandoned=False)
    rendition = low(live, track)
    answer = live.play(rendition, 0, rendition.length)
    wait_until(lambda: live.growing()[0].size > 100_000)
    answer.close()
    wait_until(is_idle(live))
    assert not steady.running()
    part = partial_path(house.entry(rendition))
    assert whole.startswith(part.read_bytes())
    assert read(live.play(rendition, 0, rendition.length)) == whole
    wait_until(is_idle(live))
    assert [encode.is_whole for encode in steady.encodes()] == [True, False]


def test_who_is_back_within_the_second_finds_the_same_encoder(
    house: House, slow: LoggingFFmpeg, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not one second: a busy machine may stand still for longer.
    monkeypatch.setattr("audio_cache.live.encodes._UNHEARD_S", 30.0)
    live = house.live(slow, finish_abandoned=False)
    rendition = low(live, track)
    for start in (0, 100, 200, 300):
        read(live.play(rendition, start, start + 100))
    assert len(slow.encodes()) == 1


def test_an_encoder_that_is_ahead_of_all_listeners_stands_back(
    house: House, steady: LoggingFFmpeg, track: Path
) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    live = house.live(steady)
    rendition = low(live, track)
    play = live.play(rendition, 0, rendition.length)
    [encode] = steady.running()
    wait_until(lambda: os.getpriority(os.PRIO_PROCESS, encode.pid) > own)
    [growing] = live.growing()
    assert growing.size > 2 * 16_000
    play.close()


def test_what_is_made_for_the_cache_goes_on_without_listeners(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast, finish_abandoned=False)
    rendition = low(live, track)
    live.start(rendition, nice=5)
    live.play(rendition, 0, 10).close()
    wait_until(is_idle(live))
    assert house.entry(rendition).read_bytes() == whole


def test_a_source_that_cannot_be_encoded_is_left_alone_for_a_while(
    house: House, fast: LoggingFFmpeg, data: Path
) -> None:
    live = house.live(fast)
    rendition = low(live, data / "truncated.flac")
    with pytest.raises((LiveUnavailableError, EncodeError)):
        read(live.play(rendition, 0, rendition.length))
    wait_until(is_idle(live))
    with pytest.raises(LiveUnavailableError, match="failed a while ago"):
        live.play(rendition, 0, rendition.length)
    assert len(fast.encodes()) == 1
    assert not os.listdir(house.directory)


def test_a_source_that_failed_is_tried_again_later(
    house: House, fast: LoggingFFmpeg, track: Path, tmp_path: Path, whole: bytes
) -> None:
    live = house.live(fast, retry_after_s=0)
    damaged = tmp_path / "track.flac"
    damaged.write_bytes(track.read_bytes()[: track.stat().st_size // 200])
    rendition = low(live, damaged)
    for _ in range(2):
        with pytest.raises((LiveUnavailableError, EncodeError)):
            read(live.play(rendition, 0, rendition.length))
        wait_until(is_idle(live))
    assert len(fast.encodes()) == 2


def test_a_failure_in_the_middle_ends_the_answer_with_an_error(
    house: House, fast: LoggingFFmpeg, track: Path, tmp_path: Path, whole: bytes
) -> None:
    live = house.live(fast)
    damaged = tmp_path / "cut.flac"
    damaged.write_bytes(track.read_bytes()[: track.stat().st_size // 2])
    rendition = low(live, damaged)
    pieces = []
    answer = live.play(rendition, 0, rendition.length)
    with pytest.raises(EncodeError, match=r"cut\.flac"):
        pieces.extend(answer)
    answer.close()
    header = len(rendition.header)
    made = b"".join(pieces)[header:]
    assert len(made) > rendition.length // 3
    assert whole[-rendition.length + header :].startswith(made[:-2000])
    assert not os.listdir(house.directory)


def test_an_encode_that_fails_is_logged(
    house: House, fast: LoggingFFmpeg, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    live = house.live(fast)
    rendition = low(live, data / "truncated.flac")
    with caplog.at_level(logging.WARNING), pytest.raises((LiveUnavailableError, EncodeError)):
        read(live.play(rendition, 0, rendition.length))
    assert "live encode failed" in caplog.text
    assert "truncated.flac" in caplog.text


def test_a_full_disk_is_said_before_the_answer_and_tried_again(
    house: House, fast: LoggingFFmpeg, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    with monkeypatch.context() as patch:
        patch.setattr(Partial, "append", fail_with_full_disk)
        with pytest.raises(LiveUnavailableError, match="No space left"):
            live.play(rendition, 0, rendition.length)
    wait_until(is_idle(live))
    assert not os.listdir(house.directory)
    live.play(rendition, 0, 10).close()


def fail_with_full_disk(self: Partial, piece: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_when_all_encoders_are_busy_a_new_listener_waits_briefly(
    house: House, slow: LoggingFFmpeg, track: Path, flac: Path
) -> None:
    live = house.live(slow, max_encoders=1, wait_s=0.05)
    first = live.play(low(live, track), 0, 10)
    with pytest.raises(LiveUnavailableError, match="busy"):
        live.play(low(live, flac), 0, 10)
    with pytest.raises(LiveUnavailableError, match="busy"):
        live.start(low(live, flac))
    live.play(low(live, track), 5, 10).close()  # the same file needs no encoder
    first.close()


def test_who_waits_gets_the_place_that_becomes_free(
    house: House, fast: LoggingFFmpeg, track: Path, flac: Path
) -> None:
    live = house.live(fast, max_encoders=1, wait_s=LIMIT_S)
    first = live.play(low(live, track), 0, 10)
    rendition = low(live, flac)
    assert len(read(live.play(rendition, 0, rendition.length))) == rendition.length
    first.close()


def test_a_thread_that_cannot_start_costs_no_place(
    house: House, fast: LoggingFFmpeg, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    live = house.live(fast)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(LiveUnavailableError, match="can't start new thread"):
            live.play(low(live, track), 0, 10)
    assert (live.busy_encoders, live.growing()) == (0, [])
    live.play(low(live, track), 0, 10).close()


class Other:
    """Another encoder of the same entry, whose file grows as a test wants it to."""

    def __init__(self, house: House, rendition: Rendition) -> None:
        house.directory.mkdir(exist_ok=True)
        partial = Partial.lock(house.entry(rendition), rendition, wait=False)
        assert partial is not None
        self.partial = partial

    def __enter__(self) -> Partial:
        return self.partial

    def __exit__(self, *_: object) -> None:
        self.partial.close()


def test_a_file_that_another_process_makes_is_followed(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    with Other(house, rendition) as partial:
        partial.append(whole[:100_000])
        answer = live.play(rendition, 0, 300_000)
        partial.append(whole[100_000:300_000])
        assert read(answer) == whole[:300_000]
        follower = live.play(rendition, 250_000, rendition.length)
        partial.append(whole[300_000:])
        partial.publish()
    assert read(follower) == whole[250_000:]
    assert fast.encodes() == []


def test_the_file_is_taken_over_from_an_encoder_that_died(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    with Other(house, rendition) as partial:
        partial.append(whole[:400_000])
        answer = live.play(rendition, 0, rendition.length)
        # The next one cuts to the last whole group, behind which somebody has read already.
        begun = b"".join(next(answer) for _ in range(13))
        assert len(begun) > 380_000
    assert begun + read(answer) == whole
    wait_until(is_idle(live))
    assert [encode.is_whole for encode in fast.encodes()] == [False]
    assert house.entry(rendition).read_bytes() == whole


def test_an_encoder_that_failed_and_begins_anew_is_followed_into_its_new_file(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    with Other(house, rendition) as first:
        first.append(whole[:100_000])
        answer = live.play(rendition, 0, 200_000)
        first.discard()
        with Other(house, rendition) as second:
            second.append(whole[:200_000])
            # The listener's watch is still on the file of the first; this wakes it up.
            first.close()
            assert read(answer) == whole[:200_000]
    wait_until(is_idle(live))
    assert len(fast.encodes()) == 1


def test_files_of_two_lives_on_one_directory_are_made_once(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    one, two = house.live(fast), house.live(fast)
    rendition = low(one, track)
    plays = [
        lambda live=live: read(live.play(rendition, 0, rendition.length))
        for live in (one, two, one, two)
    ]
    assert set(together(*plays)) == {whole}
    assert len([encode for encode in fast.encodes() if encode.is_whole]) == 1


def test_a_cache_directory_that_is_deleted_meanwhile_costs_the_listener_nothing(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    answer = live.play(rendition, 0, rendition.length)
    shutil.rmtree(house.directory)
    assert read(answer) == whole
    wait_until(is_idle(live))


def test_a_listener_who_has_left_is_not_waited_for(
    house: House, slow: LoggingFFmpeg, track: Path
) -> None:
    live = house.live(slow, max_encoders=1)
    rendition = low(live, track)
    gone = threading.Event()
    answer = live.play(rendition, 0, rendition.length, is_gone=gone.is_set)
    with slow.stopped(slow.encodes()[0].pid):
        gone.set()
        with pytest.raises(BrokenPipeError):
            read(answer)
        with pytest.raises(LiveUnavailableError, match="has left"):
            live.play(rendition, rendition.length - 9, rendition.length, is_gone=gone.is_set)
    assert live.growing()[0].readers == 0


def test_a_stop_ends_the_encoders_and_leaves_what_can_be_gone_on_with(
    house: House, steady: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(steady)
    rendition = low(live, track)
    first = live.play(rendition, 0, rendition.length)
    wait_until(lambda: live.growing()[0].size > 100_000)
    pid = steady.encodes()[0].pid
    with steady.stopped(pid):
        ahead = live.play(rendition, rendition.length // 2, rendition.length)
        live.stop(0.0)
    live.stop(LIMIT_S)
    assert not steady.running()
    for answer in (first, ahead):
        # Not an error of the program: servers log nothing for a pipe that is broken.
        with pytest.raises(BrokenPipeError):
            read(answer)
    with pytest.raises(LiveUnavailableError, match="shutting down"):
        live.play(rendition, 0, 10)
    part = partial_path(house.entry(rendition))
    assert whole.startswith(part.read_bytes())
    assert not is_locked(part)
    again = house.live(steady)
    assert read(again.play(rendition, 0, rendition.length)) == whole
    assert [encode.is_whole for encode in steady.encodes()] == [True, False, False]


@pytest.mark.parametrize("ends", ["the last listener leaves", "the server stops"])
def test_an_encoder_that_makes_nothing_is_ended_all_the_same(
    house: House, slow: LoggingFFmpeg, track: Path, ends: str
) -> None:
    live = house.live(slow, finish_abandoned=False)
    rendition = low(live, track)
    answer = live.play(rendition, 0, rendition.length)
    with slow.stopped(slow.encodes()[0].pid):
        if ends == "the server stops":
            live.stop(LIMIT_S)
        answer.close()
        wait_until(is_idle(live))
        assert not slow.running()


def test_closing_an_answer_twice_leaves_once(
    house: House, slow: LoggingFFmpeg, track: Path
) -> None:
    live = house.live(slow)
    answer = live.play(low(live, track), 0, 10**5)
    other = live.play(low(live, track), 0, 10**5)
    answer.close()
    answer.close()
    del answer
    assert live.growing()[0].readers == 1
    other.close()


def test_an_answer_that_nobody_closes_is_left_when_it_is_forgotten(
    house: House, slow: LoggingFFmpeg, track: Path
) -> None:
    live = house.live(slow)
    answer = live.play(low(live, track), 0, 10**5)
    next(answer)
    del answer
    assert live.growing()[0].readers == 0


@pytest.mark.slow
def test_whatever_listeners_do_nothing_is_left_behind(
    house: House, fast: LoggingFFmpeg, track: Path, whole: bytes
) -> None:
    """The fixture counts threads, files, places and processes when this is over."""
    lives = [
        house.live(fast, finish_abandoned=False, max_encoders=3, wait_s=0.01),
        house.live(fast, finish_abandoned=True, max_encoders=2, wait_s=0.01),
    ]
    rendition = low(lives[0], track)

    def listen(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(6):
            live = chance.choice(lives)
            start = chance.randrange(rendition.length)
            stop = chance.randrange(start, rendition.length) + 1
            patience = chance.choice([0, 1, 3, 10**9])
            try:
                answer = live.play(rendition, start, stop, listener=chance.choice(["", "a", "b"]))
            except LiveUnavailableError:
                continue
            got = b"".join(piece for piece, _ in zip(answer, range(patience), strict=False))
            assert whole[start:stop].startswith(got)
            assert patience < 10**9 or len(got) == stop - start
            answer.close()
            if chance.random() < 0.2:
                AudioCache(house.directory).clear_cache()

    together(*(lambda seed=seed: listen(seed) for seed in range(8)))
    for live in lives:
        live.stop(LIMIT_S)
    assert AudioCache(house.directory).transcode_file(track, "low").read_bytes() == whole
