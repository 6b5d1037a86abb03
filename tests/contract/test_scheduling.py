"""schedule_mixtape_caching and the progress callback, line by line of the contract."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from audio_cache import AudioCache, CacheWorker, schedule_mixtape_caching
from tests.contract.callbacks import Listener
from tests.contract.signatures import REQUIRED, begins_with
from tests.helpers.audio import make_audio
from tests.helpers.renditions import files_of


@pytest.fixture
def cache(tmp_path: Path) -> AudioCache:
    return AudioCache(tmp_path / "cache")


@pytest.fixture
def music(tmp_path: Path, mp3: Path, data: Path) -> Path:
    root = tmp_path / "music"
    (root / "a").mkdir(parents=True)
    make_audio(root / "a" / "song.flac", samples=5000)
    shutil.copy(data / "truncated.flac", root / "broken.flac")
    shutil.copy(mp3, root / "lossy.mp3")
    return root


MIXTAPE = [{"path": name} for name in ("a/song.flac", "broken.flac", "lossy.mp3", "gone.flac")]


def test_signature() -> None:
    assert begins_with(
        schedule_mixtape_caching,
        {
            "mixtape_tracks": REQUIRED,
            "music_root": REQUIRED,
            "audio_cache": REQUIRED,
            "logger": None,
            "qualities": None,
            "async_mode": True,
            "progress_callback": None,
        },
    )


def test_tracks_are_dicts_with_a_path_relative_to_music_root(
    cache: AudioCache, music: Path
) -> None:
    result = schedule_mixtape_caching(MIXTAPE, music, cache)
    assert result == {
        str(music / "a/song.flac"): {"medium": True},
        str(music / "broken.flac"): {"medium": False},
        str(music / "lossy.mp3"): {"skipped": True, "reason": "No transcoding needed"},
    }


def test_without_async_mode_it_is_sequential_and_gives_what_cache_mixtape_gives(
    cache: AudioCache, music: Path
) -> None:
    listener = Listener()
    result = schedule_mixtape_caching(MIXTAPE, music, cache, None, ["low"], False, listener)
    assert result[str(music / "lossy.mp3")] == {"skipped": True}
    told = [name for name, *_ in listener.told]
    assert told == ["song.flac", "broken.flac", "lossy.mp3", "gone.flac"]


@pytest.mark.parametrize("async_mode", [True, False])
@pytest.mark.parametrize("name", ["gone.flac", "gone.mp3"])
def test_missing_files_are_warned_about_reported_and_not_in_the_result(
    cache: AudioCache,
    music: Path,
    async_mode: bool,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger, listener = logging.getLogger("the host's"), Listener()
    tracks = [{"path": name}]
    result = schedule_mixtape_caching(tracks, music, cache, logger, None, async_mode, listener)
    assert result == {}
    assert listener.told == [(name, "skipped", "missing")]
    [record] = caplog.records
    assert (record.name, record.levelname) == ("the host's", "WARNING")
    assert name in record.getMessage()


@pytest.mark.parametrize("async_mode", [True, False])
def test_a_missing_file_that_is_cached_is_missing_all_the_same(
    cache: AudioCache, music: Path, async_mode: bool
) -> None:
    cache.transcode_file(music / "a/song.flac")
    (music / "a/song.flac").unlink()
    listener = Listener()
    result = schedule_mixtape_caching(
        MIXTAPE[:1], music, cache, async_mode=async_mode, progress_callback=listener
    )
    assert result == {}
    assert listener.told == [("song.flac", "skipped", "missing")]


@pytest.mark.parametrize("async_mode", [True, False])
def test_an_empty_list_of_qualities_asks_for_nothing(
    cache: AudioCache, music: Path, async_mode: bool
) -> None:
    result = schedule_mixtape_caching(MIXTAPE[:2], music, cache, None, [], async_mode)
    assert result == {str(music / "a/song.flac"): {}, str(music / "broken.flac"): {}}
    assert files_of(cache.cache_dir) == []


class TestProgressCallback:
    def test_is_any_callable_of_two_integers(self, cache: AudioCache, music: Path) -> None:
        calls: list[tuple[int, int]] = []

        def progress(current: int, total: int) -> None:
            calls.append((current, total))

        schedule_mixtape_caching(MIXTAPE, music, cache, progress_callback=progress)
        assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def test_the_worker_tells_of_every_track(self, cache: AudioCache, music: Path) -> None:
        cache.transcode_file(make_audio(music / "old.flac", samples=5000, seed=1))
        listener = Listener()
        tracks = [*MIXTAPE, {"path": "old.flac"}]
        schedule_mixtape_caching(tracks, music, cache, progress_callback=listener)
        told = {name: (fate, words) for name, fate, words in listener.told}
        assert len(listener.told) == len(told) == 5
        assert told.pop("broken.flac")[0] == "failed"
        assert told == {
            "song.flac": ("cached", ""),
            "old.flac": ("skipped", "already cached"),
            "lossy.mp3": ("skipped", "No transcoding needed"),
            "gone.flac": ("skipped", "missing"),
        }

    @pytest.mark.parametrize("name", ["track_cached", "track_skipped", "track_failed"])
    def test_may_have_only_some_of_the_three_methods(
        self, cache: AudioCache, music: Path, name: str
    ) -> None:
        class Some:
            def __init__(self) -> None:
                self.told: list[tuple[Any, ...]] = []
                setattr(self, name, lambda *given: self.told.append(given))

            def __call__(self, current: int, total: int) -> None:
                pass

        some = Some()
        schedule_mixtape_caching(MIXTAPE, music, cache, progress_callback=some)
        assert some.told

    def test_of_cache_mixtape_is_told_the_same(self, cache: AudioCache, music: Path) -> None:
        paths = [music / each["path"] for each in MIXTAPE]
        one, other = Listener(), Listener()
        CacheWorker(cache).cache_mixtape(paths, ["low"], one)
        CacheWorker(cache).cache_mixtape_async(paths, ["high"], other)
        assert sorted(one.told) == sorted(other.told)
        assert one.calls == other.calls == [(number, 4) for number in range(1, 5)]
