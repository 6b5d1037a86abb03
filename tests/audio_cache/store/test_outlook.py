"""The outlook: what caches of many sizes would have held, for a curve."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio_cache import AudioCache, look_ahead
from tests.helpers.rooms import cache_with_room, plant, play

SIZE = 100_000


@pytest.fixture
def played(tmp_path: Path) -> AudioCache:
    """Return a cache of ten objects that were each played twice, one after the other."""
    cache = cache_with_room(tmp_path / "cache", "3MB")
    ids = [plant(cache, number) for number in range(10)]
    for listener in ("one", "two"):
        for object_id in ids:
            play(cache, object_id, listener)
    return cache


def test_a_curve_goes_from_small_to_beyond_what_the_cap_holds(played: AudioCache) -> None:
    outlook = look_ahead(played, 0, steps=10)
    sizes = list(outlook.rates)
    assert sizes == sorted(sizes)
    assert len(sizes) in (10, 11)
    assert 3_000_000 in sizes
    assert sizes[-1] >= 3_000_000
    assert outlook.rates[sizes[-1]].plays == 0.5
    assert (outlook.plays, outlook.next) == (20, ())


def test_without_a_cap_a_curve_ends_where_more_would_not_help(played: AudioCache) -> None:
    outlook = look_ahead(cache_with_room(played.cache_dir, ""), 0, steps=8)
    assert len(outlook.rates) == 8
    assert list(outlook.rates)[-1] == 1.25 * 10 * SIZE
    rates = [rate.bytes for rate in outlook.rates.values()]
    assert rates == sorted(rates)
    assert rates[-1] == 0.5


def test_a_cap_far_below_what_was_played_is_compared_with_its_multiples(played: AudioCache) -> None:
    outlook = look_ahead(cache_with_room(played.cache_dir, "200kB"), 0, steps=8)
    assert list(outlook.rates)[-1] == 800_000


def test_one_is_told_how_far_the_replay_is(played: AudioCache) -> None:
    told: list[tuple[int, int]] = []
    look_ahead(played, 0, steps=4, on_replay=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {20 * len(look_ahead(played, 0, steps=4).rates)}
    assert told[-1][0] == told[-1][1]


def test_without_plays_there_is_no_curve(tmp_path: Path) -> None:
    cache = cache_with_room(tmp_path / "cache", "3MB")
    assert look_ahead(cache, 0, steps=10).rates == {}
