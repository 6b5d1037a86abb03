"""The outlook of a cache: what would be evicted next, and what other sizes would have given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .directory import CacheDirectory
from .ledger import Holding
from .policy import DecayingPlays
from .replay import HitRate, RecordedPlay, hit_rate
from .room import Usage

_PARTS_OF_ALL = (0.05, 0.1, 0.25, 0.5, 1.0)
_PARTS_OF_CAP = (0.25, 0.5, 1.0, 2.0, 4.0)
# Of a curve, what is this much larger than what would hold everything shows that no more is gained.
_BEYOND_ALL = 1.25
_TOLD_EVERY_PLAYS = 1_000


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


def look_ahead(
    cache: CacheDirectory,
    count: int,
    sizes_bytes: Sequence[int] = (),
    *,
    steps: int = 0,
    on_replay: Callable[[int, int], None] = lambda done, total: None,
) -> Outlook:
    """Return the outlook of a cache; nothing is evicted.

    Args:
        cache: whose.
        count: how many objects to name that would go.
        sizes_bytes: sizes of caches to compare; by default parts and multiples of the cap, or
            without one, parts of all that was played.
        steps: compare so many sizes, evenly spaced, and the cap: enough for a curve.
        on_replay: is called with how many plays were replayed, and how many there are to replay.
    """
    cache.plays.write()
    usage = cache.room.usage()
    plays = cache.ledger.plays()
    sizes = sizes_bytes or _usual_sizes(usage.cap_bytes, plays)
    if steps:
        sizes = _even_sizes(usage.cap_bytes, plays, steps)
    return Outlook(
        usage=usage,
        pinned_bytes=sum(cache.pins.inodes().values()),
        next=tuple(_describe(cache, each) for each in cache.evictions.first(count)),
        plays=len(plays),
        rates=_rates(plays, sorted(set(sizes)), on_replay),
    )


def _rates(
    plays: Sequence[RecordedPlay], sizes: Sequence[int], on_replay: Callable[[int, int], None]
) -> dict[int, HitRate]:
    policy, total = DecayingPlays(), len(plays) * len(sizes)

    def told(before: int) -> Iterator[RecordedPlay]:
        for place, play in enumerate(plays):
            if place % _TOLD_EVERY_PLAYS == 0:
                on_replay(before + place, total)
            yield play

    rates = {
        size: hit_rate(told(place * len(plays)), policy, size) for place, size in enumerate(sizes)
    }
    on_replay(total, total)
    return rates


def _usual_sizes(cap_bytes: int | None, plays: Sequence[RecordedPlay]) -> list[int]:
    if cap_bytes is not None:
        return [int(part * cap_bytes) for part in _PARTS_OF_CAP]
    played_bytes = _played_bytes(plays)
    return [int(part * played_bytes) for part in _PARTS_OF_ALL] if played_bytes else []


def _even_sizes(cap_bytes: int | None, plays: Sequence[RecordedPlay], steps: int) -> list[int]:
    """Return sizes from small ones to where more would not help, or to multiples of the cap."""
    played_bytes = _played_bytes(plays)
    if not played_bytes:
        return []
    most = _BEYOND_ALL * played_bytes
    if cap_bytes:
        most = max(min(most, _PARTS_OF_CAP[-1] * cap_bytes), _BEYOND_ALL * cap_bytes)
    sizes = [int(most * (step + 1) / steps) for step in range(steps)]
    return [*sizes, cap_bytes] if cap_bytes else sizes


def _played_bytes(plays: Sequence[RecordedPlay]) -> int:
    return sum({play.key: play.size_bytes for play in plays}.values())


def _describe(cache: CacheDirectory, holding: Holding) -> Leaving:
    names = cache.facts.names_of(holding.id)
    sources = [cache.facts.source_of(name) for name in names]
    quality = names[0].split("_")[1] if names else ""
    return Leaving(holding, tuple(source for source in sources if source is not None), quality)
