"""The stock of a cache: what is taken, what stays, and what had to go so far."""

from __future__ import annotations

from dataclasses import dataclass

from .directory import CacheDirectory
from .room import Usage


@dataclass(frozen=True, slots=True)
class Stock:
    """What a cache has in its room.

    Args:
        usage: what is taken of what there is.
        pinned: how many objects do not go, as they are pinned.
        pinned_bytes: how large those are.
        heads: of how many objects only the beginning is there.
        head_bytes: how large those beginnings are.
        evictions: how many objects made room since the index was begun, by all processes.
        evicted_bytes: how many bytes that freed, heads that went too among them.
    """

    usage: Usage
    pinned: int = 0
    pinned_bytes: int = 0
    heads: int = 0
    head_bytes: int = 0
    evictions: int = 0
    evicted_bytes: int = 0


def take_stock(cache: CacheDirectory) -> Stock:
    """Return the stock of a cache; it may take seconds where much is pinned.

    Raises:
        OSError: the directory is gone.
    """
    pinned = cache.pins.inodes()
    heads, head_bytes = cache.ledger.head_sizes()
    return Stock(
        usage=cache.room.usage(),
        pinned=len(pinned),
        pinned_bytes=sum(pinned.values()),
        heads=heads,
        head_bytes=head_bytes,
        evictions=int(cache.ledger.tally("evictions") or 0),
        evicted_bytes=int(cache.ledger.tally("evicted_bytes") or 0),
    )
