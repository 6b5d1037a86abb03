"""Short-lived notes of live playing: who seeks at the moment, and what failed a while ago."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from .errors import LiveUnavailableError
from .ffmpeg import Run


class Seek:
    """The encoder that one listener's jump ahead may have, until it is done or taken over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._ended = False

    def hold(self, run: Run) -> None:
        """Take note of the ffmpeg that encodes for this seek."""
        with self._lock:
            self._run = run
            if self._ended:
                run.kill()

    def end(self) -> None:
        """End the ffmpeg; the stream that reads it goes on from the growing file."""
        with self._lock:
            self._ended = True
            if self._run is not None:
                self._run.kill()


class Seeks:
    """The seeks under way: one per listener and rendition, the newest, so that none pile up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[tuple[str, Path], Seek] = {}
        self._all: set[Seek] = set()

    def begin(self, key: tuple[str, Path]) -> Seek:
        """Return a new seek of a listener, after ending the one before it.

        A listener without a name ("") is taken for a different one each time.
        """
        seek = Seek()
        with self._lock:
            before = self._newest.get(key) if key[0] else None
            self._all.add(seek)
            if key[0]:
                self._newest[key] = seek
        if before is not None:
            before.end()
        return seek

    def finish(self, key: tuple[str, Path], seek: Seek) -> None:
        """Forget a seek whose encoder is gone."""
        with self._lock:
            self._all.discard(seek)
            if self._newest.get(key) is seek:
                del self._newest[key]

    def count(self) -> int:
        """Return how many seeks are under way."""
        with self._lock:
            return len(self._all)

    def end_all(self) -> None:
        """End the encoders of all seeks, as a shutdown does."""
        with self._lock:
            seeks = list(self._all)
        for seek in seeks:
            seek.end()


class Failures:
    """Which renditions could not be made a while ago, so that not every listener tries again."""

    def __init__(self, remembered_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._remembered_s = remembered_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[tuple[Path, str], tuple[float, str]] = {}

    def add(self, key: tuple[Path, str], error: Exception) -> None:
        """Remember a failure, and forget those that are over."""
        now = self._clock()
        with self._lock:
            kept = {k: v for k, v in self._failed.items() if now - v[0] < self._remembered_s}
            self._failed = {**kept, key: (now, str(error))}

    def check(self, key: tuple[Path, str]) -> None:
        """Raise LiveUnavailableError where a rendition failed not long ago, with the reason."""
        with self._lock:
            failed = self._failed.get(key)
        if failed is not None and self._clock() - failed[0] < self._remembered_s:
            raise LiveUnavailableError(f"it failed a while ago: {failed[1]}")
