"""One encoder and many followers, within one process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.audio_cache.live.house import House, is_idle, low, read
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.waiting import LIMIT_S, together, wait_until


def test_a_play_gives_the_file_while_it_is_made_and_leaves_it(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    answer = live.play(rendition, 0, rendition.length)
    assert not house.entry(rendition).exists()
    assert next(answer) == whole[: len(rendition.header)]
    assert whole[len(rendition.header) :] == read(answer)
    wait_until(is_idle(live))
    assert house.entry(rendition).read_bytes() == whole
    assert len(fast.starts()) == 1
    stored = f"objects/{rendition.id[:2]}/{rendition.id}"
    assert house.files() == {house.entry(rendition).name, stored}


def test_when_a_play_begins_there_is_audio(house: House, slow: StubFFmpeg, track: Path) -> None:
    live = house.live(slow)
    rendition = low(live, track)
    answer = live.play(rendition, 0, 10)
    assert live.growing()[0].has_audio
    answer.close()


def test_ten_listeners_have_one_encoder(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    play = lambda: read(live.play(rendition, 0, rendition.length))  # noqa: E731
    assert set(together(*[play] * 10)) == {whole}
    assert len(fast.starts()) == 1


def test_even_one_place_for_an_encoder_is_enough_for_ten_listeners(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast, max_encoders=1, wait_s=LIMIT_S)
    rendition = low(live, track)
    play = lambda: read(live.play(rendition, 0, rendition.length))  # noqa: E731
    assert set(together(*[play] * 10)) == {whole}
    assert len(fast.starts()) == 1


def test_a_listener_who_does_not_read_slows_nobody(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    sleeper = live.play(rendition, 0, rendition.length)
    assert read(live.play(rendition, 0, rendition.length)) == whole
    wait_until(is_idle(live))
    assert read(sleeper) == whole


def test_an_abandoned_encode_is_finished_for_the_cache(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    live.play(rendition, 0, rendition.length).close()
    wait_until(is_idle(live))
    assert house.entry(rendition).read_bytes() == whole


@pytest.mark.slow
def test_where_it_is_not_to_be_finished_it_ends_and_is_gone_on_with_later(
    house: House, gentle: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(gentle, finish_abandoned=False)
    rendition = low(live, track)
    answer = live.play(rendition, 0, rendition.length)
    wait_until(lambda: live.growing()[0].size > 100_000)
    answer.close()
    wait_until(is_idle(live))
    assert not gentle.running()
    part = house.part(rendition)
    assert whole.startswith(part.read_bytes())
    assert read(live.play(rendition, 0, rendition.length)) == whole
    wait_until(is_idle(live))
    assert [encode.is_whole for encode in gentle.encodes()] == [True, False]


def test_who_is_back_within_the_second_finds_the_same_encoder(
    house: House, slow: StubFFmpeg, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not one second: a busy machine may stand still for longer.
    monkeypatch.setattr("audio_cache.live.encodes._UNHEARD_S", 30.0)
    live = house.live(slow, finish_abandoned=False)
    rendition = low(live, track)
    for start in (0, 100, 200, 300):
        read(live.play(rendition, start, start + 100))
    assert len(slow.starts()) == 1


def test_an_encoder_that_is_ahead_of_all_listeners_stands_back(
    house: House, steady: StubFFmpeg, track: Path
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
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast, finish_abandoned=False)
    rendition = low(live, track)
    live.start(rendition, nice=5)
    live.play(rendition, 0, 10).close()
    wait_until(is_idle(live))
    assert house.entry(rendition).read_bytes() == whole
