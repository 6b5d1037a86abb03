"""What a new process on an old cache finds, without reading its sources again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import mutagen.flac
import pytest

from audio_cache import AudioCache
from audio_cache.store import cache as cache_module
from audio_cache.store.entry import Verdict
from audio_cache.store.lookups import Found
from tests.helpers.audio import make_noise


def another(cache: AudioCache, **given: object) -> AudioCache:
    """Return the cache as another process has it, which remembers nothing."""
    return AudioCache(cache.cache_dir, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_entries_are_valid_at_once_and_no_source_is_read(
    cache: AudioCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    codec = "flac" if suffix == ".flac" else "pcm_s16le"
    song = make_noise(tmp_path / f"song{suffix}", samples=44_100, codec=codec)
    cache.transcode_file(song, "low")
    before = cache.find(song, "low")

    def fail(path: object) -> None:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(cache_module, "read_source", fail)
    assert isinstance(before, Found)
    assert another(cache).find(song, "low") == before


def test_a_source_that_was_changed_meanwhile_is_not_taken_for_what_it_was(
    cache: AudioCache, song: Path
) -> None:
    cache.transcode_file(song, "low")
    status = os.stat(song)
    make_noise(song, samples=132_300, seed=1)
    os.utime(song, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert another(cache).examine(song, "low") is Verdict.SOURCE_CHANGED


def test_a_file_that_was_put_in_an_entrys_place_is_not_taken_for_it(
    cache: AudioCache, song: Path, tmp_path: Path
) -> None:
    entry = cache.transcode_file(song, "low")
    right = entry.read_bytes()
    other = make_noise(tmp_path / "other.flac", samples=132_300, seed=1)
    wrong = AudioCache(tmp_path / "elsewhere").transcode_file(other, "low")
    entry.unlink()
    shutil.copyfile(wrong, entry)
    assert another(cache).is_cached(song, "low")
    assert entry.read_bytes() == right


def test_where_other_tags_are_to_travel_an_entry_gets_them(cache: AudioCache, song: Path) -> None:
    file = mutagen.flac.FLAC(song)
    file["comment"] = "for Anna only"
    file.save()
    with_comment = another(cache, tags=("title", "comment"))
    open_hearted = with_comment.transcode_file(song, "low").read_bytes()
    assert b"for Anna only" in open_hearted or "for Anna only".encode("utf-16-le") in open_hearted
    for _ in range(2):
        discreet = another(cache)
        assert discreet.is_cached(song, "low")
        content = discreet.get_cache_path(song, "low").read_bytes()
        assert b"for Anna only" not in content
        assert "for Anna only".encode("utf-16-le") not in content
    assert another(cache, tags=("title", "comment")).is_cached(song, "low")
    assert discreet.get_cache_path(song, "low").read_bytes() == open_hearted
