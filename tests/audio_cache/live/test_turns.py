"""Turns: who may encode for listeners, and in which order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from audio_cache.encoding.rendition import Rendition
from audio_cache.errors import LiveUnavailableError
from audio_cache.live.turns import Turn, Turns
from tests.audio_cache.live.house import House, is_idle, low, read
from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.waiting import LIMIT_S, together, wait_until


def asked(turns: Turns, *keys: str) -> list[Turn]:
    return [turns.ask(key) for key in keys]


def with_place(turns: list[Turn]) -> list[object]:
    return [turn.key for turn in turns if turn.has_place]


def test_places_go_to_those_who_asked_first() -> None:
    turns = Turns(2)
    queue = asked(turns, *"abcde")
    assert with_place(queue) == ["a", "b"]
    queue[1].end()
    assert with_place(queue) == ["a", "c"]
    queue[3].end()  # left while he waited
    queue[0].end()
    assert with_place(queue) == ["c", "e"]
    assert turns.taken == 2
    for turn in queue:
        turn.end()
    assert turns.taken == 0


def test_a_place_is_given_back_once() -> None:
    turns = Turns(1)
    [turn] = asked(turns, "a")
    turn.end()
    turn.end()
    assert turns.taken == 0
    assert with_place(asked(turns, "b", "c")) == ["b"]


def test_who_starts_comes_before_who_goes_on_and_who_goes_on_in_turn() -> None:
    turns = Turns(1)
    first, second, third = asked(turns, "first", "second", "third")
    ended: list[object] = []

    def go_on(turn: Turn) -> threading.Thread:
        def wait() -> None:
            turn.wait_again(lambda: None, 0.01)
            ended.append(turn.key)

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        return thread

    threads = [go_on(first)]
    wait_until(lambda: second.has_place)
    threads.append(go_on(second))
    wait_until(lambda: third.has_place)
    assert not turns.is_awaited
    assert turns.is_shared
    third.end()
    threads[0].join(LIMIT_S)
    assert ended == ["first"]
    first.end()
    threads[1].join(LIMIT_S)
    assert ended == ["first", "second"]
    second.end()
    assert turns.taken == 0


def test_a_place_for_a_seek_is_taken_only_where_nobody_waits() -> None:
    turns = Turns(1)
    assert turns.take_now()
    assert not turns.take_now()
    [waits] = asked(turns, "a")
    turns.free()
    assert waits.has_place
    assert not turns.take_now()
    waits.end()
    assert turns.take_now()
    turns.free()


def test_those_who_wait_for_what_is_being_made_are_told() -> None:
    turns = Turns(1)
    _, same, other, again = asked(turns, "a", "b", "c", "b")
    turns.call_off("b")
    assert same.wait(0)
    assert again.wait(0)
    assert not other.wait(0)
    assert not same.has_place
    turns.call_off()
    assert other.wait(0)
    assert not turns.is_awaited


@pytest.fixture
def tracks(tmp_path: Path) -> list[Path]:
    return [
        make_noise(tmp_path / f"{number}.flac", samples=1_323_000, seed=number)
        for number in range(6)
    ]


@pytest.mark.slow
def test_all_hear_something_before_anybody_gets_all(
    house: House, gentle: StubFFmpeg, tracks: list[Path]
) -> None:
    """One encoder, six listeners: while some still wait for a sound, no file is finished."""
    live = house.live(gentle, max_encoders=1, wait_s=LIMIT_S)
    renditions = [low(live, track) for track in tracks]
    plays = [live.play(rendition, 0, rendition.length) for rendition in renditions]
    # The last of them has just begun, and each was given its first seconds by an encode of its own.
    assert [house.entry(rendition).exists() for rendition in renditions] == [False] * len(tracks)
    assert [play.__next__()[:3] for play in plays] == [b"ID3"] * len(tracks)
    assert len(gentle.starts()) == len(tracks)
    for play in plays:
        play.close()


@pytest.mark.slow
def test_a_file_that_was_made_in_many_turns_is_that_of_one(
    house: House, fast: StubFFmpeg, tracks: list[Path]
) -> None:
    live = house.live(fast, max_encoders=1, wait_s=LIMIT_S)
    renditions = [low(live, track) for track in tracks]
    alone = [b"".join(whole(rendition)) for rendition in renditions]

    def play(rendition: Rendition) -> bytes:
        return read(live.play(rendition, 0, rendition.length))

    assert together(*[partial(play, each) for each in renditions]) == alone
    wait_until(is_idle(live))
    assert [house.entry(each).read_bytes() for each in renditions] == alone


def whole(rendition: Rendition) -> Iterator[bytes]:
    yield rendition.header
    yield from rendition.encode(0)


def test_a_listener_who_leaves_the_queue_leaves_no_place_taken(
    house: House, slow: StubFFmpeg, tracks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audio_cache.live.encodes._LOOK_AROUND_S", 0.01)
    live = house.live(slow, max_encoders=1, wait_s=LIMIT_S)
    first = live.play(low(live, tracks[0]), 0, 10)
    with pytest.raises(Exception, match="busy"):
        live.play(low(live, tracks[1]), 0, 10, is_gone=lambda: True)
    assert live.busy_encoders == 1
    assert not live._turns.is_awaited
    first.close()


def test_who_does_not_listen_comes_after_all_who_wait() -> None:
    turns = Turns(1)
    [listener] = asked(turns, "a")
    download = turns.ask_last()
    [other] = asked(turns, "b")
    listener.end()
    assert (other.has_place, download.has_place) == (True, False)
    other.end()
    assert download.has_place
    download.end()
    assert turns.taken == 0
    assert turns.ask_last().has_place


def test_a_download_that_is_given_up_while_it_waits_leaves_no_place_taken(
    house: House, slow: StubFFmpeg, tracks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audio_cache.live.encodes._LOOK_AROUND_S", 0.01)
    live = house.live(slow, max_encoders=1, wait_s=LIMIT_S)
    first = live.play(low(live, tracks[0]), 0, 10)
    with pytest.raises(LiveUnavailableError, match="nobody"), live.place(lambda: True):
        pass
    assert live.busy_encoders == 1
    assert not live._turns.is_shared
    first.close()
