"""The outlook of a cache: what would be evicted next, and what other sizes would have given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .directory import CacheDirectory
from .ledger import Holding
from .policy import DecayingPlays
from .replay import HitRate, RecordedPlay, hit_rate
from .room import Usage

_PARTS_OF_ALL = (0.05, 0.1, 0.25, 0.5, 1.0)
_PARTS_OF_CAP = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Leaving:
    """An object that would go, with the sources and the quality that it has, as far as known."""

    holding: Holding
    sources: tuple[Path, ...]
    quality: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a cache may expect.

    Args:
        usage: what is taken of what there is.
        pinned_bytes: of objects that do not go.
        next: what would go first, in this order.
        plays: how many plays are on record.
        rates: by size in bytes, what a cache of that size would have held of them.
    """

    usage: Usage
    pinned_bytes: int
    next: tuple[Leaving, ...]
    plays: int
    rates: dict[int, HitRate]


def look_ahead(cache: CacheDirectory, count: int, sizes_bytes: Sequence[int] = ()) -> Outlook:
    """Return the outlook of a cache; nothing is evicted.

    Args:
        cache: whose.
        count: how many objects to name that would go.
        sizes_bytes: sizes of caches to compare; by default parts and multiples of the cap, or
            without one, parts of all that was played.
    """
    cache.plays.write()
    usage = cache.room.usage()
    plays = cache.ledger.plays()
    policy = DecayingPlays()
    sizes = sizes_bytes or _usual_sizes(usage.cap_bytes, plays)
    return Outlook(
        usage=usage,
        pinned_bytes=sum(cache.pins.inodes().values()),
        next=tuple(_describe(cache, each) for each in cache.evictions.first(count)),
        plays=len(plays),
        rates={size: hit_rate(plays, policy, size) for size in sorted(set(sizes))},
    )


def _usual_sizes(cap_bytes: int | None, plays: Sequence[RecordedPlay]) -> list[int]:
    if cap_bytes is not None:
        return [int(part * cap_bytes) for part in _PARTS_OF_CAP]
    played = {play.key: play.size_bytes for play in plays}
    return [int(part * sum(played.values())) for part in _PARTS_OF_ALL] if played else []


def _describe(cache: CacheDirectory, holding: Holding) -> Leaving:
    names = cache.facts.names_of(holding.id)
    sources = [cache.facts.source_of(name) for name in names]
    quality = names[0].split("_")[1] if names else ""
    return Leaving(holding, tuple(source for source in sources if source is not None), quality)
