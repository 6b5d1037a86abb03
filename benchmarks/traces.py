"""Traces: what a household plays over months, and what a nightly batch asks for in between."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

DAY_S: Final = 86_400.0
_BEGAN_AT_S: Final = 1_700_000_000.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a trace: of a listener, or of a batch that goes through the whole library."""

    at_s: float
    track: int
    is_play: bool


@dataclass(frozen=True, slots=True)
class Household:
    """A household with a library.

    Args:
        tracks: how many the library has.
        days: how long it is watched.
        plays_a_day: how much is listened to.
        drift: which part of all ranks a day changes hands: tastes change.
        scans: whether a batch goes through all tracks every night.
        exponent: of Zipf's law, by which the ranks are played.
    """

    tracks: int = 2_000
    days: int = 240
    plays_a_day: int = 100
    drift: float = 0.0
    scans: bool = False
    exponent: float = 1.0

    def requests(self, seed: int = 9) -> Iterator[Request]:
        """Yield the requests, the oldest first; the same for the same seed."""
        dice = random.Random(seed)
        ranks = list(range(self.tracks))
        dice.shuffle(ranks)
        weights = list(accumulate(1 / (rank + 1) ** self.exponent for rank in range(self.tracks)))
        for day in range(self.days):
            began_s = _BEGAN_AT_S + day * DAY_S
            if self.scans:
                for track in range(self.tracks):
                    yield Request(began_s, track, is_play=False)
            for _ in range(int(self.drift * self.tracks)):
                one, other = dice.randrange(self.tracks), dice.randrange(self.tracks)
                ranks[one], ranks[other] = ranks[other], ranks[one]
            played = dice.choices(ranks, cum_weights=weights, k=self.plays_a_day)
            for number, track in enumerate(played):
                at_s = began_s + DAY_S * (number + 1) / (self.plays_a_day + 1)
                yield Request(at_s, track, is_play=True)
