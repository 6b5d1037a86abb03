"""A policy: what a stored object is worth, so that the one that is worth least goes first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

DAY_S: Final = 86_400.0
# Below whatever was played, however long ago: times are counted from 1970.
_UNPLAYED: Final = -1e6
_UNNAMED: Final = -2e6


class Policy(Protocol):
    """Gives objects their worth, a number that only means more or less than another's.

    It changes when an object is played, never by itself, so that an index can hold it in order.
    What was evicted keeps its worth as far as that is remembered.
    """

    def made(self, at_s: float) -> float:
        """Return what an object is worth that was made and has never been played."""

    def played(self, worth: float | None, at_s: float) -> float:
        """Return what an object is worth after a play.

        Args:
            worth: before that; None where it is not known, or it was never played.
            at_s: when, in seconds since the epoch.
        """

    def unnamed(self, at_s: float) -> float:
        """Return what an object is worth that no source has any more, as after a change of tags."""


@dataclass(frozen=True, slots=True)
class DecayingPlays:
    """Plays count, and each counts half after every half-life.

    The sum of 2^((t - now) / half_life) over all plays at t is in the same order at any "now", so
    its logarithm for the now of 1970 is kept: of the family LRFU (Lee et al., 2001), between LRU (a
    short half-life) and LFU (an endless one). As what was evicted is remembered, a favourite is
    one again with its next play, and a thousand tracks that were each played once are not.
    Whatever a batch makes is worth less than anything that was ever played, so that no scan of the
    whole library flushes what is listened to.
    """

    half_life_s: float = 14 * DAY_S

    def made(self, at_s: float) -> float:
        """Return less than for anything played; the oldest is worth least."""
        return _UNPLAYED + at_s / self.half_life_s

    def played(self, worth: float | None, at_s: float) -> float:
        """Return the logarithm of the decayed sum with one play more."""
        play = at_s / self.half_life_s
        if worth is None:
            return play
        most, least = max(worth, play), min(worth, play)
        return most + math.log2(1 + 2.0 ** (least - most))

    def unnamed(self, at_s: float) -> float:
        """Return less than for anything that has a name."""
        return _UNNAMED + at_s / self.half_life_s
