"""Renditions that failed a while ago, so that not every listener tries them again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import LiveUnavailableError


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
