"""The history of the server, in a bounded number of samples."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
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
    """

    every_s: float
    samples: int


# Some hundred points are as many as a chart can show.
SPANS: Final[Mapping[str, Span]] = {"hour": Span(10.0, 361), "day": Span(240.0, 361)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(TrafficCount):
    """The state of the server at one moment; what it inherits only ever grows.

    Args:
        at_s: seconds since the epoch.
        encoders: how many ffmpegs ran.
        cache_bytes: the size of all entries.
        free_bytes: what the cache's disk had left.
    """

    at_s: float
    encoders: int = 0
    cache_bytes: int = 0
    free_bytes: int = 0


COUNTERS: Final = tuple(field.name for field in fields(TrafficCount))
GAUGES: Final = ("encoders", "cache_bytes", "free_bytes")


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

    def columns(self, span: str) -> dict[str, list[float]]:
        """Return what a chart of a span shows, as `columns_of`.

        Raises:
            KeyError: there is no such span.
        """
        with self._lock:
            samples = list(self._kept[span])
        return columns_of(samples)


def columns_of(samples: Sequence[Sample]) -> dict[str, list[float]]:
    """Return a column of moments and one per figure: counters as growth per minute, gauges as is.

    Growth is that of the minute before each sample, or since the sample before where that is longer
    ago: one play in ten seconds is not six a minute. There is one row less than there are samples.
    """
    names = ("at_s", *COUNTERS, *GAUGES)
    columns: dict[str, list[float]] = {name: [] for name in names}
    start = 0
    for place, after in enumerate(samples[1:], 1):
        while start < place - 1 and after.at_s - samples[start + 1].at_s >= _MINUTE_S:
            start += 1
        before = samples[start]
        columns["at_s"].append(round(after.at_s, 1))
        minutes = max(after.at_s - before.at_s, _MINUTE_S) / _MINUTE_S
        for name in COUNTERS:
            grown = getattr(after, name) - getattr(before, name)
            columns[name].append(round(grown / minutes, 2))
        for name in GAUGES:
            columns[name].append(getattr(after, name))
    return columns
