"""Statistics: what the index says of a large cache is what reading all of it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audio_cache import AudioCache, gather_stats
from audio_cache.store import stats as stats_module
from audio_cache.store.stats import CacheStats
from tests.helpers.audio import make_noise
from tests.helpers.rooms import lose_index, on_disk
from tests.helpers.waiting import LIMIT_S


@pytest.fixture
def tracks(tmp_path: Path) -> list[Path]:
    return [
        make_noise(tmp_path / f"{number}.flac", samples=8_820, seed=number) for number in range(3)
    ]


def by_index(cache: AudioCache, monkeypatch: pytest.MonkeyPatch) -> CacheStats:
    """Return the statistics as of a cache that is too large to be read."""
    with monkeypatch.context() as patch:
        patch.setattr(stats_module, "_MOST_READ", -1)
        patch.setattr(stats_module, "_read_all", None)
        return gather_stats(cache)


def test_the_index_counts_what_comes_and_goes(
    cache: AudioCache, tracks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare() -> None:
        assert by_index(cache, monkeypatch) == gather_stats(cache)

    compare()
    cache.store_together(tracks[0], ["low", "high"])
    cache.store_together(tracks[1], ["low"])
    compare()
    assert by_index(cache, monkeypatch).entries == 3
    copy = Path(shutil.copy2(tracks[0], tracks[0].with_name("copy.flac")))
    assert cache.is_cached(copy, "low")
    compare()
    make_noise(tracks[0], samples=17_640, seed=7)
    cache.store_together(tracks[0], ["low", "high"])
    compare()
    (cache.cache_dir / "partials" / "x.part").write_bytes(b"12345")
    compare()
    for object_id in on_disk(cache):
        assert cache.evictions.evict(object_id)
        compare()
    cache.store_together(tracks[1], ["low"])
    compare()
    assert cache.clear_cache() == 1
    compare()
    assert by_index(cache, monkeypatch).sources == 0


def test_without_the_index_a_look_at_the_directory_counts_again(
    cache: AudioCache, tracks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for track in tracks:
        cache.store_together(track, ["low", "medium"])
    foreign = cache.get_cache_path(Path("/music/x.flac"))
    foreign.write_bytes(b"ID3 of another program")
    before = gather_stats(cache)
    lose_index(cache)
    found = by_index(cache, monkeypatch)
    assert (found.entries, found.size_bytes) == (before.entries, before.size_bytes)
    assert (found.sources, found.foreign, found.foreign_bytes) == (3, 1, 22)
    assert found.source_bytes == 0, "what the sources were, lookups find out"
    foreign.unlink()
    restarted = AudioCache(cache.cache_dir)
    for track in tracks:
        assert restarted.is_cached(track, "low")
        assert restarted.is_cached(track, "medium")
    restarted.close()
    found = by_index(cache, monkeypatch)
    assert (found.qualities, found.source_bytes) == (before.qualities, before.source_bytes)


def test_a_survey_finds_out_which_names_are_gone(
    cache: AudioCache, tracks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for track in tracks:
        cache.store_together(track, ["low"])
    cache.get_cache_path(tracks[0], "low").unlink()
    assert by_index(cache, monkeypatch).entries == 3
    cache.surveys.begin().join(LIMIT_S)
    assert by_index(cache, monkeypatch) == gather_stats(cache)
    assert gather_stats(cache).entries == 2
    assert cache.facts.source_of(cache.get_cache_path(tracks[0], "low").name) is None
