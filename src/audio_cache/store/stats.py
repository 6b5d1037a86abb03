"""Statistics of a cache: what it holds and what it saves, from its directory or its index."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..quality import QUALITY_SETTINGS, QualityLevel, parse_quality
from .cache import AudioCache
from .entry import Entry, read_entry
from .partial import growing_files
from .summary import Summary, read_summary

# Reading so many takes a tenth of a second or two.
_MOST_READ: Final = 2_000


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

    The files of a large cache are not read: its index counts what comes and goes, and is set right
    by a look at the directory now and then. What is no object's counts as foreign then.

    Args:
        cache: which.
        on_entry: is called with how many entries were read, and how many there are to read.

    Raises:
        OSError: the directory can't be listed.
    """
    # Once the directory was looked at, whenever that was.
    cache.surveys.require(math.inf)
    summary = cache.facts.use(read_summary)
    if summary is not None and summary.entries > _MOST_READ:
        return _of_summary(cache, summary)
    return _read_all(cache, on_entry)


def _of_summary(cache: AudioCache, summary: Summary) -> CacheStats:
    qualities = dict.fromkeys(QUALITY_SETTINGS, QualityStats())
    for quality, each in summary.qualities.items():
        numbers = each.entries, each.size_bytes, each.source_bytes
        qualities[parse_quality(quality)] = QualityStats(*numbers)
    growing = growing_files(cache.cache_dir)
    return CacheStats(
        qualities=qualities,
        sources=summary.sources,
        source_bytes=summary.source_bytes,
        foreign=int(cache.ledger.tally("strays") or 0),
        foreign_bytes=int(cache.ledger.tally("stray_bytes") or 0),
        partials=len(growing),
        partial_bytes=sum(each.size_bytes for each in growing),
    )


def _read_all(cache: AudioCache, on_entry: Callable[[int, int], None]) -> CacheStats:
    qualities = dict.fromkeys(QUALITY_SETTINGS, QualityStats())
    facts = cache.facts.entries()
    sources: dict[str, int] = {}
    foreign = []
    entries = list(cache.entries())
    for done, path in enumerate(entries, 1):
        entry = _read(path)
        on_entry(done, len(entries))
        if entry is None:
            continue
        made = entry.identity or entry.legacy
        if made is None:
            foreign.append(entry.size_bytes)
            continue
        known = facts.get(path.name)
        source_bytes = (
            known.source_bytes if known else entry.legacy.size_bytes if entry.legacy else 0
        )
        sources[path.name.partition("_")[0]] = source_bytes
        quality = parse_quality(made.quality)
        qualities[quality] = _plus(qualities[quality], entry.size_bytes, source_bytes)
    partials = [_size(path) for path in cache.partials()]
    return CacheStats(
        qualities=qualities,
        sources=len(sources),
        source_bytes=sum(sources.values()),
        foreign=len(foreign),
        foreign_bytes=sum(foreign),
        partials=len(partials),
        partial_bytes=sum(partials),
    )


def _plus(stats: QualityStats, size_bytes: int, source_bytes: int) -> QualityStats:
    return QualityStats(
        stats.entries + 1, stats.size_bytes + size_bytes, stats.source_bytes + source_bytes
    )


def _read(path: Path) -> Entry | None:
    with contextlib.suppress(OSError):
        return read_entry(path)
    return None


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
