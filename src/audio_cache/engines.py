"""What settings choose: where objects are kept, who encodes, and where progress is told."""

from __future__ import annotations

import functools
import importlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .batch.background import BackgroundRuns, Runs
from .errors import ConfigError
from .progress.tracker import ProgressTracker, get_progress_tracker
from .settings import PREFIX, AudioCacheSettings
from .sources.music_roots import MusicRoots, Roots
from .store.cache import AudioCache
from .store.object_store import ObjectStore
from .store.room import Limits

if TYPE_CHECKING:
    from .backends.redis_progress import RedisProgressTracker
    from .backends.redis_shared import RedisShared

_EXTRAS: Final = {"redis": "redis", "celery": "celery", "obstore": "s3"}


def make_cache(
    settings: AudioCacheSettings, cache_dir: Path, logger: logging.Logger | None = None
) -> AudioCache:
    """Return the cache that settings describe.

    Args:
        settings: of the cache.
        cache_dir: where it is kept.
        logger: where warnings go.

    Raises:
        ConfigError: what the object store needs is not installed.
        OSError: the directory cannot be made.
    """
    return AudioCache(
        cache_dir,
        logger,
        ffmpeg=settings.ffmpeg,
        effort=settings.effort,
        encode_timeout_s=settings.encode_timeout_s,
        nice=settings.nice,
        tags=settings.tags,
        limits=Limits.of(settings),
        is_shared=settings.shared_files,
        behind=_object_store(settings.object_store),
    )


@functools.lru_cache(maxsize=8)
def _object_store(url: str | None) -> ObjectStore | None:
    if url is None:
        return None
    backend = load_backend("s3_objects", f"{PREFIX}OBJECT_STORE")
    store: ObjectStore = backend.S3Objects(url)
    return store


def make_tracker(
    settings: AudioCacheSettings, logger: logging.Logger | None = None
) -> ProgressTracker:
    """Return the tracker of this process, or the one of all nodes where there is a Redis.

    Raises:
        ConfigError: what Redis needs is not installed.
    """
    if settings.redis is None:
        return get_progress_tracker(logger)
    return _redis_tracker(settings.redis, logger)


@functools.lru_cache(maxsize=8)
def _redis_tracker(url: str, logger: logging.Logger | None) -> RedisProgressTracker:
    backend = load_backend("redis_progress", f"{PREFIX}REDIS")
    tracker: RedisProgressTracker = backend.RedisProgressTracker(url, logger)
    return tracker


def make_shared(
    settings: AudioCacheSettings, logger: logging.Logger | None = None
) -> RedisShared | None:
    """Return what the processes of a site share; None where this one is alone.

    Raises:
        ConfigError: what Redis needs is not installed.
    """
    if settings.redis is None:
        return None
    backend = load_backend("redis_shared", f"{PREFIX}REDIS")
    shared: RedisShared = backend.RedisShared(settings.redis, logger or logging.getLogger(__name__))
    return shared


def make_runs(
    settings: AudioCacheSettings,
    cache: AudioCache,
    tracker: ProgressTracker,
    music_root: Roots,
) -> Runs:
    """Return the background runs of a host, on the engine that settings name.

    Args:
        settings: of the cache.
        cache: where this process keeps files.
        tracker: receives the progress.
        music_root: where this host has the music; another may have it elsewhere, and where it is
            several folders, under the same names.

    Raises:
        ConfigError: what the engine needs is not installed.
    """
    if settings.engine == "threads":
        return BackgroundRuns(cache, tracker, settings.max_workers)
    backend = load_backend("celery_runs", f"{PREFIX}ENGINE")
    runs: Runs = backend.CeleryRuns(settings, tracker, MusicRoots.of(music_root))
    return runs


def load_backend(name: str, setting: str) -> Any:
    """Return a module of the backends.

    Args:
        name: of the module.
        setting: which asks for it.

    Raises:
        ConfigError: a package that it needs is not installed.
    """
    try:
        return importlib.import_module(f".backends.{name}", __package__)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise ConfigError(
            f"{setting} needs the package {error.name}, which is not installed: "
            f"pip install 'audio-cache[{extra}]'"
        ) from error
