"""Statistics of a cache: what it holds and what it saves, counted from its directory."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import weakref
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from ..quality import QUALITY_SETTINGS, QualityLevel, parse_quality
from .cache import AudioCache
from .entry import ENTRY_NAME, PARTIAL_SUFFIX, read_entry

_HASH_DIGITS: Final = 32
_TICK_NS: Final = 20_000_000
_MEMO: Final = "stats"


@dataclass(frozen=True, slots=True)
class QualityStats:
    """The entries of one quality, and their sources as they were then."""

    entries: int = 0
    size_bytes: int = 0
    source_bytes: int = 0

    @property
    def saving(self) -> float:
        """Return the fraction of the traffic that is saved, from 0 to 1."""
        return max(0.0, 1 - self.size_bytes / self.source_bytes) if self.source_bytes else 0.0


@dataclass(frozen=True, slots=True)
class CacheStats:
    """The whole cache.

    Args:
        qualities: by quality.
        sources: how many different files the entries were made from.
        source_bytes: how large those were, each counted once.
        foreign: entries that audio_cache did not make; they count for no quality.
        foreign_bytes: how large those are.
        partials: unfinished files.
        partial_bytes: how large those are.
    """

    qualities: Mapping[QualityLevel, QualityStats]
    sources: int
    source_bytes: int
    foreign: int
    foreign_bytes: int
    partials: int
    partial_bytes: int

    @property
    def entries(self) -> int:
        """Return how many entries there are."""
        return self.foreign + sum(each.entries for each in self.qualities.values())

    @property
    def size_bytes(self) -> int:
        """Return how large all entries are."""
        return self.foreign_bytes + sum(each.size_bytes for each in self.qualities.values())


def gather_stats(
    cache: AudioCache, *, on_entry: Callable[[int, int], None] = lambda done, total: None
) -> CacheStats:
    """Return what a cache holds; files that vanish meanwhile are not counted.

    Entries that were counted before are not looked into again, and nothing is listed where none
    came or went since: not even by another process, as far as the index knows of it.

    Args:
        cache: which.
        on_entry: is called with how many entries were looked at, and how many there are to look at.

    Raises:
        OSError: the directory can't be listed.
    """
    with _LOCK:
        return _COUNTS.setdefault(cache, _Count(cache)).bring_up_to_date(on_entry)


@dataclass(frozen=True, slots=True)
class _Counted:
    """An entry that was looked into; `quality` is None for a foreign one."""

    inode: int
    quality: QualityLevel | None
    size_bytes: int
    source_bytes: int


class _Count:
    """What this process has counted of a cache, kept in step with what comes and goes there."""

    def __init__(self, cache: AudioCache) -> None:
        self._cache = weakref.proxy(cache)
        self._listed: dict[str, _Counted] = {}
        self._sums: dict[QualityLevel | None, Counter[str]] = defaultdict(Counter)
        self._sources: dict[str, list[int]] = {}
        self._partials: list[str] = []
        self._stats: CacheStats | None = None
        self._changed_ns = 0

    def bring_up_to_date(self, on_entry: Callable[[int, int], None]) -> CacheStats:
        facts = self._cache.facts
        changed_ns = os.stat(self._cache.cache_dir).st_mtime_ns
        if self._stats is None:
            self._stats, self._partials, self._changed_ns = _read_memo(facts.memo(_MEMO))
        if self._stats is None or changed_ns != self._changed_ns:
            self._look_at_what_is_new(on_entry)
            self._stats = self._sum_up()
            # A time that is no older than a file system's clock may still stand for another state.
            self._changed_ns = changed_ns if time.time_ns() - changed_ns > _TICK_NS else 0
            if self._changed_ns:
                facts.note_memo(_MEMO, _as_memo(changed_ns, self._partials, self._stats))
        partials = [
            *(os.path.join(self._cache.cache_dir, name) for name in self._partials),
            *self._cache.partials_being_made(),
        ]
        sizes = [_size(path) for path in partials]
        return replace(self._stats, partials=len(sizes), partial_bytes=sum(sizes))

    def _look_at_what_is_new(self, on_entry: Callable[[int, int], None]) -> None:
        new, known, self._partials = [], 0, []
        with os.scandir(self._cache.cache_dir) as listing:
            for item in listing:
                name = item.name
                before = self._listed.get(name)
                if before is not None and before.inode == item.inode():
                    known += 1
                elif ENTRY_NAME.fullmatch(name):
                    new.append(name)
                elif name.endswith(PARTIAL_SUFFIX):
                    self._partials.append(name)
        if known < len(self._listed):
            there = set(os.listdir(self._cache.cache_dir)).difference(new)
            for name in self._listed.keys() - there:
                self._count(name, self._listed.pop(name), -1)
        get_source_bytes = self._cache.facts.sizes_of_sources(new)
        for done, name in enumerate(new, 1):
            counted = _look_into(self._cache.cache_dir / name, get_source_bytes(name))
            on_entry(done, len(new))
            if counted is not None:
                self._listed[name] = counted
                self._count(name, counted, 1)

    def _count(self, name: str, each: _Counted, sign: int) -> None:
        total = self._sums[each.quality]
        total["entries"] += sign
        total["size_bytes"] += sign * each.size_bytes
        total["source_bytes"] += sign * each.source_bytes
        if each.quality is not None:
            # The qualities of a source share its hash.
            source = self._sources.setdefault(name[:_HASH_DIGITS], [0, each.source_bytes])
            source[0] += sign
            if source[0] == 0:
                del self._sources[name[:_HASH_DIGITS]]

    def _sum_up(self) -> CacheStats:
        foreign = self._sums[None]
        return CacheStats(
            qualities={each: QualityStats(**self._sums[each]) for each in QUALITY_SETTINGS},
            sources=len(self._sources),
            source_bytes=sum(size_bytes for _, size_bytes in self._sources.values()),
            foreign=foreign["entries"],
            foreign_bytes=foreign["size_bytes"],
            partials=0,
            partial_bytes=0,
        )


def _look_into(path: Path, known_bytes: int | None) -> _Counted | None:
    with contextlib.suppress(OSError):
        inode, entry = os.lstat(path).st_ino, read_entry(path)
        if entry is None:
            return None
        made = entry.identity or entry.legacy
        if made is None:
            return _Counted(inode, None, entry.size_bytes, 0)
        stated = entry.legacy.size_bytes if entry.legacy else 0
        source_bytes = stated if known_bytes is None else known_bytes
        return _Counted(inode, parse_quality(made.quality), entry.size_bytes, source_bytes)
    return None


def _as_memo(changed_ns: int, partials: list[str], stats: CacheStats) -> str:
    """Return what was counted as a text, for other processes."""
    return json.dumps({"changed_ns": changed_ns, "partials": partials, "stats": asdict(stats)})


def _read_memo(memo: str) -> tuple[CacheStats | None, list[str], int]:
    """Return what another process has counted, and when the directory had changed by then."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        noted = json.loads(memo)
        stats = noted["stats"]
        stats["qualities"] = {
            level: QualityStats(**numbers) for level, numbers in stats["qualities"].items()
        }
        if list(stats["qualities"]) == list(QUALITY_SETTINGS):
            return CacheStats(**stats), noted["partials"], noted["changed_ns"]
    return None, [], 0


def _size(path: str | os.PathLike[str]) -> int:
    with contextlib.suppress(OSError):
        return os.stat(path).st_size
    return 0


_LOCK: Final = threading.Lock()
_COUNTS: Final[weakref.WeakKeyDictionary[AudioCache, _Count]] = weakref.WeakKeyDictionary()
