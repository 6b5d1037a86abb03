"""The threads that encode: a fixed number, whatever the number of batches."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from ..store.assembly import Assembly
from .batch import Batch


class WorkerPool:
    """Threads that encode the tracks of batches, one batch's turn after the other's.

    If fewer tracks than threads remain, the idle ones help to encode the long tracks.

    Args:
        size: how many threads, and so how many ffmpegs at once.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"{size} workers cannot encode anything: give 1 or more")
        self.size = size
        self.changed = threading.Condition()
        self._batches: deque[Batch] = deque()
        self._assemblies: list[Assembly] = []
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    def add(self, batch: Batch) -> None:
        """Take on a batch that has `changed` of this pool.

        Raises:
            RuntimeError: the pool is closed.
        """
        with self.changed:
            if self._is_closed:
                raise RuntimeError("the workers have stopped: nothing more can be encoded")
            self._batches.append(batch)
            while len(self._threads) < self.size:
                # Daemons, so that an interpreter that ends waits for nobody: the kernel ends the
                # ffmpegs with their threads, and what they made is resumed the next time.
                thread = threading.Thread(target=self._work, name="audio-cache", daemon=True)
                self._threads.append(thread)
                thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Cancel what is left, and wait for the threads to end."""
        with self.changed:
            self._is_closed = True
            batches = list(self._batches)
            self.changed.notify_all()
        for batch in batches:
            batch.cancel()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while (job := self._wait_for_job()) is not None:
            job()

    def _wait_for_job(self) -> Callable[[], None] | None:
        with self.changed:
            while not self._is_closed:
                job = self._find_job()
                if job is not None:
                    return job
                self.changed.wait()
            return None

    def _find_job(self) -> Callable[[], None] | None:
        # Each that is as urgent in its turn: the sort keeps their order.
        for batch in sorted(self._batches, key=lambda each: not each.is_urgent):
            track = batch.take()
            self._batches.remove(batch)
            if track is not None or not batch.is_over:
                self._batches.append(batch)
            if track is not None:
                return partial(batch.encode, track, self._share)
        if all(batch.is_sifted for batch in self._batches):
            for assembly in self._assemblies:
                if assembly.wants_help():
                    return lambda: assembly.help(self._is_idle)
        return None

    def _is_idle(self) -> bool:
        return not any(batch.has_waiting for batch in list(self._batches))

    @contextlib.contextmanager
    def _share(self, assembly: Assembly) -> Iterator[None]:
        """Let idle threads help with an assembly."""
        with self.changed:
            self._assemblies.append(assembly)
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self._assemblies.remove(assembly)
