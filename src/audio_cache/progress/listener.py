"""The place of a listener in a task, and what it has to be told next.

Nothing here waits or locks: the tracker calls it under its lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .events import EventLog, LogEntry, ProgressEvent, ProgressStatus


@dataclass
class TaskRun:
    """One time that a task's work is done.

    Args:
        id: unlike that of any other run, also of another process.
        log: its events.
        touched_at: when the last of them came, by the tracker's clock.
    """

    id: str
    log: EventLog
    touched_at: float


@dataclass
class Task:
    """What runs and listeners share; it has no run while it is only being waited for."""

    id: str
    changed: threading.Condition
    run: TaskRun | None = None
    listeners: int = 0
    is_closed: bool = False
    wakers: dict[object, Callable[[], None]] = field(default_factory=dict)

    def tell(self) -> None:
        """Wake everybody who waits for a change."""
        self.changed.notify_all()
        wakers, self.wakers = self.wakers, {}
        for wake in wakers.values():
            wake()


@dataclass
class Place:
    """The place that one listener has reached.

    Args:
        task: what it listens to.
        last_event_id: the event after which it wants to go on; empty for the first one.
        with_ids: whether its frames have `id:` and `event:` lines.
    """

    task: Task
    last_event_id: str
    with_ids: bool
    run: TaskRun | None = None
    number: int = 0

    def has_news(self) -> bool:
        """Say whether `take` would return anything."""
        run = self.task.run
        if run is None or run is self.run:
            return run is not None and run.log.last_number > self.number
        return self._was_elsewhere() or run.log.last_number > 0

    def is_at_end(self) -> bool:
        """Say whether the listener has everything, and nothing more will come."""
        is_over = self.run is not None and self.run.log.is_ended
        return (is_over or self.task.is_closed) and not self.has_news()

    def take(self) -> list[str]:
        """Return the frames that the listener has not had yet, and go on to after them."""
        run = self.task.run
        if run is None:
            return []
        why_reset = self._enter(run) if run is not self.run else ""
        log = run.log
        if log.has_all_after(self.number):
            entries = log.get_after(self.number)
        else:
            why_reset = "Earlier events are gone; what follows is how each track stands."
            entries = log.get_state()
        self.number = log.last_number
        frames = [self._to_frame(run, entry) for entry in entries]
        return [self._to_reset(why_reset), *frames] if why_reset else frames

    def _enter(self, run: TaskRun) -> str:
        """Go to that run; return why the listener must start afresh, if it must."""
        was_elsewhere = self._was_elsewhere()
        self.run, self.number = run, get_number_in_run(run, self.last_event_id)
        self.last_event_id = ""
        return "A new run has begun." if was_elsewhere and self.number == 0 else ""

    def _was_elsewhere(self) -> bool:
        return self.run is not None or bool(self.last_event_id)

    def _to_frame(self, run: TaskRun, entry: LogEntry) -> str:
        return f"id: {run.id}-{entry.number}\n{entry.frame}" if self.with_ids else entry.frame

    def _to_reset(self, why: str) -> str:
        # It has all fields of the contract, and a name, which keeps it from an EventSource's
        # onmessage: a client that knows nothing of resets is not disturbed by one.
        event = ProgressEvent(
            self.task.id, "reset", ProgressStatus.PENDING, why, details={"type": "reset"}
        )
        return f"event: reset\n{event.to_sse()}" if self.with_ids else event.to_sse()


def get_number_in_run(run: TaskRun, event_id: str) -> int:
    """Return which event of the run an id names, or 0 if none."""
    run_id, _, number = event_id.rpartition("-")
    is_number = number.isascii() and number.isdigit() and len(number) < 20
    if run_id != run.id or not is_number or int(number) > run.log.last_number:
        return 0
    return int(number)
