"""Signatures of the contract, pinned: mypy refuses this file where one of them changes.

Nothing here is run. A protocol pins a method's parameters by name, order, type and default.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, assert_type

import audio_cache
from audio_cache import (
    AudioCache,
    CacheWorker,
    ProgressCallback,
    ProgressEvent,
    ProgressStatus,
    ProgressTracker,
    QualityLevel,
)


class PathAt(Protocol):
    def __call__(self, original_path: Path, quality: QualityLevel = "medium") -> Path: ...


class IsCached(Protocol):
    def __call__(self, original_path: Path, quality: QualityLevel = "medium") -> bool: ...


class TranscodeFile(Protocol):
    def __call__(
        self, original_path: Path, quality: QualityLevel = "medium", overwrite: bool = False
    ) -> Path: ...


class PrecacheFile(Protocol):
    def __call__(
        self, original_path: Path, qualities: list[QualityLevel] | None = None
    ) -> dict[QualityLevel, Path]: ...


class ClearCache(Protocol):
    def __call__(self, older_than_days: int | None = None) -> int: ...


class Progress(Protocol):
    def __call__(self, current: int, total: int, /) -> None: ...


class CacheSingleFile(Protocol):
    def __call__(
        self, file_path: Path, qualities: list[QualityLevel] | None = None
    ) -> dict[QualityLevel, bool]: ...


class CacheMixtape(Protocol):
    def __call__(
        self,
        track_paths: list[Path],
        qualities: list[QualityLevel] | None = None,
        progress_callback: Progress | None = None,
    ) -> dict[str, dict[str, Any]]: ...


class VerifyMixtapeCache(Protocol):
    def __call__(
        self, track_paths: list[Path], quality: QualityLevel = "medium"
    ) -> dict[str, bool]: ...


class RegenerateOutdatedCache(Protocol):
    def __call__(
        self, track_paths: list[Path], qualities: list[QualityLevel] | None = None
    ) -> dict[str, dict[str, Any]]: ...


class ScheduleMixtapeCaching(Protocol):
    def __call__(
        self,
        mixtape_tracks: list[dict[str, Any]],
        music_root: Path,
        audio_cache: AudioCache,
        logger: logging.Logger | None = None,
        qualities: list[QualityLevel] | None = None,
        async_mode: bool = True,
        progress_callback: Progress | None = None,
    ) -> dict[str, Any]: ...


class Emit(Protocol):
    def __call__(
        self,
        task_id: str,
        step: str,
        status: ProgressStatus,
        message: str,
        current: int = 0,
        total: int = 0,
    ) -> None: ...


class Listen(Protocol):
    def __call__(self, task_id: str, timeout: int = 300) -> Iterator[str]: ...


class Tracks(Protocol):
    """A progress callback with the three methods that the worker calls for every track."""

    def __call__(self, current: int, total: int) -> None: ...
    def track_cached(self, track_name: str) -> None: ...
    def track_skipped(self, track_name: str, reason: str = "already cached") -> None: ...
    def track_failed(self, track_name: str, error: str) -> None: ...


def audio_cache_methods(logger: logging.Logger) -> None:
    cache = AudioCache(cache_dir=Path("cache"), logger=logger)
    AudioCache(Path("cache"), logger)
    AudioCache(Path("cache"))
    paths: list[PathAt] = [cache.get_cache_path, cache.get_cached_or_original]
    is_cached: IsCached = cache.is_cached
    transcode: TranscodeFile = cache.transcode_file
    precache: PrecacheFile = cache.precache_file
    clear: ClearCache = cache.clear_cache
    assert_type(cache.should_transcode(file_path=Path()), bool)
    assert_type(cache.get_cache_size(), int)
    del paths, is_cached, transcode, precache, clear


def worker_methods(cache: AudioCache, logger: logging.Logger) -> None:
    worker = CacheWorker(audio_cache=cache, logger=logger, max_workers=4)
    CacheWorker(cache, logger, 4)
    single: CacheSingleFile = worker.cache_single_file
    mixtapes: list[CacheMixtape] = [worker.cache_mixtape, worker.cache_mixtape_async]
    verify: VerifyMixtapeCache = worker.verify_mixtape_cache
    regenerate: RegenerateOutdatedCache = worker.regenerate_outdated_cache
    schedule: ScheduleMixtapeCaching = audio_cache.schedule_mixtape_caching
    del single, mixtapes, verify, regenerate, schedule


def progress_methods(logger: logging.Logger) -> None:
    tracker = ProgressTracker(logger=logger)
    assert_type(audio_cache.get_progress_tracker(logger=logger), ProgressTracker)
    tracker.create_task(task_id="t")
    tracker.cleanup_task(task_id="t")
    emit: Emit = tracker.emit
    listen: Listen = tracker.listen
    callback = ProgressCallback(task_id="t", tracker=tracker, total_tracks=3)
    # By name too: mypy compares the names of a protocol's parameters for __call__ only.
    callback.track_cached(track_name="a")
    callback.track_skipped(track_name="a", reason="missing")
    callback.track_failed(track_name="a", error="broken")
    tracks: Tracks = callback
    progress: Progress = callback
    assert_type((callback.cached_count, callback.skipped_count), tuple[int, int])
    assert_type(callback.failed_count, int)
    event = ProgressEvent("t", "caching", ProgressStatus.PENDING, "m", 0, 0, "2024")
    assert_type(event.to_sse(), str)
    del emit, listen, tracks, progress


def settings_by_quality() -> None:
    quality: QualityLevel = "medium"
    assert_type(audio_cache.QUALITY_SETTINGS[quality]["bitrate"], str)
    assert_type(audio_cache.QUALITY_SETTINGS[quality]["format"], str)
