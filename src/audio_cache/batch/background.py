"""Background runs of a server: caching that a save starts and that continues by itself.

Nothing is queued on disk. What is to be done follows from what the cache holds (`missing`), so a
server that was stopped in the middle of a run schedules the same tracks again when it starts.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from ..progress.callback import ProgressCallback
from ..progress.events import ProgressStatus
from ..progress.tracker import ProgressTracker
from ..quality import DEFAULT_QUALITY, QualityLevel
from ..store.cache import AudioCache
from ..text import counted
from .batch import Batch
from .outcome import Fate, Outcome
from .workers import WorkerPool


class Run(Protocol):
    """One run of a task, wherever its tracks are encoded."""

    task_id: str
    run_id: str

    @property
    def qualities(self) -> tuple[QualityLevel, ...]:
        """Return the qualities that are wanted of any of its tracks."""

    @property
    def is_over(self) -> bool:
        """Say whether it has ended: done, cancelled, or superseded by a newer one."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; say whether it has ended."""

    def outcomes(self) -> dict[Path, Outcome]:
        """Return what became of the settled tracks of a run that was scheduled with `is_asked`."""

    def cancel(self) -> None:
        """End it; finished tracks stay, and listeners are told."""


class Runs(Protocol):
    """The background runs of a host, on whichever engine it has.

    Every engine keeps the suite of `tests/audio_cache/batch/test_runs_contract.py`.
    """

    def schedule(
        self,
        task_id: str,
        tracks: Iterable[Path],
        qualities: Sequence[QualityLevel] = (DEFAULT_QUALITY,),
        *,
        is_urgent: bool = True,
        is_asked: bool = False,
    ) -> Run:
        """Begin to cache tracks, and return at once; see `BackgroundRuns.schedule`."""

    def find(self, task_id: str) -> Run | None:
        """Return the current run of a task, or None."""

    def cancel(self, task_id: str) -> bool:
        """Cancel the run of a task; say whether there was one."""

    def close(self, timeout_s: float = 10.0) -> None:
        """End what this process does of them, for a shutdown; nobody is told."""


