"""The tracker whose events all nodes see: runs are Redis Streams, and news of them are published.

A run's events stand in a stream under their numbers, `1-0`, `2-0` and so on, so the id that a
listener had last names the same event on every node. What decides where an event belongs is one
script, which Redis runs as a whole. A node keeps a copy of the runs that its listeners follow.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Final, cast

import redis

from ..progress.events import EventLog, LogEntry, ProgressEvent
from ..progress.listener import Task, TaskRun
from ..progress.tracker import Frames, ProgressTracker
from .redis_client import connect
from .redis_scripts import BEGIN, EMIT

NEWS: Final = "audio-cache:news"
_PREFIX: Final = "audio-cache:progress"
_ONCE: Final = "audio-cache:once"
_ANSWERS_WITHIN_S: Final = 2.0
# News that a connection has lost without a word are looked for so often.
_LOOKS_EVERY_S: Final = 30.0
_TRIES_AGAIN_IN_S: Final = 0.25
_HEARS_WITHIN_S: Final = 0.2
# Who still has to get the last events of a task that was forgotten needs them for a moment.
_FORGOTTEN_MS: Final = 60_000


class RedisProgressTracker(ProgressTracker):
    """Keep the events of every task where all nodes see them.

    While Redis is away, events wait in order until it is back; listeners hear nothing new.

    Args:
        url: of the Redis, such as `redis://host:6379/0`.
        logger: as for ProgressTracker.
        options: as for ProgressTracker; no clock, as Redis has one.
    """

    def __init__(self, url: str, logger: logging.Logger | None = None, **options: Any) -> None:
        super().__init__(logger, **options)
        self._redis = connect(url)
        self._emit_script = self._redis.register_script(EMIT)
        self._begin_script = self._redis.register_script(BEGIN)
        self._name = secrets.token_hex(8)
        # With the token that lets each be written once.
        self._unsent: deque[tuple[ProgressEvent, str | None, str]] = deque()
        self._sending = threading.Lock()
        # What is read later is newer. Taken before the lock of all, never within it.
        self._reading = threading.RLock()
        self._ended = threading.Event()
        self._ear: threading.Thread | None = None
        self._is_hearing = threading.Event()

    def create_task(self, task_id: str) -> str:
        """Begin a new run of a task, as ProgressTracker does; on all nodes.

        Raises:
            redis.RedisError: it is not there, and has not come back within seconds.
        """
        return self._begin_run(task_id, "create")

    def get_run(self, task_id: str) -> str:
        """Return the id of the run that the task is in, beginning one if there is none.

        Raises:
            redis.RedisError: as `create_task`.
        """
        return self._begin_run(task_id, "get")

    def has_task(self, task_id: str) -> bool:
        """Say whether a run of that task is in progress, or ended recently on any node.

        Where Redis is away there may be one, so a listener waits.
        """
        try:
            return bool(self._redis.exists(_key(task_id)))
        except redis.RedisError as error:
            self._logger.warning("cannot ask Redis for the run of %s: %s", task_id, error)
            return True

    def is_running(self, task_id: str) -> bool:
        """Say whether a run of that task has begun and not ended on any node."""
        return self._ask(task_id)[1] == "0"

    def is_end_of_run(self, task_id: str, event_id: str) -> bool:
        """Say whether that id is that of the event that ended the task's run."""
        run, ended, last = self._ask(task_id)
        return ended == "1" and event_id == f"{run}-{last}"

    def cleanup_task(self, task_id: str) -> None:
        """Forget a task; listeners on all nodes get what they have not had, and then their end."""
        self._send_unsent()
        key = _key(task_id)
        run, _, last = self._ask(task_id)
        if run is not None:
            with contextlib.suppress(redis.RedisError):
                self._redis.delete(key)
                self._redis.pexpire(f"{key}:{run}", _FORGOTTEN_MS)
        self._tell_others(task_id, run=run or "", last=last or "0", over=self._name)
        self._close_task(task_id, run, int(last or 0))

    def close(self) -> None:
        """End every stream of this node.

        A signal may call it in the middle of anything, so nothing here waits; `leave` does.
        """
        super().close()
        self._ended.set()

    def leave(self, timeout_s: float = 5.0) -> None:
        """End every stream of this node, and close all connections."""
        self.close()
        if self._ear is not None:
            self._ear.join(timeout_s)
        with contextlib.suppress(redis.RedisError):
            self._redis.close()

    # Events

    def _begin_run(self, task_id: str, how: str) -> str:
        self._send_unsent()
        keys, new = [_key(task_id)], secrets.token_hex(8)
        answer: Any = self._begin_script(keys, [new, how, _ms(self._keep_silent_s)])
        run, is_new = answer
        if is_new:
            self._tell_others(task_id)
            self._follow_up(task_id)
        return cast(str, run)

    def _keep(self, event: ProgressEvent, run_id: str | None) -> bool:
        with self._sending:
            # In the order of their coming, whatever it takes.
            token = secrets.token_hex(8)
            is_taken = None if self._unsent else self._write(event, run_id, token)
            if is_taken is None:
                self._unsent.append((event, run_id, token))
                if len(self._unsent) == 1:
                    threading.Thread(target=self._send_later, daemon=True).start()
            return is_taken is not False

    def _write(self, event: ProgressEvent, run_id: str | None, token: str) -> bool | None:
        """Write an event, once; say whether a run took it, None where Redis is away."""
        is_straggler = event.is_end or event.is_of_track
        arguments = (
            *(run_id or "", secrets.token_hex(8), int(is_straggler), int(event.is_end)),
            *(event.to_sse(), json.dumps(event.subject), self._max_events),
            *(_ms(self._keep_silent_s), _ms(self._keep_finished_s)),
            *(NEWS, json.dumps({"task": event.task_id})),
        )
        keys = [_key(event.task_id), f"{_ONCE}:{token}"]
        try:
            is_taken = self._emit_script(keys, arguments) is not None
        except redis.RedisError as error:
            if not self._unsent:
                self._logger.warning("progress waits for Redis: %s", error)
            return None
        if is_taken:
            self._follow_up(event.task_id)
        return is_taken

    def _send_later(self) -> None:
        try:
            while not self._send_unsent() and not self._ended.wait(_TRIES_AGAIN_IN_S):
                pass
        except Exception:
            self._logger.exception("progress could not be told")

    def _send_unsent(self) -> bool:
        """Write the events that waited; say whether none are left."""
        with self._sending:
            while self._unsent:
                if self._write(*self._unsent[0]) is None:
                    return False
                self._unsent.popleft()
            return True

    def _tell_others(self, task_id: str, **more: object) -> None:
        with contextlib.suppress(redis.RedisError):
            self._redis.publish(NEWS, json.dumps({"task": task_id, **more}))

    def _ask(self, task_id: str) -> tuple[str | None, str | None, str | None]:
        try:
            run, ended, last = cast(
                "list[str | None]", self._redis.hmget(_key(task_id), ["run", "ended", "last"])
            )
        except redis.RedisError as error:
            self._logger.warning("cannot ask Redis for the run of %s: %s", task_id, error)
            return None, None, None
        return run, ended, last

    # Listeners

    def _join(self, task_id: str) -> Task:
        self._hear()
        with self._lock:
            task = self._get_or_add(task_id)
            is_first = not task.listeners
            task.listeners += 1
        if is_first:
            self._follow_up(task_id)
        return task

    def _leave(self, task: Task, frames: Frames) -> None:
        with self._lock:
            task.listeners -= 1
            task.wakers.pop(frames, None)
            # The copy is for listeners of this node.
            if not task.listeners and self._tasks.get(task.id) is task:
                del self._tasks[task.id]

    def _forget_old(self) -> None:
        """Do nothing: Redis forgets by itself."""

    def _hear(self) -> None:
        """Begin to hear what other nodes tell; return when that has begun, or Redis is away."""
        with self._lock:
            if self._ended.is_set():
                return
            if self._ear is None:
                self._ear = threading.Thread(target=self._listen, name="news", daemon=True)
                self._ear.start()
        self._is_hearing.wait(_ANSWERS_WITHIN_S)

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                with self._redis.pubsub(  # type: ignore[no-untyped-call]
                    ignore_subscribe_messages=True
                ) as news:
                    news.subscribe(NEWS)
                    news.get_message(timeout=_ANSWERS_WITHIN_S)
                    self._is_hearing.set()
                    # What was told before, nobody has heard.
                    for task_id in self._followed():
                        self._follow_up(task_id)
                    looks_at = time.monotonic() + _LOOKS_EVERY_S
                    while not self._ended.is_set():
                        message = news.get_message(timeout=_HEARS_WITHIN_S)
                        if message is not None:
                            self._hear_news(json.loads(message["data"]))
                        elif time.monotonic() > looks_at:
                            break
            except redis.RedisError as error:
                self._is_hearing.clear()
                self._logger.warning("news of other nodes wait for Redis: %s", error)
                self._ended.wait(_TRIES_AGAIN_IN_S)

    def _followed(self) -> list[str]:
        with self._lock:
            return list(self._tasks)

    def _hear_news(self, told: dict[str, Any]) -> None:
        who = told.get("over")
        if who is None:
            self._follow_up(told["task"])
        elif who != self._name:
            self._close_task(told["task"], told["run"] or None, int(told["last"]))

    def _follow_up(self, task_id: str) -> None:
        """Bring the copy of a task's run up to date, if anybody here listens to it."""
        with self._reading:
            task = self._followed_task(task_id)
            run = self._ask(task_id)[0] if task is not None else None
            if task is not None and run is not None:
                self._bring(task, run)

    def _close_task(self, task_id: str, run: str | None, last: int) -> None:
        """End the streams of a forgotten task once they have all of it."""
        with self._reading:
            task = self._followed_task(task_id)
            if task is None or (run is not None and task.run is None):
                return  # nobody is here, or who came after it was forgotten
            if run is not None and last:
                self._bring(task, run)
            with self._lock:
                if self._tasks.get(task_id) is task:
                    del self._tasks[task_id]
                task.is_closed = True
                task.tell()

    def _followed_task(self, task_id: str) -> Task | None:
        with self._lock:
            return self._tasks.get(task_id)

    def _bring(self, task: Task, run: str) -> None:
        """Bring what is missing of a run."""
        known = task.run
        number = known.log.last_number if known is not None and known.id == run else 0
        try:
            entries, kept = self._read(task.id, run, number)
        except redis.RedisError as error:
            self._logger.warning("cannot read the events of %s: %s", task.id, error)
            return
        with self._lock:
            self._take(task, run, entries, kept)

    def _read(
        self, task_id: str, run: str, number: int
    ) -> tuple[list[tuple[LogEntry, bool]], list[LogEntry]]:
        """Return a run's events after a number, and what is left of earlier ones if some miss."""
        key = f"{_key(task_id)}:{run}"
        found: Any = self._redis.xrange(key, min=f"({number}-0")
        entries = [(_entry(event_id, fields), fields["end"] == "1") for event_id, fields in found]
        if not entries or entries[0][0].number == number + 1:
            return entries, []
        kept = cast("dict[str, str]", self._redis.hgetall(f"{key}:kept"))
        return entries, sorted(_kept(kept), key=lambda entry: entry.number)

    def _take(
        self,
        task: Task,
        run: str,
        entries: list[tuple[LogEntry, bool]],
        kept: list[LogEntry],
    ) -> None:
        if task.run is None or task.run.id != run:
            task.run = TaskRun(run, EventLog(self._max_events), self._clock())
            task.tell()
        log = task.run.log
        for entry, is_end in entries:
            if entry.number > log.last_number + 1:
                log.restore(kept, entry.number - 1)
            log.keep(entry, is_end=is_end)
        if entries:
            task.tell()


def _key(task_id: str) -> str:
    return f"{_PREFIX}:{{{task_id}}}"


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _entry(event_id: str, fields: dict[str, str]) -> LogEntry:
    subject = tuple(json.loads(fields["subject"]))
    return LogEntry(int(event_id.partition("-")[0]), fields["frame"], cast(Any, subject))


def _kept(kept: dict[str, str]) -> Iterator[LogEntry]:
    for subject, text in kept.items():
        number, _, frame = text.partition(" ")
        yield LogEntry(int(number), frame, cast(Any, tuple(json.loads(subject))))
