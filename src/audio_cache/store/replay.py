"""A replay of recorded plays: which of them a cache of another size would have had."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from .policy import Policy


@dataclass(frozen=True, slots=True)
class RecordedPlay:
    """One play.

    Args:
        at_s: when, in seconds since the epoch.
        key: which rendition.
        size_bytes: of that.
    """

    at_s: float
    key: Hashable
    size_bytes: int


@dataclass(frozen=True, slots=True)
class HitRate:
    """The parts, from 0 to 1, of the plays and of their bytes that a cache held."""

    plays: float
    bytes: float


class Replay:
    """A cache that holds nothing but sizes, kept small by a policy as the real one is.

    Args:
        policy: which objects go first.
        cap_bytes: how much it holds.
    """

    def __init__(self, policy: Policy, cap_bytes: int) -> None:
        self._policy = policy
        self._cap_bytes = cap_bytes
        self._held: dict[Hashable, int] = {}
        self._used = 0
        self._worth: dict[Hashable, float] = {}
        self._played: set[Hashable] = set()
        # Lazily: an item whose worth is no longer the object's is passed over.
        self._order: list[tuple[float, int, Hashable]] = []
        self._count = 0

    def holds(self, key: Hashable) -> bool:
        """Say whether an object is there; that is no play."""
        return key in self._held

    def play(self, key: Hashable, size_bytes: int, at_s: float) -> bool:
        """Play an object, which is stored then; say whether it was there."""
        before = self._worth[key] if key in self._played else None
        self._played.add(key)
        is_hit = key in self._held
        if not is_hit:
            self._make_room(size_bytes)
        self._value(key, self._policy.played(before, at_s))
        if not is_hit:
            self._store(key, size_bytes)
        return is_hit

    def warm(self, key: Hashable, size_bytes: int, at_s: float) -> bool:
        """Let a batch store an object where it has room; say whether it is there then."""
        if key in self._held:
            return True
        if self._used + size_bytes > self._cap_bytes:
            return False
        if key not in self._worth:
            self._value(key, self._policy.made(at_s))
        self._store(key, size_bytes)
        return True

    def _value(self, key: Hashable, worth: float) -> None:
        self._worth[key] = worth
        if key in self._held:
            self._push(key)

    def _store(self, key: Hashable, size_bytes: int) -> None:
        if self._used + size_bytes <= self._cap_bytes:
            self._held[key] = size_bytes
            self._used += size_bytes
            self._push(key)

    def _push(self, key: Hashable) -> None:
        self._count += 1
        heapq.heappush(self._order, (self._worth[key], self._count, key))

    def _make_room(self, size_bytes: int) -> None:
        while self._order and self._used + size_bytes > self._cap_bytes:
            worth, _, key = heapq.heappop(self._order)
            if key in self._held and self._worth[key] == worth:
                self._used -= self._held.pop(key)


def hit_rate(plays: Iterable[RecordedPlay], policy: Policy, cap_bytes: int) -> HitRate:
    """Return what part of some plays, the oldest first, a cache of a size would have held.

    It begins empty, so the first play of everything is a miss.
    """
    replay = Replay(policy, cap_bytes)
    plays_in_all = hits = bytes_in_all = hit_bytes = 0
    for play in plays:
        is_hit = replay.play(play.key, play.size_bytes, play.at_s)
        plays_in_all, hits = plays_in_all + 1, hits + is_hit
        bytes_in_all += play.size_bytes
        hit_bytes += play.size_bytes * is_hit
    return HitRate(hits / max(1, plays_in_all), hit_bytes / max(1, bytes_in_all))
