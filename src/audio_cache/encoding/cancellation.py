"""A switch that ends one piece of work, with all ffmpegs that run for it."""

from __future__ import annotations

import threading
import weakref

from ..errors import EncodeInterruptedError
from .ffmpeg import FFmpegRun


class Cancellation:
    """A switch that ends one piece of work for good: its ffmpegs, present and future."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        # Weak, since nobody reports the end of a run, after which it is of no interest.
        self._runs: weakref.WeakSet[FFmpegRun] = weakref.WeakSet()

    @property
    def is_set(self) -> bool:
        """Say whether the work was interrupted."""
        return self._event.is_set()

    def set(self) -> None:
        """End the ffmpegs; whoever reads from them gets an EncodeInterruptedError."""
        with self._lock:
            self._event.set()
            runs = list(self._runs)
        for run in runs:
            run.kill()

    def hold(self, run: FFmpegRun) -> None:
        """Remember an ffmpeg that was started; if the work is over, end it at once."""
        with self._lock:
            self._runs.add(run)
            is_over = self._event.is_set()
        if is_over:
            run.kill()

    def stand_back(self, nice: int) -> None:
        """Make the ffmpegs that are running yield the processor to others, as nice(1) does."""
        with self._lock:
            runs = list(self._runs)
        for run in runs:
            run.stand_back(nice)

    def pause(self, seconds: float) -> None:
        """Wait for a while.

        Raises:
            EncodeInterruptedError: the work was interrupted, before or during the wait.
        """
        if self._event.wait(seconds):
            raise EncodeInterruptedError("the work was cancelled")
