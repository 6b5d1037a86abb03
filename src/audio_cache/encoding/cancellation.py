"""Ending or slowing a piece of work that has ffmpegs in several threads, from any thread."""

from __future__ import annotations

import threading
import weakref

from ..errors import EncodeInterruptedError
from .ffmpeg import FFmpegRun


class Cancellation:
    """What ends one piece of work for good: the ffmpegs that it runs now and those to come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        # Weak, since a run that is over is of no interest any more and nobody reports it.
        self._runs: weakref.WeakSet[FFmpegRun] = weakref.WeakSet()

    @property
    def is_set(self) -> bool:
        """Say whether the work was interrupted."""
        return self._event.is_set()

    def set(self) -> None:
        """End the ffmpegs; who reads them gets an EncodeInterruptedError."""
        with self._lock:
            self._event.set()
            runs = list(self._runs)
        for run in runs:
            run.kill()

    def hold(self, run: FFmpegRun) -> None:
        """Take note of an ffmpeg that was started; it is ended at once where the work is over."""
        with self._lock:
            self._runs.add(run)
            is_over = self._event.is_set()
        if is_over:
            run.kill()

    def stand_back(self, nice: int) -> None:
        """Let the ffmpegs that run now leave the processor to others, as nice(1) does."""
        with self._lock:
            runs = list(self._runs)
        for run in runs:
            run.stand_back(nice)

    def pause(self, seconds: float) -> None:
        """Wait for a while.

        Raises:
            EncodeInterruptedError: the work was interrupted before or meanwhile.
        """
        if self._event.wait(seconds):
            raise EncodeInterruptedError("the work was cancelled")
