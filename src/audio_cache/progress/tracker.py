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
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Self

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
        if not self._keep(event, run):
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
        with closing(self.follow(task_id, timeout, last_event_id, ids=ids)) as frames:
            yield from frames

    def follow(
        self,
        task_id: str,
        timeout: float = 300,
        last_event_id: str | None = None,
        *,
        ids: bool = False,
    ) -> Frames:
        """Return what `listen` yields, as an iterator that also says when its next is due.

        Args:
            task_id: as for `listen`.
            timeout: as for `listen`.
            last_event_id: as for `listen`.
            ids: as for `listen`.
        """
        return Frames(self, task_id, timeout, last_event_id or "", ids)

    def cleanup_task(self, task_id: str) -> None:
        """Forget a task; its listeners get what they have not had yet, and then their end."""
        with self._lock:
            task = self._tasks.pop(task_id, None)
            if task is not None:
                task.is_closed = True
                task.tell()

    def close(self) -> None:
        """End every stream, those to come too, so that a server can stop at once."""
        with self._lock:
            self._is_closing = True
            for task in self._tasks.values():
                task.tell()

    def _join(self, task_id: str) -> Task:
        with self._lock:
            self._forget_old()
            task = self._get_or_add(task_id)
            task.listeners += 1
            return task

    def _leave(self, task: Task, frames: Frames) -> None:
        with self._lock:
            task.listeners -= 1
            task.wakers.pop(frames, None)
            never_ran = task.run is None and not task.listeners
            if never_ran and self._tasks.get(task.id) is task:
                del self._tasks[task.id]

    def _get_or_add(self, task_id: str) -> Task:
        task = self._tasks.get(task_id)
        if task is None:
            task = self._tasks[task_id] = Task(task_id, threading.Condition(self._lock))
        return task

    def _begin(self, task: Task) -> TaskRun:
        task.run = TaskRun(next(self._run_ids), EventLog(self._max_events), self._clock())
        task.tell()
        return task.run

    def _keep(self, event: ProgressEvent, run_id: str | None) -> bool:
        """Put an event into the run that it belongs to; say whether there is one."""
        with self._lock:
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
            task.tell()
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


class Frames:
    """The messages of one listener's stream; see `ProgressTracker.listen`.

    Like a generator it waits for its next item. Servers that have no thread to spare for that
    ask `is_due` before, and are woken by `call_when_due`.
    """

    def __init__(
        self, tracker: ProgressTracker, task_id: str, timeout: float, last_event_id: str, ids: bool
    ) -> None:
        self._tracker = tracker
        self._task_id = task_id
        self._last_event_id = last_event_id
        self._ids = ids
        self._ends_at = tracker._clock() + timeout
        self._alive_at = tracker._clock()
        self._place: Place | None = None
        self._frames = deque([f"data: {json.dumps({'type': 'connected', 'task_id': task_id})}\n\n"])
        self._is_over = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        while not self._frames:
            if self._is_over:
                self.close()
                raise StopIteration
            self._take()
        self._alive_at = self._tracker._clock()
        return self._frames.popleft()

    def is_due(self) -> bool:
        """Say whether the next item, or the end, would come at once."""
        if self._frames or self._is_over or self.due_in_s() <= 0:
            return True
        place = self._join()
        with self._tracker._lock:
            return self._has_news(place)

    def due_in_s(self) -> float:
        """Return the seconds until an item is due even if nothing happens."""
        at = min(self._alive_at + self._tracker._keepalive_s, self._ends_at)
        return max(0.0, at - self._tracker._clock())

    def call_when_due(self, wake: Callable[[], None]) -> None:
        """Call `wake` when something has happened, at once if it has; from any thread."""
        place = self._join()
        with self._tracker._lock:
            if not self._has_news(place):
                place.task.wakers[self] = wake
                return
        wake()

    def close(self) -> None:
        """Leave the task."""
        self._is_over = True
        self._frames.clear()
        place, self._place = self._place, None
        if place is not None:
            self._tracker._leave(place.task, self)

    def _join(self) -> Place:
        if self._place is None:
            task = self._tracker._join(self._task_id)
            self._place = Place(task, self._last_event_id, self._ids)
        return self._place

    def _has_news(self, place: Place) -> bool:
        is_closing = place.task.is_closed or self._tracker._is_closing
        return is_closing or place.has_news() or place.is_at_end()

    def _take(self) -> None:
        """Wait for frames until a keepalive or the end is due."""
        tracker, place = self._tracker, self._join()
        with tracker._lock:
            place.task.changed.wait_for(lambda: self._has_news(place), self.due_in_s())
            self._frames.extend(place.take())
            self._is_over = place.is_at_end() or tracker._is_closing
        self._is_over = self._is_over or tracker._clock() >= self._ends_at
        if not self._frames and not self._is_over:
            self._frames.append(KEEPALIVE)


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
