"""Small parts of a cached track by its path, whose entry stays open while they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audio_cache.serving.playback import Playback
from audio_cache.serving.ranges import gets_little
from tests.audio_cache.serving.player import HIT, Answer, Player
from tests.helpers.audio import make_noise


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the entries that are opened from now on to be sent."""
    names = []
    open_entry = Playback._open_entry

    def noted(playback: Playback, *args: Any) -> object:
        names.append(args[-1].path)
        return open_entry(playback, *args)

    monkeypatch.setattr(Playback, "_open_entry", noted)
    return names


def part(player: Player, track: Path, start: int, stop: int, **headers: str) -> Answer:
    return player.play(track, Range=f"bytes={start}-{stop - 1}", **headers)


def test_an_entry_whose_parts_come_thick_and_fast_is_opened_once_a_second(
    player: Player, track: Path, opened: list[str]
) -> None:
    content = make_entry(player, track).read_bytes()
    player.playback.open_files._clock = lambda: 1.0
    for start in range(0, 5_000, 1_000):
        answer = part(player, track, start, start + 1_000)
        assert (answer.status, answer.cache_status) == (206, HIT)
        assert answer.body == content[start : start + 1_000]
    assert len(opened) == 2
    player.playback.open_files._clock = lambda: 2.5
    for _ in range(3):
        assert part(player, track, 0, 9).body == content[:9]
    assert 2 < len(opened) <= 5  # the thread that closes may come in between


@pytest.mark.parametrize("is_sure", [True, False])
def test_a_part_of_another_version_is_the_whole_however_small(
    player: Player, track: Path, is_sure: bool
) -> None:
    content = make_entry(player, track).read_bytes()
    tag = part(player, track, 0, 9).headers["ETag"] if is_sure else '"another"'
    for _ in range(3):
        answer = part(player, track, 0, 9, If_Range=tag)
        expected = (206, content[:9]) if is_sure else (200, content)
        assert (answer.status, answer.body) == expected


def test_what_was_removed_or_made_again_is_never_sent_as_it_was(
    player: Player, track: Path
) -> None:
    entry = make_entry(player, track)
    content = entry.read_bytes()
    player.playback.open_files._clock = lambda: 1.0
    for _ in range(3):
        assert part(player, track, 0, 9).body == content[:9]
    player.cache.clear_cache()
    assert part(player, track, 0, 9).cache_status != HIT
    player.rest()
    track.write_bytes(make_noise(track.with_name("other.flac"), samples=99_999).read_bytes())
    after = make_entry(player, track).read_bytes()
    answer = part(player, track, 500, 900)
    assert (answer.cache_status, answer.body) == (HIT, after[500:900])
    assert after[500:900] != content[500:900]


def make_entry(player: Player, track: Path) -> Path:
    """Have a track cached, and return its entry."""
    player.play(track)
    player.rest()
    return player.entry(track)


@pytest.mark.parametrize(
    ("given", "is_little"),
    [
        ({"HTTP_RANGE": "bytes=0-65535"}, True),
        ({"HTTP_RANGE": "bytes=0-65536"}, False),
        ({"HTTP_RANGE": "bytes=7-"}, False),
        ({"HTTP_RANGE": "bytes=-7"}, False),
        ({"HTTP_RANGE": "bytes=0-1,3-4"}, False),
        ({"HTTP_RANGE": "bytes=0-9", "HTTP_IF_RANGE": '"a"'}, False),
        ({"HTTP_RANGE": "bytes=0-9", "REQUEST_METHOD": "HEAD"}, False),
        ({}, False),
    ],
)
def test_what_may_turn_out_to_be_the_whole_is_not_little(
    given: dict[str, str], is_little: bool
) -> None:
    assert gets_little({"REQUEST_METHOD": "GET", **given}) is is_little
