"""Ranges ahead of an encode: an encoder of their own, or the file that has come as far."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audio_cache.live.house import House, is_idle, low, read
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.waiting import together, wait_until


def test_a_range_far_ahead_comes_at_once_from_an_encoder_of_its_own(
    house: House, slow: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    start = rendition.length * 3 // 4
    answer = live.play(rendition, start, start + 1000)
    assert live.busy_encoders == 2
    assert read(answer) == whole[start : start + 1000]
    assert live.growing()[0].size < start
    wait_until(lambda: live.busy_encoders == 1)
    wait_until(lambda: len(slow.starts()) == 2)
    assert [encode.is_whole for encode in slow.starts()] == [False, True]


@pytest.mark.slow
def test_a_range_behind_the_encoder_comes_from_the_file(
    house: House, slow: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    first = live.play(rendition, 0, rendition.length)
    wait_until(lambda: live.growing()[0].size > 40_000)
    assert read(live.play(rendition, 20_000, 40_000)) == whole[20_000:40_000]
    assert len(slow.starts()) == 1
    first.close()


def test_the_tag_alone_needs_no_seek(
    house: House, slow: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    tag = len(rendition.header)
    assert read(live.play(rendition, 100, tag)) == whole[100:tag]
    assert len(slow.starts()) == 1


def test_a_seek_goes_on_from_the_file_when_that_has_come_as_far(
    house: House, steady: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(steady)
    rendition = low(live, track)
    first = live.play(rendition, 0, rendition.length)
    with steady.stopped(steady.starts()[0].pid):
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
    house: House, steady: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(steady)
    rendition = low(live, track)
    keeper = live.play(rendition, 0, 10)
    with steady.stopped(steady.starts()[0].pid):
        left = rendition.length - live.growing()[0].size
        early, late = rendition.length - left // 2, rendition.length - left // 4
        first = live.play(rendition, early, rendition.length, listener="ann")
        begun = next(first)
        second = live.play(rendition, late, rendition.length, listener="ann")
        assert live.busy_encoders == 2
        assert [encode.others for encode in steady.starts()] == [0, 1, 1]
    assert begun + read(first) == whole[early:]
    assert read(second) == whole[late:]
    keeper.close()


def test_two_answers_of_one_listener_do_not_take_the_encoder_from_each_other_in_turns(
    house: House, steady: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(steady)
    rendition = low(live, track)
    keeper = live.play(rendition, 0, 10)
    with steady.stopped(steady.starts()[0].pid):
        left = rendition.length - live.growing()[0].size
        early, late = rendition.length - left // 2, rendition.length - left // 4
        first, second = together(
            lambda: read(live.play(rendition, early, early + 30_000, listener="ann")),
            lambda: read(live.play(rendition, late, late + 30_000, listener="ann")),
        )
    assert first == whole[early : early + 30_000]
    assert second == whole[late : late + 30_000]
    # The file, a seek each, and at most one more for the one that had to stand back.
    assert len(steady.starts()) <= 4
    keeper.close()


def test_without_a_place_a_seek_waits_for_the_file(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast, max_encoders=1)
    rendition = low(live, track)
    assert read(live.play(rendition, rendition.length - 100, rendition.length)) == whole[-100:]
    assert len(fast.starts()) == 1


def test_who_leaves_a_seek_ends_its_encoder(house: House, slow: StubFFmpeg, track: Path) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    answer = live.play(rendition, rendition.length // 2, rendition.length)
    wait_until(lambda: len(slow.running()) == 2)
    answer.close()
    assert [encode.is_whole for encode in slow.running()] == [True]
    assert live.busy_encoders == 1
