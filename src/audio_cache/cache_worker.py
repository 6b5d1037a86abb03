"""CacheWorker: caches the tracks of a mixtape or a folder, one by one or in parallel."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, Final

from .batch.batch import Batch, Wanted, store_each
from .batch.needs import find_outdated, is_missing, is_valid, look_up, missing
from .batch.outcome import NOT_NEEDED, Outcome, name_tracks
from .batch.reporter import Progress, Reporter
from .batch.workers import WorkerPool
from .engines import make_runs, make_tracker
from .errors import AudioCacheError
from .quality import DEFAULT_QUALITY, QualityLevel
from .settings import PREFIX, AudioCacheSettings
from .sources.source import stat_source
from .store.cache import AudioCache

__all__ = ["CacheWorker", "Results", "missing", "schedule_mixtape_caching", "track_paths"]

DEFAULT_QUALITIES: tuple[QualityLevel, ...] = (DEFAULT_QUALITY,)
Results = dict[str, dict[str, Any]]
_LOOKS_EVERY_S: Final = 0.2
_SKIPPED: Final = {"skipped": True}
_NOT_NEEDED: Final = {**_SKIPPED, "reason": NOT_NEEDED}


class CacheWorker:
    """Cache many tracks. All qualities of a track are made from one decode.

    A `progress_callback` is any callable (current, total); it is called with the number of tracks
    that are settled. If it has `track_cached(name)`, `track_skipped(name, reason)` and
    `track_failed(name, error)`, exactly one of them is called for every track. A track that is
    listed twice is handled once. `qualities` are medium if None; an empty list asks for nothing.

    Args:
        audio_cache: where the files go. Its `nice` is the priority of the encoders.
        logger: where warnings go; that of the cache by default.
        max_workers: how many tracks are encoded at the same time.
    """

    def __init__(
        self, audio_cache: AudioCache, logger: logging.Logger | None = None, max_workers: int = 4
    ) -> None:
        self.audio_cache = audio_cache
        self.logger = logger or audio_cache.logger
        self.max_workers = max_workers

    def cache_single_file(
        self, file_path: Path, qualities: Sequence[QualityLevel] | None = None
    ) -> dict[QualityLevel, bool]:
        """Make what is missing of one file and say for each quality whether it can be played.

        "original" is True, and so is every quality of a lossy file. Failures are logged.
        """
        path, wanted = Path(file_path), _or_default(qualities)
        if not wanted:
            return {}
        try:
            if self.audio_cache.should_transcode(path):
                store_each(self.audio_cache, path, wanted)
            else:
                stat_source(path)
        except (AudioCacheError, OSError) as error:
            self.logger.error("cannot cache %r: %s", str(path), error)
            return {
                each: each == "original" or is_valid(self.audio_cache, path, each)
                for each in wanted
            }
        return dict.fromkeys(wanted, True)

    def cache_mixtape(
        self,
        track_paths: Iterable[Path],
        qualities: Sequence[QualityLevel] | None = None,
        progress_callback: Progress | None = None,
    ) -> Results:
        """Cache tracks one after the other.

        Returns:
            By path: `{"skipped": True}` for a lossy track, else success by quality.
        """
        outcomes = self.cache_in_turn(_wanted(track_paths, qualities), progress_callback)
        return {str(path): _as_result(outcome, _SKIPPED) for path, outcome in outcomes.items()}

    def cache_mixtape_async(
        self,
        track_paths: Iterable[Path],
        qualities: Sequence[QualityLevel] | None = None,
        progress_callback: Progress | None = None,
    ) -> Results:
        """Cache tracks in parallel, and return when all are settled.

        Returns:
            By path: `{"skipped": True, "reason": "No transcoding needed"}` for a lossy track, else
            success by quality. `track_failed` and the log get the reason of a failure.
        """
        wanted = _wanted(track_paths, qualities)
        outcomes = self.cache_each(wanted, progress_callback)
        return {str(path): _as_result(outcome, _NOT_NEEDED) for path, outcome in outcomes.items()}

    def verify_mixtape_cache(
        self, track_paths: Iterable[Path], quality: QualityLevel = "medium"
    ) -> dict[str, bool]:
        """Say for each track whether a quality can be played without encoding."""
        return {str(path): self.audio_cache.is_cached(path, quality) for path in track_paths}

    def regenerate_outdated_cache(
        self, track_paths: Iterable[Path], qualities: Sequence[QualityLevel] | None = None
    ) -> Results:
        """Make what is missing or outdated.

        Returns:
            By `<path>_<quality>`: `{"success": bool}`, with an "error" if it is False; empty
            if everything is current.
        """
        wanted = _wanted(track_paths, qualities)
        todo = find_outdated(self.audio_cache, wanted, with_absent=True)
        outcomes = self.cache_each(todo) if todo else {}
        return {
            f"{path}_{quality}": _as_success(outcome, quality)
            for path, outcome in outcomes.items()
            for quality in todo[path]
        }

    def cache_in_turn(
        self, wanted: Wanted, progress_callback: Progress | None = None
    ) -> dict[Path, Outcome]:
        """Cache tracks one after the other, each at its own qualities."""
        batch = Batch(self.audio_cache, wanted, progress_callback, logger=self.logger)
        batch.run()
        return batch.in_order()

    def cache_each(
        self, wanted: Wanted, progress_callback: Progress | None = None
    ) -> dict[Path, Outcome]:
        """Cache tracks in parallel, each at its own qualities.

        Returns:
            What became of each, in the given order. Ctrl-C ends the encoders too; what they made
            is resumed next time.
        """
        with closing(WorkerPool(self.max_workers)) as pool:
            batch = Batch(
                self.audio_cache,
                wanted,
                progress_callback,
                logger=self.logger,
                changed=pool.changed,
            )
            pool.add(batch)
            batch.sift()
            batch.wait()
        return batch.in_order()


def schedule_mixtape_caching(
    mixtape_tracks: Iterable[Mapping[str, Any]],
    music_root: Path,
    audio_cache: AudioCache,
    logger: logging.Logger | None = None,
    qualities: Sequence[QualityLevel] | None = None,
    async_mode: bool = True,
    progress_callback: Progress | None = None,
    *,
    max_workers: int = 4,
) -> Results:
    """Cache the tracks of a mixtape and return when that is done; `BackgroundRuns` do not wait.

    Where the environment says `AUDIO_CACHE_ENGINE=celery`, the workers of Celery do it.

    Args:
        mixtape_tracks: each with a "path" relative to the music root. A missing file is warned
            about, reported by `track_skipped(name, "missing")`, and left out of the result.
        music_root: the music folder.
        audio_cache: where the files go.
        logger: where warnings go; that of the cache by default.
        qualities: what to make of each; medium if None, nothing if empty.
        async_mode: encode in parallel.
        progress_callback: as for CacheWorker.
        max_workers: how many tracks are encoded at the same time.

    Returns:
        What CacheWorker returns, by absolute path.
    """
    worker = CacheWorker(audio_cache, logger, max_workers)
    paths = track_paths(mixtape_tracks, music_root, worker.logger)
    # Nothing is wanted of a missing file, so that it is reported as that even if it is cached.
    wanted: Wanted = {
        path: () if is_missing(path) else each for path, each in _wanted(paths, qualities).items()
    }
    if_lossy = _NOT_NEEDED if async_mode else _SKIPPED
    if os.environ.get(f"{PREFIX}ENGINE", "").strip().lower() == "celery":
        outcomes = _on_other_hosts(worker, music_root, wanted, progress_callback)
    else:
        run = worker.cache_each if async_mode else worker.cache_in_turn
        outcomes = run(wanted, progress_callback)
    return {
        str(path): _as_result(outcome, if_lossy)
        for path, outcome in outcomes.items()
        if not outcome.is_missing
    }


def _on_other_hosts(
    worker: CacheWorker, music_root: Path, wanted: Wanted, progress: Progress | None
) -> dict[Path, Outcome]:
    """Have tracks cached by a run of its own, and return what became of each."""
    settings, cache = AudioCacheSettings(), worker.audio_cache
    reporter = Reporter(progress, len(wanted), worker.logger)
    tracks = {track.path: track for track in name_tracks(wanted)}
    done: dict[Path, Outcome] = {}

    def settle(path: Path, outcome: Outcome) -> None:
        if path not in done:
            done[path] = outcome
            reporter.settled(tracks[path], outcome)

    todo = {path: qualities for path, qualities in wanted.items() if qualities}
    for path in wanted.keys() - todo.keys():
        outcome = look_up(cache, path, (), worker.logger)
        assert outcome is not None  # nothing is wanted of it
        settle(path, outcome)
    asked = tuple(dict.fromkeys(chain.from_iterable(todo.values())))
    runs = make_runs(settings, cache, make_tracker(settings, worker.logger), music_root)
    run = runs.schedule(f"batch-{secrets.token_hex(8)}", todo, asked, is_asked=True)
    try:
        is_over = False
        while not is_over:
            is_over = run.wait(_LOOKS_EVERY_S)
            for path, outcome in run.outcomes().items():
                settle(path, outcome)
    except BaseException:
        run.cancel()
        raise
    finally:
        runs.close()
    return {path: done[path] for path in wanted if path in done}


def track_paths(
    mixtape_tracks: Iterable[Mapping[str, Any]],
    music_root: Path,
    logger: logging.Logger,
) -> list[Path]:
    """Return the absolute paths of a mixtape's tracks; those outside the root are left out."""
    root = os.path.abspath(music_root)
    paths = []
    for track in mixtape_tracks:
        path = os.path.abspath(os.path.join(root, track.get("path") or ""))
        if path.startswith(os.path.join(root, "")):
            paths.append(Path(path))
        else:
            logger.warning("track %r isn't a path in the music folder", track.get("path"))
    return paths


def _or_default(qualities: Sequence[QualityLevel] | None) -> Sequence[QualityLevel]:
    return DEFAULT_QUALITIES if qualities is None else qualities


def _wanted(
    paths: Iterable[Path], qualities: Sequence[QualityLevel] | None
) -> dict[Path, Sequence[QualityLevel]]:
    wanted = list(dict.fromkeys(_or_default(qualities)))
    # Making another Path of a Path takes longer than looking it up in the cache.
    return {path if isinstance(path, Path) else Path(path): wanted for path in paths}


def _as_result(outcome: Outcome, if_lossy: Mapping[str, Any]) -> dict[str, Any]:
    if outcome.is_lossy:
        return dict(if_lossy)
    return {str(quality): is_there for quality, is_there in outcome.qualities.items()}


def _as_success(outcome: Outcome, quality: QualityLevel) -> dict[str, Any]:
    if outcome.qualities[quality]:
        return {"success": True}
    return {"success": False, "error": outcome.reason}
