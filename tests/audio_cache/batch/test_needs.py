"""What has to be encoded, or encoded again, by what the cache holds now."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audio_cache import AudioCache, CacheWorker, QualityLevel, find_outdated
from audio_cache.batch.needs import outdated
from tests.helpers.audio import make_noise
from tests.helpers.renditions import write_legacy

BOTH: tuple[QualityLevel, ...] = ("low", "high")


@pytest.fixture
def cache(tmp_path: Path) -> AudioCache:
    return AudioCache(tmp_path / "cache")


@pytest.fixture
def tracks(tmp_path: Path, flac: Path, wav: Path) -> tuple[Path, Path, Path]:
    """Return a track that changed since it was cached, one that didn't, and one never cached."""
    changed, current, new = (
        Path(shutil.copy(source, tmp_path / name))
        for source, name in ((flac, "changed.flac"), (wav, "current.wav"), (flac, "new.flac"))
    )
    make_noise(new, samples=30_000)
    return changed, current, new


@pytest.fixture
def cached(cache: AudioCache, tracks: tuple[Path, Path, Path]) -> AudioCache:
    for track in tracks[:2]:
        cache.store_together(track, BOTH)
    make_noise(tracks[0], samples=20_000)
    return cache


def test_every_outdated_entry_is_found_from_the_cache_alone(
    cached: AudioCache, tracks: tuple[Path, Path, Path]
) -> None:
    assert {path: set(stale) for path, stale in find_outdated(cached).items()} == {
        tracks[0]: set(BOTH)
    }


def test_an_outdated_entry_of_layout_1_is_found_from_the_cache_alone(
    cache: AudioCache, tracks: tuple[Path, Path, Path]
) -> None:
    changed, _, current = tracks
    for track in (changed, current):
        write_legacy(cache, track)
    make_noise(changed, samples=20_000)
    assert find_outdated(cache) == {changed: ["low"]}


def test_of_the_sources_asked_for_only_what_was_cached_before_is_found(
    cached: AudioCache, tracks: tuple[Path, Path, Path]
) -> None:
    wanted = dict.fromkeys(tracks, ("low", "medium", "original"))
    assert find_outdated(cached, wanted) == {tracks[0]: ["low"]}


def test_what_was_never_cached_is_found_on_demand(
    cached: AudioCache, tracks: tuple[Path, Path, Path]
) -> None:
    changed, current, new = tracks
    wanted = dict.fromkeys(tracks, ("low", "medium"))
    assert find_outdated(cached, wanted, with_absent=True) == {
        changed: ["low", "medium"],
        current: ["medium"],
        new: ["low", "medium"],
    }


def test_the_entry_of_a_source_that_is_gone_is_not_outdated(
    cached: AudioCache, tracks: tuple[Path, Path, Path]
) -> None:
    tracks[0].unlink()
    assert find_outdated(cached) == {}


def test_a_source_that_became_lossy_has_nothing_outdated(
    cached: AudioCache, tracks: tuple[Path, Path, Path], mp3: Path
) -> None:
    shutil.copy(mp3, tracks[0])
    assert find_outdated(cached) == {}


def test_an_entry_that_cannot_be_looked_at_counts_as_outdated(
    cached: AudioCache, tracks: tuple[Path, Path, Path]
) -> None:
    cached.get_cache_path(tracks[2], "low").mkdir()
    assert outdated(cached, tracks[2], BOTH, with_absent=False) == ["low"]


def test_the_worker_makes_what_is_found_and_then_nothing_is(
    cached: AudioCache, tracks: tuple[Path, Path, Path]
) -> None:
    CacheWorker(cached).cache_each(find_outdated(cached))
    assert find_outdated(cached) == {}
    assert CacheWorker(cached).regenerate_outdated_cache(tracks[:2], BOTH) == {}
