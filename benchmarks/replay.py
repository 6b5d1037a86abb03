"""Which part of a household's plays a cache of a tenth of the library holds, by policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from audio_cache.store.policy import DecayingPlays
from audio_cache.store.replay import Replay

from .policies import LFU, LRU, ReferencePolicy, S3Fifo, Sieve
from .result import Figure, Result
from .traces import Household, Request

QUICK = False
PART: Final = 0.1
AGREEMENT: Final = 0.01
HOUSEHOLDS: Final = {
    "nightly scans": Household(scans=True),
    "nightly scans, changing tastes": Household(scans=True, drift=0.01),
    "no scans": Household(),
}
REFERENCES: Final[dict[str, Callable[[int], ReferencePolicy]]] = {
    "LRU": LRU,
    "LFU": LFU,
    "SIEVE": Sieve,
    "S3-FIFO": S3Fifo,
}
_BAR: Final = "S3-FIFO"
_THEIR_NAMES: Final = {"LRU": "LRU", "LFU": "LFU", "SIEVE": "Sieve", "S3-FIFO": "S3FIFO"}


def run() -> Result:
    """Replay the plays of some households through our policy and those of the literature."""
    figures: list[Figure] = []
    samples: dict[str, list[float]] = {}
    for name, household in HOUSEHOLDS.items():
        requests = list(household.requests())
        capacity = int(PART * household.tracks)
        rates = {each: reference_rate(REFERENCES[each](capacity), requests) for each in REFERENCES}
        theirs = their_rates(capacity, requests)
        ours = our_rate(capacity, requests)
        bar = theirs.get(_BAR, rates[_BAR])
        figures.append(Figure(f"{name}: ours", ours, "", bar, at_least=True))
        figures += [Figure(f"{name}: {each}", rate, "") for each, rate in rates.items()]
        for each, rate in theirs.items():
            apart = abs(rates[each] - rate)
            figures.append(Figure(f"{name}: {each}, libcachesim apart by", apart, "", AGREEMENT))
        samples[name] = [ours, *rates.values()]
    compared = "libcachesim replays the same" if theirs else "libcachesim is not installed"
    return Result(
        title="Hit rates of a cache of a tenth of the library",
        figures=tuple(figures),
        samples=samples,
        unit="of all plays",
        notes=(
            "Zipf's law with exponent 1 over 2,000 tracks, 100 plays a day for 240 days. A scan is "
            "a batch that goes through all tracks every night; only plays of listeners count. "
            "To the policies of the literature a scan is so many plays; ours knows a batch, which "
            "fills only what is free. Without scans all see the same. With changing tastes a "
            f"hundredth of all ranks changes hands every day. {compared}.",
        ),
    )


def reference_rate(policy: ReferencePolicy, requests: Iterable[Request]) -> float:
    """Return the part of the plays that a policy of the literature holds."""
    hits = [(policy.access(each.track), each.is_play) for each in requests]
    return sum(hit for hit, is_play in hits if is_play) / sum(is_play for _, is_play in hits)


def our_rate(capacity: int, requests: Iterable[Request]) -> float:
    """Return the part of the plays that our policy holds; a scan only fills what is free."""
    replay = Replay(DecayingPlays(), capacity)
    hits = plays = 0
    for each in requests:
        if each.is_play:
            plays += 1
            hits += replay.play(each.track, 1, each.at_s)
        else:
            replay.warm(each.track, 1, each.at_s)
    return hits / plays


def their_rates(capacity: int, requests: Sequence[Request]) -> dict[str, float]:
    """Return the same as libcachesim has it, by our names; nothing where it is not installed."""
    try:
        import libcachesim
    except ImportError:
        return {}
    return {
        ours: reference_rate(_Theirs(libcachesim, theirs, capacity), requests)
        for ours, theirs in _THEIR_NAMES.items()
    }


class _Theirs:
    """A policy of libcachesim."""

    def __init__(self, library: Any, name: str, capacity: int) -> None:
        self._cache = getattr(library, name)(cache_size=capacity)
        self._request = library.Request()
        self._request.obj_size = 1

    def access(self, key: object) -> bool:
        """Ask for an object."""
        self._request.obj_id = key
        return bool(self._cache.get(self._request))
