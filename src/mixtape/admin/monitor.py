"""A watch over the cache from a thread of its own, so that no request walks its directory."""

from __future__ import annotations

import shutil
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from audio_cache import CacheStats, Stock, Usage, gather_stats, running_count, take_stock
from audio_cache.flask_ext import AudioCacheState

from .history import History, Sample

SAMPLE_EVERY_S: Final = 10.0
COUNT_EVERY_S: Final = 30.0
# Counting a huge cache takes seconds; at most one part in fifty of the time goes into it.
_REST_PER_COUNT: Final = 50


@dataclass(frozen=True, slots=True)
class Census:
    """What the cache directory held when it was last counted.

    Args:
        stats: what it held.
        at_s: when, in seconds since the epoch.
        took_s: how long counting took.
        directory_ns: the dates of the directory then, which each new or deleted file changes.
    """

    stats: CacheStats
    at_s: float
    took_s: float
    directory_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """The stock of the cache as it was last taken.

    Args:
        stock: what it was.
        at_s: when, in seconds since the epoch.
        took_s: how long that took.
    """

    stock: Stock
    at_s: float
    took_s: float


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk, and how much of it is free."""

    total_bytes: int
    free_bytes: int


class Monitor:
    """Counts the cache from time to time and takes the samples of a history.

    Args:
        state: the cache and what plays from it.
        now: the clock, in seconds since the epoch.
    """

    def __init__(self, state: AudioCacheState, now: Callable[[], float] = time.time) -> None:
        self.state = state
        self.history = History()
        self.started_at_s = now()
        self.now = now
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._census: Census | None = None
        self._inventory: Inventory | None = None
        self._must_count = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch, unless that has begun; the thread ends when the monitor is forgotten."""
        with self._lock:
            if self._thread is not None:
                return
            # The thread must not keep the monitor alive, or no application could ever end.
            weakref.finalize(self, self._wake.set)
            self._thread = threading.Thread(
                target=_watch, args=(weakref.ref(self), self._wake), name="monitor", daemon=True
            )
            self._thread.start()

    def census(self) -> Census:
        """Return the last count of the cache; the first one is made on the spot."""
        return self._census or self._count()

    def stock(self) -> Stock:
        """Return the stock of the cache as it was last taken; the first is taken on the spot."""
        return (self._inventory or self._take_stock()).stock

    def recount(self) -> None:
        """Have the cache counted soon, because much of it has changed."""
        self._must_count = True
        self._wake.set()

    def look(self) -> None:
        """Take stock and count the cache if it is time to, and take a sample."""
        last = self._inventory
        if last is None or not 0 <= self.now() - last.at_s < _REST_PER_COUNT * last.took_s:
            self._take_stock()
        if self._must_count or self._is_count_due():
            self._must_count = False
            self._count()
        self.history.add(self.sample())

    def sample(self) -> Sample:
        """Return the state of this moment."""
        stock = self.stock()
        return Sample(
            at_s=self.now(),
            **asdict(self.state.playback.traffic.snapshot()),
            encoders=running_count(),
            cache_bytes=self.census().stats.size_bytes,
            free_bytes=self.disk().free_bytes,
            used_bytes=stock.usage.used_bytes,
            pinned_bytes=stock.pinned_bytes,
            cap_bytes=stock.usage.cap_bytes,
            evicted_bytes=stock.evicted_bytes,
        )

    def disk(self) -> Disk:
        """Return the disk that the cache is on; zeros where the directory is gone."""
        try:
            usage = shutil.disk_usage(self.state.cache.cache_dir)
        except OSError:
            return Disk(0, 0)
        return Disk(usage.total, usage.free)

    def _is_count_due(self) -> bool:
        last = self._census
        if last is None:
            return True
        age_s = self.now() - last.at_s
        if 0 <= age_s < max(COUNT_EVERY_S, _REST_PER_COUNT * last.took_s):
            return False
        # Entries come and go by name. Only what is being made grows without a sign of it.
        return bool(last.stats.partials) or last.directory_ns != self.state.cache.changed_ns()

    def _take_stock(self) -> Inventory:
        with self._counting:
            began = time.monotonic()
            try:
                stock = take_stock(self.state.cache)
            except OSError as error:
                self.state.cache.logger.warning("cannot take stock of the cache: %s", error)
                stock = Stock(Usage(None, 0, 0, 0))
            self._inventory = Inventory(stock, self.now(), time.monotonic() - began)
            return self._inventory

    def _count(self) -> Census:
        with self._counting:
            directory_ns, began = self.state.cache.changed_ns(), time.monotonic()
            try:
                stats = gather_stats(self.state.cache)
            except OSError as error:
                self.state.cache.logger.warning("cannot count what the cache holds: %s", error)
                stats = CacheStats({}, 0, 0, 0, 0, 0, 0)
            took_s = time.monotonic() - began
            self._census = Census(stats, self.now(), took_s, directory_ns)
            return self._census


def _watch(reference: weakref.ref[Monitor], wake: threading.Event) -> None:
    while (monitor := reference()) is not None:
        try:
            monitor.look()
        except Exception:
            monitor.state.cache.logger.exception("watching the cache failed")
        del monitor
        wake.wait(SAMPLE_EVERY_S)
        wake.clear()
