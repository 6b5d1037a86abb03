"""Policies of the literature, to compare ours with: LRU, LFU, SIEVE and S3-FIFO."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Protocol

_MOST_FREQUENT: Final = 3


class ReferencePolicy(Protocol):
    """A cache of a number of objects of one size."""

    def access(self, key: Hashable) -> bool:
        """Ask for an object, which is stored then; say whether it was there."""


class LRU:
    """The least recently used goes first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: OrderedDict[Hashable, None] = OrderedDict()

    def access(self, key: Hashable) -> bool:
        """Ask for an object."""
        is_hit = key in self._held
        if is_hit:
            self._held.move_to_end(key)
            return True
        if len(self._held) >= self._capacity:
            self._held.popitem(last=False)
        self._held[key] = None
        return False


class LFU:
    """The least frequently used goes first, of equals the one that has waited longest."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._uses: dict[Hashable, int] = {}
        self._by_uses: dict[int, OrderedDict[Hashable, None]] = {}
        self._least = 1

    def access(self, key: Hashable) -> bool:
        """Ask for an object."""
        uses = self._uses.get(key, 0)
        if uses:
            self._leave(key, uses)
        elif len(self._uses) >= self._capacity:
            self._evict()
        if not uses:
            self._least = 1
        self._uses[key] = uses + 1
        self._by_uses.setdefault(uses + 1, OrderedDict())[key] = None
        return uses > 0

    def _leave(self, key: Hashable, uses: int) -> None:
        del self._by_uses[uses][key]
        if not self._by_uses[uses]:
            del self._by_uses[uses]
            if self._least == uses:
                self._least = uses + 1

    def _evict(self) -> None:
        self._least = min(self._by_uses)
        victim = next(iter(self._by_uses[self._least]))
        self._leave(victim, self._least)
        del self._uses[victim]


class Sieve:
    """SIEVE (Zhang et al., NSDI 2024): a queue, a bit for "visited", and a hand that sifts."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._visited: dict[Hashable, bool] = {}
        # Towards the newest, and towards the oldest; None ends the queue.
        self._newer: dict[Hashable, Hashable] = {}
        self._older: dict[Hashable, Hashable] = {}
        self._newest: Hashable = None
        self._oldest: Hashable = None
        self._hand: Hashable = None

    def access(self, key: Hashable) -> bool:
        """Ask for an object."""
        if key in self._visited:
            self._visited[key] = True
            return True
        if len(self._visited) >= self._capacity:
            self._evict()
        self._visited[key] = False
        self._older[key], self._newer[key] = self._newest, None
        if self._newest is not None:
            self._newer[self._newest] = key
        self._newest = key
        if self._oldest is None:
            self._oldest = key
        return False

    def _evict(self) -> None:
        key = self._oldest if self._hand is None else self._hand
        while self._visited[key]:
            self._visited[key] = False
            newer = self._newer[key]
            key = self._oldest if newer is None else newer
        self._hand = self._newer[key]
        newer, older = self._newer.pop(key), self._older.pop(key)
        if newer is None:
            self._newest = older
        else:
            self._older[newer] = older
        if older is None:
            self._oldest = newer
        else:
            self._newer[older] = newer
        del self._visited[key]


class S3Fifo:
    """S3-FIFO (Yang et al., SOSP 2023): a small queue, a main one, and a memory of the evicted.

    With the parameters of libCacheSim: a tenth is small, nine tenths are remembered, and two uses
    lead from the small queue into the main one.
    """

    def __init__(self, capacity: int, uses_to_stay: int = 2) -> None:
        self._capacity = capacity
        self._small_size = capacity // 10
        self._main_size = capacity - self._small_size
        self._ghost_size = int(capacity * 0.9)
        self._uses_to_stay = uses_to_stay
        self._small: OrderedDict[Hashable, int] = OrderedDict()
        self._main: OrderedDict[Hashable, int] = OrderedDict()
        self._ghosts: OrderedDict[Hashable, None] = OrderedDict()

    def access(self, key: Hashable) -> bool:
        """Ask for an object."""
        if key in self._small:
            self._small[key] += 1
            return True
        was_ghost = key in self._ghosts
        if was_ghost:
            del self._ghosts[key]
        if key in self._main:
            self._main[key] += 1
            return True
        while len(self._small) + len(self._main) >= self._capacity:
            self._evict()
        (self._main if was_ghost else self._small)[key] = 0
        return False

    def _evict(self) -> None:
        if len(self._main) > self._main_size or not self._small:
            self._evict_from_main()
        else:
            self._evict_from_small()

    def _evict_from_small(self) -> None:
        while self._small:
            key, uses = self._small.popitem(last=False)
            if uses < self._uses_to_stay:
                if len(self._ghosts) >= self._ghost_size:
                    self._ghosts.popitem(last=False)
                self._ghosts[key] = None
                return
            self._main[key] = 0

    def _evict_from_main(self) -> None:
        while self._main:
            key, uses = self._main.popitem(last=False)
            if not uses:
                return
            self._main[key] = min(uses, _MOST_FREQUENT) - 1
