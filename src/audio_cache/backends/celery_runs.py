"""Background runs whose tracks are tasks of Celery: any number of workers, on any hosts."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import redis
from celery.exceptions import OperationalError  # type: ignore[import-untyped]

from ..batch.outcome import Outcome, name_tracks
from ..errors import EngineUnavailableError
from ..progress.tracker import ProgressTracker
from ..quality import DEFAULT_QUALITY, QualityLevel
from ..settings import AudioCacheSettings
from ..sources.music_roots import MusicRoots, Roots
from .celery_app import make_app, send_spread
from .redis_client import connect, persist
from .redis_runs import RUNNING, RunRecord, RunRecords, RunTrack

_LOOKS_EVERY_S: Final = 0.1

logger = logging.getLogger("audio_cache")


class CeleryRun:
    """One run of a task. Make it by `CeleryRuns.schedule`.

    Args:
        records: where runs are recorded.
        record: the run.
        roots: where this node has the music.
    """

    def __init__(self, records: RunRecords, record: RunRecord, roots: MusicRoots) -> None:
        self._records = records
        self._roots = roots
        self._record = record
        self.task_id = record.task_id
        self.run_id = record.run_id

    @property
    def qualities(self) -> tuple[QualityLevel, ...]:
        """Return the qualities that are wanted of its tracks."""
        return self._record.qualities

    @property
    def is_over(self) -> bool:
        """Say whether it has ended, on whichever nodes; while Redis is away it goes on."""
        try:
            return self._records.state(self.run_id) != RUNNING
        except redis.RedisError:
            return False

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; say whether it has ended."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.is_over:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(_LOOKS_EVERY_S)
        return True

    def outcomes(self) -> dict[Path, Outcome]:
        """Return what became of the tracks that are settled, by their paths on this node."""
        found = persist(lambda: self._records.outcomes(self.run_id))
        return {
            place: outcome
            for track, outcome in found.items()
            if (place := self._roots.find(track.path)) is not None
        }

    def cancel(self) -> None:
        """End it, and what workers do for it; finished tracks stay, and listeners are told.

        Raises:
            EngineUnavailableError: Redis is not there.
        """
        with _explained():
            self._records.cancel(self._record)


class CeleryRuns:
    """The background runs of all nodes.

    Nothing of a run is kept in this process: it goes on whatever becomes of that, and any node
    finds it and can cancel it.

    Args:
        settings: with the address of the Redis.
        tracker: receives the progress of the runs.
        roots: where this node has the music; paths travel relative to it.
    """

    def __init__(
        self, settings: AudioCacheSettings, tracker: ProgressTracker, roots: Roots
    ) -> None:
        assert settings.redis is not None
        self._records = RunRecords(connect(settings.redis), tracker)
        self._app = make_app(settings)
        self._roots = MusicRoots.of(roots)
        self._is_closed = threading.Event()

    def schedule(
        self,
        task_id: str,
        tracks: Iterable[Path],
        qualities: Sequence[QualityLevel] = (DEFAULT_QUALITY,),
        *,
        is_urgent: bool = True,
        is_asked: bool = False,
    ) -> CeleryRun:
        """Begin to cache tracks on the workers, and return at once.

        A task has one run at a time. Where one goes on with the same tracks and qualities, on any
        node, it is returned. Where it has others, a new run takes its place.

        Args:
            task_id: which task.
            tracks: absolute paths below the music root.
            qualities: what to make of each.
            is_urgent: somebody waits for these tracks, so they go before those of a whole library.
            is_asked: somebody will ask for the `outcomes` of the run.

        Raises:
            RuntimeError: `close` was called.
            ValueError: a track is not below the music root.
            EngineUnavailableError: Redis is not there.
        """
        if self._is_closed.is_set():
            raise RuntimeError("the runs are closed: nothing more can be scheduled")
        named = [RunTrack(self._below_root(each.path), each.name) for each in name_tracks(tracks)]
        wanted = tuple(dict.fromkeys(qualities))
        with _explained():
            record, is_new = self._records.begin(
                task_id, named, wanted, is_urgent=is_urgent, is_asked=is_asked
            )
        if is_new and not named:
            self._records.finish(record)
        elif is_new:
            # One task hands out the others, so that scheduling a library takes no longer. Where
            # this is not heard, or this node dies here, a supervisor says it again.
            with contextlib.suppress(OperationalError):
                send_spread(self._app, record)
        return CeleryRun(self._records, record, self._roots)

    def find(self, task_id: str) -> CeleryRun | None:
        """Return the current run of a task, whichever node began it; None where there is none.

        While Redis is away none is known.
        """
        try:
            record = self._records.current(task_id)
        except redis.RedisError as error:
            logger.warning("cannot ask Redis for the run of %s: %s", task_id, error)
            record = None
        return CeleryRun(self._records, record, self._roots) if record is not None else None

    def cancel(self, task_id: str) -> bool:
        """Cancel the run of a task; say whether there was one."""
        run = self.find(task_id)
        if run is not None:
            run.cancel()
        return run is not None

    def close(self, timeout_s: float = 10.0) -> None:
        """Schedule nothing more. What was goes on, on the workers."""
        self._is_closed.set()
        self._app.close()
        self._records.client.close()

    def _below_root(self, path: Path) -> bytes:
        relative = self._roots.path_of(path)
        if not relative or os.path.abspath(path) in self._roots.places.values():
            raise ValueError(
                f"{str(path)!r} is not below the music root {str(self._roots)!r}, so no other "
                "node could find it"
            )
        return os.fsencode(relative)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Say of what Redis raises that nothing can be cached in advance now."""
    try:
        yield
    except redis.RedisError as error:
        raise EngineUnavailableError(
            f"nothing can be cached in advance now: the Redis of AUDIO_CACHE_REDIS does not "
            f"answer ({error})"
        ) from error
