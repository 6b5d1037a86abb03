"""What was served, and what it would have been without the cache: the counters of one process."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Final

_KINDS: Final = {"hit": "hits", "fwd=miss; detail=live": "live", "fwd=miss": "misses"}


@dataclass(frozen=True, slots=True)
class TrafficCount:
    """Plays answered by kind, and bytes: those of the answers, and those of the same originals."""

    hits: int = 0
    live: int = 0
    misses: int = 0
    bypasses: int = 0
    sent_bytes: int = 0
    original_bytes: int = 0


class Traffic:
    """Thread-safe counters of plays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = asdict(TrafficCount())

    def count(self, cache_status: str, sent_bytes: int, original_bytes: int) -> None:
        """Count one answer.

        Args:
            cache_status: what the Cache-Status header says behind the cache's name.
            sent_bytes: the size of the body.
            original_bytes: what the same stretch of the original would have taken.
        """
        kind = _KINDS.get(cache_status, "bypasses")
        with self._lock:
            self._counts[kind] += 1
            self._counts["sent_bytes"] += sent_bytes
            self._counts["original_bytes"] += original_bytes

    def snapshot(self) -> TrafficCount:
        """Return the counts so far."""
        with self._lock:
            return TrafficCount(**self._counts)
