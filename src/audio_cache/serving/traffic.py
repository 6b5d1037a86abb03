"""How much is played, and how much of that was kept."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Final

# What the Cache-Status header says after the cache's name of what is made while it plays.
LIVE: Final = "fwd=miss; detail=live"
# What another node has made, straight from the store behind this one's directory.
SHARED: Final = "hit; detail=object-store"
_KINDS: Final = {"hit": "hits", SHARED: "hits", LIVE: "live", "fwd=miss": "misses"}
_BYTES: Final = {"hits": "hit_bytes", "bypasses": "bypass_bytes"}


@dataclass(frozen=True, slots=True)
class TrafficCount:
    """Plays by kind, and bytes: sent, by two of the kinds, and as the originals would have had.

    Of what is composed of several tracks there are the downloads that were begun, and their bytes;
    the plays know nothing of them.
    """

    hits: int = 0
    live: int = 0
    misses: int = 0
    bypasses: int = 0
    sent_bytes: int = 0
    original_bytes: int = 0
    hit_bytes: int = 0
    bypass_bytes: int = 0
    downloads: int = 0
    download_bytes: int = 0


class Traffic:
    """Thread-safe counters of plays and downloads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = asdict(TrafficCount())

    def count(
        self, cache_status: str, sent_bytes: int, original_bytes: int, *, is_play: bool = True
    ) -> None:
        """Count one answer.

        Args:
            cache_status: what the Cache-Status header says after the cache's name.
            sent_bytes: the size of the body.
            original_bytes: the size of the same part of the original.
            is_play: False for a further part of what was counted, see `ranges.is_play`.
        """
        kind = _KINDS.get(cache_status, "bypasses")
        with self._lock:
            self._counts[kind] += is_play
            self._counts["sent_bytes"] += sent_bytes
            self._counts["original_bytes"] += original_bytes
            if kind in _BYTES:
                self._counts[_BYTES[kind]] += sent_bytes

    def count_download(self, sent_bytes: int, *, begins: bool) -> None:
        """Count one answer with what was composed of tracks.

        Args:
            sent_bytes: the size of the body.
            begins: False for a further part of what was counted, see `ranges.is_play`.
        """
        with self._lock:
            self._counts["downloads"] += begins
            self._counts["download_bytes"] += sent_bytes

    def snapshot(self) -> TrafficCount:
        """Return the counts so far."""
        with self._lock:
            return TrafficCount(**self._counts)

    def add(self, more: TrafficCount) -> None:
        """Count what another process has answered."""
        with self._lock:
            for name, count in asdict(more).items():
                self._counts[name] += count

    def take(self) -> TrafficCount:
        """Return the counts so far, and begin again at 0."""
        with self._lock:
            taken = TrafficCount(**self._counts)
            self._counts = dict.fromkeys(self._counts, 0)
            return taken
