"""The history of the server, in a bounded number of samples."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from audio_cache import TrafficCount

_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time that is kept, and how finely.

    Args:
        every_s: the least number of seconds between two samples.
        samples: how many are kept.
        rate_s: of how many seconds a hit rate is taken; of one minute, few plays make leaps of it.
    """

    every_s: float
    samples: int
    rate_s: float = 600.0


# Some hundred points are as many as a chart can show.
SPANS: Final[Mapping[str, Span]] = {"hour": Span(10.0, 361), "day": Span(240.0, 361, 3600.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(TrafficCount):
    """The state of the server at one moment; what it inherits only ever grows.

    Args:
        at_s: seconds since the epoch.
        encoders: how many ffmpegs ran.
        cache_bytes: the size of all entries.
        free_bytes: what the cache's disk had left.
        used_bytes: what the cache took, with what is being made.
        pinned_bytes: how much of that does not go.
        cap_bytes: how much the cache may take; None for any.
        evicted_bytes: how much had to go so far; this too only grows, while the index is there.
    """

    at_s: float
    encoders: int = 0
    cache_bytes: int = 0
    free_bytes: int = 0
    used_bytes: int = 0
    pinned_bytes: int = 0
    cap_bytes: int | None = None
    evicted_bytes: int = 0


TRAFFIC: Final = tuple(field.name for field in fields(TrafficCount))
COUNTERS: Final = (*TRAFFIC, "evicted_bytes")
GAUGES: Final = (
    "encoders",
    "cache_bytes",
    "free_bytes",
    "used_bytes",
    "pinned_bytes",
    "cap_bytes",
)
RATES: Final = ("hit_rate", "hit_rate_bytes")


@dataclass(frozen=True, slots=True)
class TrafficRate:
    """What part, from 0 to 1, the cache had; None where nothing was asked of it.

    Args:
        plays: of the plays.
        bytes: of the bytes that were sent.
    """

    plays: float | None
    bytes: float | None


def hit_rate(after: TrafficCount, before: TrafficCount | None = None) -> TrafficRate:
    """Return what part of the plays between two counts the cache had; originals asked for aside."""
    before = before or TrafficCount()
    hits, hit_bytes = after.hits - before.hits, after.hit_bytes - before.hit_bytes
    plays = hits + after.live - before.live + after.misses - before.misses
    sent_bytes = after.sent_bytes - before.sent_bytes - after.bypass_bytes + before.bypass_bytes
    return TrafficRate(
        hits / plays if plays > 0 else None, hit_bytes / sent_bytes if sent_bytes > 0 else None
    )


class History:
    """Keeps the samples of several spans, for any number of threads.

    It lives in memory: a restart begins a new one, and Prometheus is there for more.
    """

    def __init__(self, spans: Mapping[str, Span] = SPANS) -> None:
        self._spans = spans
        self._lock = threading.Lock()
        self._kept: dict[str, deque[Sample]] = {
            name: deque(maxlen=span.samples) for name, span in spans.items()
        }

    def add(self, sample: Sample) -> None:
        """Keep a sample in each span where the last one is old enough."""
        with self._lock:
            for name, kept in self._kept.items():
                # A clock that was set back: what lies in the future cannot be drawn.
                while kept and kept[-1].at_s >= sample.at_s:
                    kept.pop()
                if not kept or sample.at_s - kept[-1].at_s >= self._spans[name].every_s:
                    kept.append(sample)

    def columns(self, span: str) -> dict[str, list[float | None]]:
        """Return what a chart of a span shows, as `columns_of`.

        Raises:
            KeyError: there is no such span.
        """
        with self._lock:
            samples = list(self._kept[span])
        return columns_of(samples, self._spans[span].rate_s)


def columns_of(
    samples: Sequence[Sample], rate_s: float = _MINUTE_S
) -> dict[str, list[float | None]]:
    """Return a column of moments and one per figure: counters as growth per minute, gauges as is.

    Growth is that of the minute before each sample, or since the sample before where that is longer
    ago: one play in ten seconds is not six a minute. There is one row less than there are samples.

    Args:
        samples: the oldest first.
        rate_s: of how many seconds before each sample its hit rates are.
    """
    names = ("at_s", *COUNTERS, *GAUGES, *RATES)
    columns: dict[str, list[float | None]] = {name: [] for name in names}
    pairs = zip(_pairs(samples, _MINUTE_S), _pairs(samples, rate_s), strict=True)
    for (before, after), (long_before, _) in pairs:
        columns["at_s"].append(round(after.at_s, 1))
        minutes = max(after.at_s - before.at_s, _MINUTE_S) / _MINUTE_S
        for name in COUNTERS:
            # A lost index begins to count anew.
            grown = max(0, getattr(after, name) - getattr(before, name))
            columns[name].append(round(grown / minutes, 2))
        for name in GAUGES:
            columns[name].append(getattr(after, name))
        rate = hit_rate(after, long_before)
        for name, part in zip(RATES, (rate.plays, rate.bytes), strict=True):
            columns[name].append(part if part is None else round(part, 4))
    return columns


def _pairs(samples: Sequence[Sample], apart_s: float) -> Iterator[tuple[Sample, Sample]]:
    """Yield each sample but the first after the latest one that is so long before it."""
    start = 0
    for place, after in enumerate(samples[1:], 1):
        while start < place - 1 and after.at_s - samples[start + 1].at_s >= apart_s:
            start += 1
        yield samples[start], after