class BackgroundRun:
    """One run of a task, from the moment it was scheduled. Make it by `BackgroundRuns.schedule`."""

    def __init__(self, task_id: str, run_id: str, batch: Batch, progress: ProgressCallback) -> None:
        self.task_id = task_id
        self.run_id = run_id
        self.batch = batch
        self._progress = progress
        self._is_ending = False
        self._over = threading.Event()

    @property
    def qualities(self) -> tuple[QualityLevel, ...]:
        """Return the qualities that are wanted of any of its tracks."""
        return self.batch.qualities

    @property
    def is_over(self) -> bool:
        """Say whether the run has ended: done, cancelled, or superseded by a newer one."""
        return self._over.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of the run; say whether it has ended."""
        return self._over.wait(timeout_s)

    def outcomes(self) -> dict[Path, Outcome]:
        """Return what became of the tracks that are settled."""
        return self.batch.in_order()

    def cancel(self) -> None:
        """End the run and its ffmpegs; finished tracks stay, and listeners are told."""
        with self._ending() as is_first:
            if is_first:
                self.batch.cancel()
                ready = self._progress.cached_count + self._progress.skipped_count
                message = f"Cancelled: {ready} of {counted(len(self.batch.tracks), 'track')} ready"
                self._progress.run_finished(ProgressStatus.FAILED, message, step="cancelled")

    def abandon(self) -> None:
        """End the run without telling anybody: another one replaces it, now or after a restart."""
        with self._ending() as is_first:
            if is_first:
                self.batch.cancel()

    def carry_out(self) -> None:
        """Do what has to be done, and return when that is done or was cancelled."""
        self.batch.sift()
        self.batch.wait()
        with self._ending() as is_first:
            # A batch that was cancelled by a shutdown, which ends all ffmpegs, is not finished: it
            # is resumed after the next start.
            if is_first and not self.batch.is_cancelled:
                self._progress.run_finished(_status(self.batch))

    @contextlib.contextmanager
    def _ending(self) -> Iterator[bool]:
        """Say whether this end of the run is the first; with it the run is over."""
        with self.batch.changed:
            is_first, self._is_ending = not self._is_ending, True
        try:
            yield is_first
        finally:
            if is_first:
                self._over.set()


class BackgroundRuns:
    """The background runs of one process.

    Args:
        cache: where the files go.
        tracker: receives the progress of the runs; a run's task id is that of its stream.
        max_workers: how many tracks are encoded at once, over all runs.
    """

    def __init__(self, cache: AudioCache, tracker: ProgressTracker, max_workers: int = 4) -> None:
        self._cache = cache
        self._tracker = tracker
        self._pool = WorkerPool(max_workers)
        self._lock = threading.Lock()
        self._runs: dict[str, BackgroundRun] = {}

    def schedule(
        self,
        task_id: str,
        tracks: Iterable[Path],
        qualities: Sequence[QualityLevel] = (DEFAULT_QUALITY,),
        *,
        is_urgent: bool = True,
        is_asked: bool = False,
    ) -> BackgroundRun:
        """Begin to cache tracks, and return at once.

        A task has one run at a time. Where one goes on with the same tracks and qualities, it is
        returned. Where it has others, a new run takes its place: what the old one has encoded is
        kept and resumed.

        Args:
            task_id: which task.
            tracks: absolute paths.
            qualities: what to make of each.
            is_urgent: somebody waits for these tracks, so they go before those of a whole library.
            is_asked: somebody will ask for the `outcomes` of the run; here they are always kept.

        Raises:
            RuntimeError: `close` was called.
        """
        wanted = dict.fromkeys(tracks, qualities)
        batch = Batch(self._cache, wanted, changed=self._pool.changed, is_urgent=is_urgent)
        with self._lock:
            before = self._runs.get(task_id)
            if before is not None and not before.is_over:
                if before.batch.wants_same(batch) and not before.batch.is_cancelled:
                    return before
                before.abandon()
            self._pool.add(batch)
            run_id = self._tracker.create_task(task_id)
            progress = ProgressCallback(task_id, self._tracker, len(batch.tracks), run=run_id)
            batch.report_to(progress)
            run = self._runs[task_id] = BackgroundRun(task_id, run_id, batch, progress)
        total = len(batch.tracks)
        message = f"Looking at {counted(total, 'track')}"
        self._tracker.emit(
            task_id, "queued", ProgressStatus.PENDING, message, total=total, run=run_id
        )
        thread = threading.Thread(
            target=self._carry_out, args=(run,), name=f"run {task_id}", daemon=True
        )
        thread.start()
        return run

    def find(self, task_id: str) -> BackgroundRun | None:
        """Return the current run of a task, or None."""
        with self._lock:
            return self._runs.get(task_id)

    def cancel(self, task_id: str) -> bool:
        """Cancel the run of a task; say whether there was one."""
        run = self.find(task_id)
        if run is not None:
            run.cancel()
        return run is not None

    def close(self, timeout_s: float = 10.0) -> None:
        """End all runs, for a shutdown: nobody is told, since they resume after the next start."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.abandon()
        self._pool.close(timeout_s)

    def _carry_out(self, run: BackgroundRun) -> None:
        try:
            run.carry_out()
        finally:
            with self._lock:
                if self._runs.get(run.task_id) is run:
                    del self._runs[run.task_id]


def _status(batch: Batch) -> ProgressStatus:
    """Return how a run ended: failed only if nothing could be done for any track."""
    outcomes = list(batch.outcomes.values())
    useless = [each for each in outcomes if each.fate is Fate.FAILED or each.is_missing]
    if outcomes and len(useless) == len(outcomes):
        return ProgressStatus.FAILED
    return ProgressStatus.COMPLETED
