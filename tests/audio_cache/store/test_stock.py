"""The stock of a cache: what is pinned, what is only a head, and what had to go."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio_cache import AudioCache, take_stock
from tests.helpers.rooms import cache_with_room, fill, lose_index, plant, planted_source

SIZE = 100_000


@pytest.fixture
def small(tmp_path: Path) -> AudioCache:
    return cache_with_room(tmp_path / "small", "3MB")


def test_an_empty_cache_has_nothing_but_its_limits(small: AudioCache) -> None:
    stock = take_stock(small)
    assert (stock.usage.cap_bytes, stock.usage.floor_bytes) == (3_000_000, 0)
    assert (stock.pinned, stock.pinned_bytes, stock.heads, stock.head_bytes) == (0, 0, 0, 0)
    assert (stock.evictions, stock.evicted_bytes) == (0, 0)


def test_what_is_pinned_counts_once_it_is_there(small: AudioCache) -> None:
    small.pin("a mixtape", [Path(planted_source(number)) for number in range(3)], ["low"])
    for number in range(2):
        plant(small, number)
    stock = take_stock(small)
    assert (stock.pinned, stock.pinned_bytes) == (2, 2 * SIZE)


def test_heads_are_counted_by_themselves(small: AudioCache) -> None:
    object_id = plant(small, 1)
    small.heads.keep("0" * 48, bytes(1000))
    stock = take_stock(small)
    assert (stock.heads, stock.head_bytes) == (1, 1000)
    assert small.objects.has(object_id)


def test_evictions_of_all_processes_are_counted_and_begin_anew_with_the_index(
    small: AudioCache, tmp_path: Path
) -> None:
    fill(small)
    assert take_stock(small).evictions == 0
    other = cache_with_room(tmp_path / "small", "3MB")
    for number, cache in enumerate((small, other, other)):
        cache.room.take_for_copy(f"{number:048}", SIZE)
        plant(cache, 100 + number)
        cache.ledger.note_gone([f"{number:048}"])
    assert take_stock(small).evictions == take_stock(other).evictions > 0
    assert take_stock(small).evicted_bytes == SIZE * take_stock(small).evictions
    for cache in (small, other):
        cache.close()
    lose_index(small)
    assert take_stock(small).evictions == 0


def test_what_somebody_deletes_is_no_eviction(small: AudioCache) -> None:
    fill(small)
    small.clear_cache()
    assert take_stock(small).evictions == 0


def test_an_earlier_entry_that_makes_room_is_an_eviction(small: AudioCache, song: Path) -> None:
    small.transcode_file(song, "low")
    (held,) = small.ledger.holdings()
    small.objects.delete(held.id)
    small.evictions.free(held.size_bytes)
    stock = take_stock(small)
    assert (stock.evictions, stock.evicted_bytes) == (1, held.size_bytes)
