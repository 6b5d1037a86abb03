"""The callback that a worker calls while it goes through the tracks of a run."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from .events import ProgressStatus

if TYPE_CHECKING:
    from .tracker import ProgressTracker

MAX_FAILURES_LISTED: Final = 100


class ProgressCallback:
    """Turn what happens to tracks into the events of one run, and count along.

    It may be called from any number of threads. `current` of its events never goes back and
    `total` never shrinks. The step of a track's event says how the track fares: `track_started`,
    `track_cached`, `track_skipped` or `track_failed`. None of them ends the run.

    Args:
        task_id: the task that the run belongs to.
        tracker: where events go.
        total_tracks: how many tracks the run has.
        run: the run's id as `ProgressTracker.create_task` gave it; where it is left out, the one
            that the task is in at the first call.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        task_id: str,
        tracker: ProgressTracker,
        total_tracks: int,
        *,
        run: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.task_id = task_id
        self.tracker = tracker
        self.total_tracks = total_tracks
        self.cached_count = 0
        self.skipped_count = 0
        self.failed_count = 0
        self.bytes_saved = 0
        self._run = run
        self._encoded_audio_s = 0.0
        self._current = 0
        self._skip_reasons: Counter[str] = Counter()
        self._failures: list[dict[str, str]] = []
        self._clock = clock
        self._started_at: float | None = None
        # Held while an event is emitted: the third "cached" must not overtake the second.
        self._lock = threading.RLock()

    def __call__(self, current: int, total: int) -> None:
        """Report that the run has got to track `current` of `total`."""
        with self._lock:
            self.total_tracks = max(self.total_tracks, total)
            self._current = max(self._current, current)
            message = f"Caching track {self._current} of {self.total_tracks}"
            self._emit("caching", ProgressStatus.IN_PROGRESS, message)

    def restore(
        self,
        *,
        cached: int,
        skipped: int,
        failed: int,
        bytes_saved: int,
        audio_s: float,
        skip_reasons: Mapping[str, int],
        failures: Iterable[dict[str, str]],
        began_at: float,
    ) -> None:
        """Go on where others have brought the run.

        Args:
            cached, skipped, failed: how many tracks are.
            bytes_saved: by how much what was cached is smaller than its sources.
            audio_s: seconds of audio that were encoded.
            skip_reasons: how many tracks were skipped for each reason.
            failures: the track and the reason of each that failed.
            began_at: when the run began, by the clock.
        """
        with self._lock:
            self.cached_count, self.skipped_count, self.failed_count = cached, skipped, failed
            self.bytes_saved, self._encoded_audio_s = bytes_saved, audio_s
            self._current, self._started_at = self.done_count, began_at
            self._skip_reasons = Counter(skip_reasons)
            self._failures = list(itertools.islice(failures, MAX_FAILURES_LISTED))

    def track_started(self, track_name: str) -> None:
        """Report that a track is being encoded from now on."""
        with self._lock:
            status = ProgressStatus.IN_PROGRESS
            self._emit_track("started", status, track_name, f"Caching {track_name}")

    def track_cached(self, track_name: str, *, bytes_saved: int = 0, audio_s: float = 0.0) -> None:
        """Count a track as cached.

        Args:
            track_name: what people call it.
            bytes_saved: by how much the cached file is smaller than the source.
            audio_s: seconds of audio that were encoded.
        """
        with self._lock:
            self.cached_count += 1
            self.bytes_saved += bytes_saved
            self._encoded_audio_s += audio_s
            status = ProgressStatus.IN_PROGRESS
            self._emit_track("cached", status, track_name, f"✓ Cached: {track_name}")

    def track_skipped(self, track_name: str, reason: str = "already cached") -> None:
        """Count a track as one that needed no encoding, and say why."""
        with self._lock:
            self.skipped_count += 1
            self._skip_reasons[reason] += 1
            message = f"⊘ Skipped: {track_name} ({reason})"
            self._emit_track("skipped", ProgressStatus.SKIPPED, track_name, message, reason)

    def track_failed(self, track_name: str, error: object) -> None:
        """Count a track as failed, and say what went wrong; the run goes on."""
        with self._lock:
            self.failed_count += 1
            reason = str(error)
            if len(self._failures) < MAX_FAILURES_LISTED:
                self._failures.append({"track": track_name, "reason": reason})
            message = f"✗ Failed: {track_name} - {reason}"
            self._emit_track("failed", ProgressStatus.FAILED, track_name, message, reason)

    def run_finished(
        self, status: ProgressStatus | str, message: str = "", *, step: str | None = None
    ) -> None:
        """End the run with a summary.

        Args:
            status: completed or failed.
            message: a sentence for people; the counts if it is empty.
            step: "cancelled" if somebody cancelled the run; by default the status.

        Raises:
            ValueError: with that status the run would not end.
        """
        status = ProgressStatus(status)
        if status not in (ProgressStatus.COMPLETED, ProgressStatus.FAILED):
            raise ValueError(f"a run ends as completed or failed, not as {status.value!r}")
        with self._lock:
            counts = (self.cached_count, self.skipped_count, self.failed_count)
            self._emit(
                step or status.value,
                status,
                message or "{} cached, {} skipped, {} failed".format(*counts),
                elapsed_s=round(self._elapsed_s(), 1),
                skip_reasons=dict(self._skip_reasons),
                failures=list(self._failures),
            )

    @property
    def done_count(self) -> int:
        """How many tracks are cached, skipped or failed."""
        return self.cached_count + self.skipped_count + self.failed_count

    def _emit_track(
        self, fate: str, status: ProgressStatus, track_name: str, message: str, reason: str = ""
    ) -> None:
        self._current = max(self._current, self.done_count)
        self.total_tracks = max(self.total_tracks, self.done_count)
        details = {"track": track_name}
        if reason:
            details["reason"] = reason
        self._emit(f"track_{fate}", status, message, **details)

    def _emit(self, step: str, status: ProgressStatus, message: str, **details: object) -> None:
        if self._run is None:
            self._run = self.tracker.get_run(self.task_id)
        self.tracker.emit(
            task_id=self.task_id,
            step=step,
            status=status,
            message=message,
            current=self._current,
            total=self.total_tracks,
            run=self._run,
            **details,
            **self._figures(),
        )

    def _figures(self) -> dict[str, object]:
        figures: dict[str, object] = {
            "done": self.done_count,
            "cached": self.cached_count,
            "skipped": self.skipped_count,
            "failed": self.failed_count,
            "bytes_saved": self.bytes_saved,
        }
        elapsed_s = self._elapsed_s()
        if self._encoded_audio_s > 0 and elapsed_s > 0:
            figures["speed_x"] = round(self._encoded_audio_s / elapsed_s, 1)
        time_left_s = self._time_left_s(elapsed_s)
        if time_left_s is not None:
            figures["time_left_s"] = round(time_left_s)
        return figures

    def _elapsed_s(self) -> float:
        if self._started_at is None:
            self._started_at = self._clock()
        return self._clock() - self._started_at

    def _time_left_s(self, elapsed_s: float) -> float | None:
        """Guess how long the rest takes; None while nothing was encoded to judge by.

        Skipped tracks took no time and say nothing about the rest.
        """
        if elapsed_s <= 0 or not self.cached_count:
            return None
        left = max(self.total_tracks - self.done_count, 0)
        return elapsed_s * left / (self.cached_count + self.failed_count)
