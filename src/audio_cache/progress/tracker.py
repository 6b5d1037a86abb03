"""The tracker, which keeps the events of runs for any number of listeners and loses none.

A task is what people know (the slug of a mixtape); a run is one time that its work is done. A
task has one run at a time: `create_task` begins a new one, and listeners are moved to it.
"""

from __future__ import annotations

import itertools
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from .events import EventLog, ProgressEvent, ProgressStatus
from .listener import Place, Task, TaskRun, get_number_in_run
from .sse import KEEPALIVE, KEEPALIVE_S


class ProgressTracker:
    """Keep the events of every task and pass them on to its listeners.

    Args:
        logger: where to log to; this module's logger by default.
        keepalive_s: how long a stream may be silent before a comment keeps it alive.
        max_events: how many events of a run are kept in full; see EventLog for those before.
        keep_finished_s: how long a task is known after its run has ended.
        keep_silent_s: how long a task is known whose run says nothing and never ended.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        logger: logging.Logger | None = None,
        *,
        keepalive_s: float = KEEPALIVE_S,
        max_events: int = 10_000,
        keep_finished_s: float = 600.0,
        keep_silent_s: float = 86_400.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger or logging.getLogger(__name__)
        self._keepalive_s = keepalive_s
        self._max_events = max_events
        self._keep_finished_s = keep_finished_s
        self._keep_silent_s = keep_silent_s
        self._clock = clock
        # Reentrant, since the garbage collector may close a listener's generator at any
        # allocation, also at one that is made while this thread holds the lock.
        self._lock = threading.RLock()
        self._tasks: dict[str, Task] = {}
        self._is_closing = False
        # An id that a browser kept from before a restart must not fit a run of this process.
        self._run_ids = (f"{secrets.token_hex(4)}.{n}" for n in itertools.count(1))

    def create_task(self, task_id: str) -> str:
        """Begin a new run of a task and return the run's id.

        Listeners of the task's earlier run are told to start afresh and get the new one's
        events. A run that has had no event yet is kept, since nobody could see a difference.
        """
        with self._lock:
            self._forget_old()
            task = self._get_or_add(task_id)
            if task.run is not None and not task.run.log.last_number:
                return task.run.id
            return self._begin(task).id

    def get_run(self, task_id: str) -> str:
        """Return the id of the run that the task is in, beginning one if there is none."""
        with self._lock:
            task = self._tasks.get(task_id)
            if task is None or task.run is None or task.run.log.is_ended:
                return self.create_task(task_id)
            return task.run.id

    def has_task(self, task_id: str) -> bool:
        """Say whether a run of that task is in progress, or ended recently."""
        return self._find_run(task_id) is not None

    def is_running(self, task_id: str) -> bool:
        """Say whether a run of that task has begun and not ended."""
        run = self._find_run(task_id)
        return run is not None and not run.log.is_ended

    def is_end_of_run(self, task_id: str, event_id: str) -> bool:
        """Say whether that id is that of the event that ended the task's run."""
        run = self._find_run(task_id)
        if run is None or not run.log.is_ended:
            return False
        return run.log.last_number == get_number_in_run(run, event_id)

    def emit(
        self,
        task_id: str,
        step: str,
        status: ProgressStatus | str,
        message: str,
        current: int = 0,
        total: int = 0,
        *,
        run: str | None = None,
        **details: object,
    ) -> None:
        """Tell every listener, present and future, what happened.

        A status of completed or failed ends the run, unless the step is one of TRACK_STEPS. An
        event for an unknown task begins its first run, and one of the run itself begins another
        where the last has ended; a track or an end that comes after the end is dropped.

        Args:
            task_id: which task.
            step: what the run is doing.
            status: how it stands.
            message: a sentence for people.
            current: how far the run is.
            total: where it will end.
            run: the run that this belongs to; dropped if the task is in another one by now.
            details: more fields for the event's JSON.
        """
        event = ProgressEvent(
            task_id, step, ProgressStatus(status), message, current, total, details=details
        )
        with self._lock:
            is_kept = self._keep(event, run)
        if not is_kept:
            # Not debug: loggers of hosts need no more than info, warning, error and exception.
            self._logger.info("progress of %s came after its run's end: %s", task_id, message)

    def listen(
        self,
        task_id: str,
        timeout: float = 300,
        last_event_id: str | None = None,
        *,
        ids: bool = False,
    ) -> Generator[str, None, None]:
        """Follow a task: yield its run's events from the first on, then what comes.

        Args:
            task_id: which task; an unknown one is waited for.
            timeout: seconds after which the stream ends in any case.
            last_event_id: the last event that this listener has had; it continues after that. An
                id of another run, or one that is gone, brings a "reset" and the run's state.
            ids: give events their `id:` line and resets their `event:` line, which a browser
                needs and which `data: ` alone, the form of the contract, does without.

        Yields:
            Messages of a text/event-stream: "connected", events, and comments while it is
            idle. The stream ends after the run's end, the timeout, or `cleanup_task`.
        """
        deadline = self._clock() + timeout
        yield f"data: {json.dumps({'type': 'connected', 'task_id': task_id})}\n\n"
        with self._joined(task_id) as task:
            place = Place(task, last_event_id or "", ids)
            is_over = False
            while not is_over:
                frames, is_over = self._next_frames(place, deadline)
                yield from frames
                is_over = is_over or self._clock() >= deadline
                if not frames and not is_over:
                    yield KEEPALIVE

    def cleanup_task(self, task_id: str) -> None:
        """Forget a task; its listeners get what they have not had yet, and then their end."""
        with self._lock:
            task = self._tasks.pop(task_id, None)
            if task is not None:
                task.is_closed = True
                task.changed.notify_all()

    def close(self) -> None:
        """End every stream, those to come too, so that a server can stop at once."""
        with self._lock:
            self._is_closing = True
            for task in self._tasks.values():
                task.changed.notify_all()

    def _next_frames(self, place: Place, deadline: float) -> tuple[list[str], bool]:
        """Wait for frames until a keepalive or the end is due; say whether that was all."""
        task = place.task
        with self._lock:
            if not (place.is_at_end() or self._is_closing):
                wait_s = min(self._keepalive_s, deadline - self._clock())
                task.changed.wait_for(
                    lambda: place.has_news() or task.is_closed or self._is_closing,
                    max(wait_s, 0.0),
                )
            return place.take(), place.is_at_end() or self._is_closing

    @contextmanager
    def _joined(self, task_id: str) -> Iterator[Task]:
        with self._lock:
            self._forget_old()
            task = self._get_or_add(task_id)
            task.listeners += 1
        try:
            yield task
        finally:
            with self._lock:
                task.listeners -= 1
                never_ran = task.run is None and not task.listeners
                if never_ran and self._tasks.get(task_id) is task:
                    del self._tasks[task_id]

    def _get_or_add(self, task_id: str) -> Task:
        task = self._tasks.get(task_id)
        if task is None:
            task = self._tasks[task_id] = Task(task_id, threading.Condition(self._lock))
        return task

    def _begin(self, task: Task) -> TaskRun:
        task.run = TaskRun(next(self._run_ids), EventLog(self._max_events), self._clock())
        task.changed.notify_all()
        return task.run

    def _keep(self, event: ProgressEvent, run_id: str | None) -> bool:
        """Put an event into the run that it belongs to; say whether there is one."""
        task = self._tasks.get(event.task_id)
        run = task.run if task is not None else None
        if run is None or run.log.is_ended:
            is_straggler = run is not None and (event.is_end or event.is_of_track)
            if run_id is not None or is_straggler:
                return False
            task = self._get_or_add(event.task_id)
            run = self._begin(task)
        elif run_id not in (None, run.id):
            return False
        assert task is not None
        run.log.append(event)
        run.touched_at = self._clock()
        task.changed.notify_all()
        return True

    def _find_run(self, task_id: str) -> TaskRun | None:
        with self._lock:
            self._forget_old()
            task = self._tasks.get(task_id)
            return task.run if task is not None else None

    def _forget_old(self) -> None:
        now = self._clock()
        for task in list(self._tasks.values()):
            if task.run is None:
                continue
            is_ended = task.run.log.is_ended
            keep_s = self._keep_finished_s if is_ended else self._keep_silent_s
            if now - task.run.touched_at > keep_s:
                self.cleanup_task(task.id)


_shared_lock = threading.Lock()
_shared: ProgressTracker | None = None


def get_progress_tracker(logger: logging.Logger | None = None) -> ProgressTracker:
    """Return the tracker that the whole process shares.

    Args:
        logger: used if this call makes the tracker, which the first one does.
    """
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = ProgressTracker(logger)
        return _shared
