"""Ends of live encodes: listeners who leave, and servers that stop."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from audio_cache.errors import LiveUnavailableError
from audio_cache.store.cache import AudioCache
from audio_cache.store.partial import is_locked
from tests.audio_cache.live.house import House, is_idle, low, read
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.waiting import LIMIT_S, together, wait_until


@pytest.mark.slow
def test_a_listener_who_has_left_is_not_waited_for(
    house: House, slow: StubFFmpeg, track: Path
) -> None:
    live = house.live(slow, max_encoders=1)
    rendition = low(live, track)
    gone = threading.Event()
    answer = live.play(rendition, 0, rendition.length, is_gone=gone.is_set)
    with slow.stopped(slow.starts()[0].pid):
        gone.set()
        with pytest.raises(BrokenPipeError):
            read(answer)
        with pytest.raises(LiveUnavailableError, match="has left"):
            live.play(rendition, rendition.length - 9, rendition.length, is_gone=gone.is_set)
    assert live.growing()[0].readers == 0


@pytest.mark.slow
def test_a_stop_ends_the_encoders_and_leaves_what_can_be_gone_on_with(
    house: House, gentle: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(gentle)
    rendition = low(live, track)
    first = live.play(rendition, 0, rendition.length)
    wait_until(lambda: live.growing()[0].size > 100_000)
    pid = gentle.starts()[0].pid
    with gentle.stopped(pid):
        ahead = live.play(rendition, rendition.length // 2, rendition.length)
        live.stop(0.0)
    live.stop(LIMIT_S)
    assert not gentle.running()
    for answer in (first, ahead):
        # Not an error of the program: servers log nothing for a pipe that is broken.
        with pytest.raises(BrokenPipeError):
            read(answer)
    with pytest.raises(LiveUnavailableError, match="shutting down"):
        live.play(rendition, 0, 10)
    part = house.part(rendition)
    assert whole.startswith(part.read_bytes())
    assert not is_locked(part)
    again = house.live(gentle)
    assert read(again.play(rendition, 0, rendition.length)) == whole
    assert [encode.is_whole for encode in gentle.encodes()] == [True, False, False]


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["the last listener leaves", "the server stops"])
def test_an_encoder_that_makes_nothing_is_ended_all_the_same(
    house: House, slow: StubFFmpeg, track: Path, ends: str
) -> None:
    live = house.live(slow, finish_abandoned=False)
    rendition = low(live, track)
    answer = live.play(rendition, 0, rendition.length)
    with slow.stopped(slow.starts()[0].pid):
        if ends == "the server stops":
            live.stop(LIMIT_S)
        answer.close()
        wait_until(is_idle(live))
        assert not slow.running()


def test_closing_an_answer_twice_leaves_once(house: House, slow: StubFFmpeg, track: Path) -> None:
    live = house.live(slow)
    answer = live.play(low(live, track), 0, 10**5)
    other = live.play(low(live, track), 0, 10**5)
    answer.close()
    answer.close()
    del answer
    assert live.growing()[0].readers == 1
    other.close()


def test_an_answer_that_nobody_closes_is_left_when_it_is_forgotten(
    house: House, slow: StubFFmpeg, track: Path
) -> None:
    live = house.live(slow)
    answer = live.play(low(live, track), 0, 10**5)
    next(answer)
    del answer
    assert live.growing()[0].readers == 0


@pytest.mark.slow
def test_whatever_listeners_do_nothing_is_left_behind(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
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
