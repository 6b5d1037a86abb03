"""Evictions: an object goes with all its names, in order, and no open answer is broken."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.store.entry import Verdict
from audio_cache.store.partial import Partial
from tests.helpers.rooms import (
    cache_with_room,
    in_index,
    links_of,
    on_disk,
    plant,
    planted_entry,
    planted_source,
    play,
)


def test_an_object_goes_with_all_its_names(cache: AudioCache, song: Path) -> None:
    copy = Path(shutil.copy2(song, song.with_name("copy.flac")))
    entries = [cache.transcode_file(path, "low") for path in (song, copy)]
    (object_id,) = on_disk(cache)
    cache.facts.forget([entries[1].name])
    assert cache.evictions.evict(object_id)
    assert [entry.exists() for entry in entries] == [False, False]
    assert on_disk(cache) == in_index(cache) == {}
    assert cache.examine(song, "low") is Verdict.ABSENT
    assert cache.facts.source_of(entries[0].name) == song


def test_symbolic_names_go_too(cache: AudioCache, song: Path) -> None:
    entry = cache.transcode_file(song, "low")
    (object_id,) = on_disk(cache)
    entry.unlink()
    entry.symlink_to(os.path.relpath(cache.objects.path(object_id), entry.parent))
    assert cache.evictions.evict(object_id)
    assert not os.path.lexists(entry)


def test_a_name_that_means_another_file_by_now_stays(cache: AudioCache, song: Path) -> None:
    entry = cache.transcode_file(song, "low")
    (object_id,) = on_disk(cache)
    entry.unlink()
    entry.write_bytes(b"of somebody else")
    assert cache.evictions.evict(object_id)
    assert entry.read_bytes() == b"of somebody else"


def test_who_reads_an_object_reads_it_to_its_end(cache: AudioCache, song: Path) -> None:
    content = cache.transcode_file(song, "low").read_bytes()
    (object_id,) = on_disk(cache)
    with open(cache.objects.path(object_id), "rb") as file:
        start = file.read(1000)
        assert cache.evictions.evict(object_id)
        assert start + file.read() == content


def test_what_is_just_being_published_stays(cache: AudioCache, song: Path) -> None:
    entry = cache.get_cache_path(song, "low")
    rendition = cache.get_rendition(song, "low")
    partial = Partial.lock(entry, rendition, wait=False)
    assert partial is not None
    with partial:
        cache.make(partial)
        assert not cache.evictions.evict(rendition.id)
        assert cache.is_cached(song, "low")
    assert cache.evictions.evict(rendition.id)


def test_an_object_that_is_gone_already_is_no_error(cache: AudioCache) -> None:
    object_id = plant(cache, 1)
    os.unlink(cache.objects.path(object_id))
    assert in_index(cache) == {object_id: 100_000}
    assert cache.evictions.evict(object_id)
    assert in_index(cache) == {}


def test_unplayed_objects_go_first_then_those_played_least(cache: AudioCache) -> None:
    ids = [plant(cache, number) for number in range(5)]
    for number, times in ((0, 3), (3, 1), (1, 2)):
        for time in range(times):
            play(cache, ids[number], f"listener {time}")
    order = [each.id for each in cache.evictions.next(10**9)]
    assert order == [ids[2], ids[4], ids[3], ids[1], ids[0]]
    assert [each.id for each in cache.evictions.next(150_000)] == order[:2]


def test_plays_are_remembered_beyond_an_eviction(cache: AudioCache) -> None:
    ids = [plant(cache, number) for number in range(3)]
    for time in range(3):
        play(cache, ids[0], f"listener {time}")
    play(cache, ids[1])
    assert cache.evictions.evict(ids[0])
    assert plant(cache, 0) == ids[0]
    assert [each.id for each in cache.evictions.next(10**9)] == [ids[2], ids[1], ids[0]]


def test_pinned_objects_are_passed_over(cache: AudioCache) -> None:
    ids = [plant(cache, number) for number in range(3)]
    cache.pin("somebody", [Path(planted_source(0))], ["low"])
    cache.pin("somebody else", [Path(planted_source(1))], ["low"])
    assert [each.id for each in cache.evictions.next(10**9)] == [ids[2]]
    cache.unpin("somebody")
    assert [each.id for each in cache.evictions.next(10**9)] == [ids[0], ids[2]]
    assert cache.pins.owners() == ["somebody else"]


def test_abandoned_partials_go_before_objects(cache: AudioCache, song: Path) -> None:
    object_id = plant(cache, 1)
    partial = Partial.lock(
        cache.get_cache_path(song, "low"), cache.get_rendition(song, "low"), wait=False
    )
    assert partial is not None
    with partial:
        partial.resume()
        partial.append(bytes(5000))
        assert cache.evictions.free(1, unplayed_since_s=0.0) == 0
    assert cache.evictions.free(1) == partial.size
    assert not list(cache.partials())
    assert object_id in on_disk(cache)


def test_entries_without_an_object_go_last_and_for_no_batch(cache: AudioCache, song: Path) -> None:
    entry = cache.transcode_file(song, "low")
    (object_id,) = on_disk(cache)
    cache.objects.delete(object_id)
    assert entry.exists()
    foreign = planted_entry(cache, 9)
    foreign.write_bytes(b"\xff\xfb" + bytes(1000))
    planted = plant(cache, 1)
    assert cache.evictions.free(150_000, unplayed_since_s=1e12) == 0
    assert cache.evictions.free(100_001) > 100_000
    assert not entry.exists()
    assert planted not in on_disk(cache)
    assert foreign.exists()


@pytest.mark.slow
def test_ten_thousand_evictions_leave_index_and_disk_equal(tmp_path: Path) -> None:
    cache = cache_with_room(tmp_path / "cache", "100MB")
    for number in range(10_050):
        plant_quickly(cache, number)
    cache.room.usage()
    assert len(in_index(cache)) == 10_050
    gone = 0
    while gone < 10_000:
        assert cache.evictions.free(100) == 100
        gone += 1
    assert len(on_disk(cache)) == len(links_of(cache)) == 50
    assert in_index(cache) == on_disk(cache)
    named = {entry.stat().st_ino for entry in cache.entries()}
    assert named == {os.stat(cache.objects.path(each)).st_ino for each in on_disk(cache)}
    assert cache.ledger.held_bytes() == 50 * 100


def plant_quickly(cache: AudioCache, number: int) -> None:
    """Put an object where it belongs as if by a process of before the index was lost."""
    path = Path(cache.objects.path(f"{number:048x}"[::-1]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(100))
    os.link(path, planted_entry(cache, number))
