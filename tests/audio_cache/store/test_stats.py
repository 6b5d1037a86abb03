"""Statistics: what is counted, and what need not be counted again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from audio_cache import AudioCache, gather_stats
from audio_cache.store import stats
from tests.helpers.audio import make_noise
from tests.helpers.rooms import lose_index


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the entries that are read, in that order."""
    names: list[str] = []
    real = stats.read_entry

    def read(path: Path) -> object:
        names.append(os.path.basename(path))
        return real(path)

    monkeypatch.setattr(stats, "read_entry", read)
    # As if the directory had changed long ago.
    monkeypatch.setattr(stats, "_TICK_NS", -1)
    return names


def test_an_entry_is_looked_into_once(
    cache: AudioCache, song: Path, wav: Path, looked_into: list[str]
) -> None:
    cache.transcode_file(song, "low")
    assert gather_stats(cache).entries == gather_stats(cache).entries == 1
    assert len(looked_into) == 1
    cache.transcode_file(wav, "low")
    found = gather_stats(cache)
    assert (found.entries, found.sources, len(looked_into)) == (2, 2, 2)
    assert found.source_bytes == song.stat().st_size + wav.stat().st_size
    cache.clear_cache()
    assert gather_stats(cache).entries == 0
    assert len(looked_into) == 2


def test_what_was_made_anew_is_counted_anew(
    cache: AudioCache, song: Path, looked_into: list[str]
) -> None:
    cache.transcode_file(song, "low")
    before = gather_stats(cache)
    make_noise(song, samples=400_000)
    cache.transcode_file(song, "low")
    after = gather_stats(cache)
    assert after.entries == 1
    assert after.size_bytes > before.size_bytes
    assert after.size_bytes == cache.get_cache_path(song, "low").stat().st_size
    assert len(looked_into) == 2


def test_another_process_need_not_count_what_has_not_changed(
    cache: AudioCache, song: Path, looked_into: list[str]
) -> None:
    cache.transcode_file(song, "low")
    (cache.cache_dir / ("0" * 32 + "_low_128k.mp3")).write_bytes(b"\xff\xfb")
    found = gather_stats(cache)
    assert (found.foreign, found.foreign_bytes, len(looked_into)) == (1, 2, 2)
    other = AudioCache(cache.cache_dir)
    assert gather_stats(other) == found
    assert len(looked_into) == 2
    lose_index(cache)
    third = AudioCache(cache.cache_dir)
    assert gather_stats(third).entries == found.entries
    assert len(looked_into) == 4


def test_a_directory_that_is_gone_cannot_be_counted(cache: AudioCache) -> None:
    shutil.rmtree(cache.cache_dir)
    with pytest.raises(FileNotFoundError):
        gather_stats(cache)
