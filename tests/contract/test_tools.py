"""The debug_cache tool, line by line of the contract."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audio_cache import AudioCache


@pytest.fixture
def cache(tmp_path: Path, flac: Path) -> AudioCache:
    (tmp_path / "music" / "a").mkdir(parents=True)
    shutil.copy(flac, tmp_path / "music" / "a" / "song.flac")
    return AudioCache(tmp_path / "cache")


def debug(cache: AudioCache, rel_path: str) -> str:
    """Return what `python -m audio_cache.debug_cache MUSIC_ROOT REL_PATH CACHE_DIR` prints."""
    root = cache.cache_dir.parent / "music"
    command = [sys.executable, "-m", "audio_cache.debug_cache", str(root), rel_path]
    done = subprocess.run(
        [*command, str(cache.cache_dir)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_shows_path_hash_the_file_per_quality_and_whether_it_exists_and_is_valid(
    cache: AudioCache,
) -> None:
    song = cache.cache_dir.parent / "music" / "a" / "song.flac"
    cache.transcode_file(song, "low")
    cache.get_cache_path(song, "high").write_bytes(b"")
    shown = debug(cache, "a/../a/song.flac")
    assert f"path      {song}\n" in shown
    assert hashlib.md5(os.fsencode(song)).hexdigest() in shown
    told = {}
    for block in shown.split("\n\n")[1:]:
        quality, path = block.splitlines()[0].split()
        assert path == str(cache.get_cache_path(song, quality))  # type: ignore[arg-type]
        told[quality] = block.splitlines()[1].strip()
    assert list(told) == ["high", "medium", "low"]
    assert told["low"] == "VALID"
    why_not = {told[quality].removeprefix("not valid: ") for quality in ("high", "medium")}
    assert len(why_not) == 2
    assert not any(reason.startswith("not valid") for reason in why_not)


def test_shows_near_matches(cache: AudioCache) -> None:
    song = cache.cache_dir.parent / "music" / "a" / "song.flac"
    entry = cache.transcode_file(song, "low")
    song.rename(song.with_name("renamed.flac"))
    assert entry.name in debug(cache, "a/renamed.flac").partition("near matches:")[2]
