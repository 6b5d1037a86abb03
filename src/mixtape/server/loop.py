"""One thread that waits for many things: sockets, times, and what other threads tell."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import queue
import selectors
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

Call = Callable[[], None]
_WAITS_AT_MOST_S: Final = 1.0


class Timer:
    """Something that is done at a time, unless it is called off."""

    def __init__(self, at: float, call: Call) -> None:
        self.at = at
        self.call: Call | None = call

    def call_off(self) -> None:
        """Let it not be done."""
        self.call = None


class Loop:
    """Does what is due; of all its methods only `tell` is for other threads.

    Args:
        logger: is told what fails, which ends nothing else.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._selector = selectors.DefaultSelector()
        self._told: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        read_end, self._wake = os.pipe()
        for end in (read_end, self._wake):
            os.set_blocking(end, False)
        self.watch_pipe(read_end)

    def watch_pipe(self, read_end: int) -> None:
        """Let a pipe wake the loop; what is written into it counts for nothing."""
        self.watch(read_end, selectors.EVENT_READ, partial(_empty, read_end))

    def watch(self, what: Any, events: int, call: Call) -> None:
        """Do something whenever a socket or a descriptor is ready, in place of what was done."""
        if _number_of(what) in self._selector.get_map():
            self._selector.modify(what, events, call)
        else:
            self._selector.register(what, events, call)

    def unwatch(self, what: Any) -> None:
        """Do nothing any more when it is ready; it may be closed already."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(what)

    def at(self, when: float, call: Call) -> Timer:
        """Do something at a time of the monotonic clock."""
        timer = Timer(when, call)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def tell(self, call: Call) -> None:
        """Have something done by this loop's thread; from any thread."""
        self._told.put(call)
        with contextlib.suppress(OSError):
            os.write(self._wake, b"\0")  # a full pipe wakes as well

    def turn(self) -> None:
        """Wait until something happens, a second at most, and do what is due."""
        wait_s = _WAITS_AT_MOST_S
        if self._timers:
            wait_s = min(wait_s, max(0.0, self._timers[0][0] - time.monotonic()))
        watched = self._selector.get_map()
        for key, _ in self._selector.select(wait_s):
            # What was done for another may have ended or changed this one.
            if watched.get(key.fd) is key:
                self._do(key.data)
        for _ in range(self._told.qsize()):
            self._do(self._told.get())
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.call is not None:
                self._do(timer.call)

    def _do(self, call: Call) -> None:
        try:
            call()
        except Exception:
            # One client's trouble, which may not become everybody's.
            self._logger.exception("a connection could not be served")


def _number_of(what: Any) -> int:
    return what if isinstance(what, int) else int(what.fileno())


def _empty(pipe: int) -> None:
    with contextlib.suppress(OSError):
        os.read(pipe, 4096)


def in_seconds(seconds: float) -> float:
    """Return the time of the monotonic clock so many seconds from now."""
    return time.monotonic() + seconds
