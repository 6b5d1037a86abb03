"""Who may read a cache: its own user, or whoever was let in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_cache.store.cache import AudioCache
from audio_cache.store.facts import FILE_NAME
from tests.helpers.audio import make_audio

OTHERS = stat.S_IRWXG | stat.S_IRWXO


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def cache_with_a_track(folder: Path, *, is_shared: bool) -> AudioCache:
    cache = AudioCache(folder / "cache", is_shared=is_shared)
    track = make_audio(folder / "track.flac", samples=44_100 * 12)
    cache.transcode_file(track, "low")
    cache.heads.keep(cache.get_rendition(track, "low").id, b"the beginning")
    return cache


def modes_under(folder: Path) -> dict[str, int]:
    """Return the modes of all files, the index among them."""
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    assert any(path.name.startswith(FILE_NAME) for path in files)
    return {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in files
    }


def test_a_cache_is_its_users_alone(tmp_path: Path) -> None:
    cache = cache_with_a_track(tmp_path, is_shared=False)
    assert stat.S_IMODE(cache.cache_dir.stat().st_mode) == 0o700
    modes = modes_under(cache.cache_dir)
    assert any(name.startswith("objects/") for name in modes)
    assert {mode & OTHERS for mode in modes.values()} == {0}


def test_a_shared_cache_lets_a_web_server_read_what_is_complete(tmp_path: Path) -> None:
    cache = cache_with_a_track(tmp_path, is_shared=True)
    assert stat.S_IMODE(cache.cache_dir.stat().st_mode) == 0o755
    modes = modes_under(cache.cache_dir)
    shared = {name for name, mode in modes.items() if mode == 0o644}
    assert {name for name in modes if name.startswith("objects/")} <= shared
    assert not any(name.startswith((FILE_NAME, "partials/")) for name in shared)


def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(0o750)
    cache = AudioCache(tmp_path / "cache")
    assert stat.S_IMODE(cache.cache_dir.stat().st_mode) == 0o750


def test_a_file_in_the_place_of_the_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(FileExistsError):
        AudioCache(tmp_path / "cache")
