"""A site of a million tracks on fifty nodes, simulated for a week."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Final

from .result import Figure, Panel, Result, percentile
from .site_model import HOUR_S, Hour, Parameters, Site

QUICK = False
SEED: Final = 9
_GB: Final = 1e9


def run() -> Result:
    """Simulate the site, and tell what its listeners and its object store would see."""
    site = Site(Parameters(), SEED)
    site.run()
    return make_result(site)


def make_result(site: Site) -> Result:
    """Return what a simulation that has run shows."""
    given = site.parameters
    begins, fails = _hour_of(given.warm_up_at_s), _hour_of(given.fails_at_s)
    ends = next((hour for hour, part in enumerate(site.stored_share) if part >= 1), begins)
    return Result(
        title=f"A simulated site of {given.tracks:,} tracks on {given.nodes} nodes",
        figures=(
            *_hit_rates("the day before the warm-up", site.hours[begins - 24 : begins]),
            *_hit_rates("the last day", site.hours[-24:]),
            *_waits("a mixtape", [each.mixtape_waits_s for each in site.hours]),
            *_waits(
                "a mixtape during the warm-up",
                [each.mixtape_waits_s for each in site.hours[begins : ends + 1]],
            ),
            *_waits("the library", [each.library_waits_s for each in site.hours]),
            Figure("the library is in the store after", float(ends + 1 - begins), "h"),
            *_traffic("the first day", site.hours[:24]),
            *_traffic("the day of the warm-up", site.hours[begins : begins + 24]),
            *_traffic("the last day", site.hours[-24:]),
            Figure("encodes of what another made meanwhile", _superfluous(site), ""),
            Figure("of all encodes", _superfluous(site) / sum(site.encodes) * 100, "%"),
            Figure("tracks that the failed node was at", site.handed_out_again, ""),
            Figure("tracks refused for want of room on a node", site.refused, ""),
        ),
        panels=_panels(site.hours, site.stored_share),
        time_unit=(
            f"hours; the library is put into the queue in hour {begins}, a node fails in hour "
            f"{fails} and is back in hour {_hour_of(given.returns_at_s)}"
        ),
        notes=(
            f"Simulated, not measured (seed {SEED}): {given.plays_a_day:,} plays a day by Zipf's "
            f"law with exponent {given.exponent:g}, {given.mixtapes_a_day:,} mixtapes of "
            f"{given.mixtape_tracks} tracks a day, {given.disk_bytes / _GB:.0f} GB of disk for the "
            f"cache of each node and {given.encoders} encoder for jobs on it at "
            f"{given.encoding_speed:.0f} × real time; site_model.py has all parameters and says "
            "which are measured and which assumed. Each listener asks any node. Who plays what is "
            "only in the store hears it from there while the node fetches it, so it is sent "
            "twice, and every play is taken to be heard to its end. A worker whose track is in the "
            "store fetches it. A mixtape’s queue time begins with its save.",
        ),
    )


def _hour_of(at_s: float) -> int:
    return int(at_s / HOUR_S)


def _hit_rates(when: str, hours: Sequence[Hour]) -> list[Figure]:
    plays = sum(hour.plays for hour in hours)
    counts = {
        "on the node": sum(hour.local for hour in hours),
        "in the store": sum(hour.store for hour in hours),
        "encoded live": sum(hour.live for hour in hours),
    }
    return [
        Figure(f"{when}: plays of what is {where}", count / plays * 100, "%")
        for where, count in counts.items()
    ]


def _waits(whose: str, waits: Iterable[array[float]]) -> list[Figure]:
    waits_s = [wait for hour in waits for wait in hour]
    return [
        Figure(f"queue time of {whose}, median", median(waits_s), "s"),
        Figure(f"queue time of {whose}, 99th percentile", percentile(waits_s, 99), "s"),
    ]


def _traffic(when: str, hours: Sequence[Hour]) -> list[Figure]:
    sums = {
        "from the store": sum(hour.fetched_bytes for hour in hours),
        "of that, by workers": sum(hour.fetched_for_jobs_bytes for hour in hours),
        "to the store": sum(hour.kept_bytes for hour in hours),
    }
    return [Figure(f"{when}: {what}", size / _GB, "GB") for what, size in sums.items()]


def _superfluous(site: Site) -> int:
    return sum(count - 1 for count in site.encodes if count > 1)


def _panels(hours: Sequence[Hour], stored_share: list[float]) -> tuple[Panel, ...]:
    def course(what: Callable[[Hour], float]) -> list[float]:
        return [what(hour) for hour in hours]

    return (
        Panel(
            "% of plays",
            {
                "on the node": course(lambda hour: 100 * hour.local / max(1, hour.plays)),
                "in the store": course(lambda hour: 100 * hour.store / max(1, hour.plays)),
                "encoded live": course(lambda hour: 100 * hour.live / max(1, hour.plays)),
            },
        ),
        Panel("plays an hour", {"plays": course(lambda hour: hour.plays)}),
        Panel(
            "GB an hour",
            {
                "from the store": course(lambda hour: hour.fetched_bytes / _GB),
                "to the store": course(lambda hour: hour.kept_bytes / _GB),
            },
        ),
        Panel(
            "queue time, s",
            {
                "mixtapes, median": course(lambda hour: _middle(hour.mixtape_waits_s)),
                "mixtapes, 99th": course(lambda hour: _nearly_worst(hour.mixtape_waits_s)),
                "library, median": course(lambda hour: _middle(hour.library_waits_s)),
            },
            is_log=True,
        ),
        Panel("% of the library", {"in the store": [100 * part for part in stored_share]}),
    )


def _middle(waits_s: Sequence[float]) -> float:
    return median(waits_s) if waits_s else math.nan


def _nearly_worst(waits_s: Sequence[float]) -> float:
    return percentile(waits_s, 99) if len(waits_s) > 1 else math.nan
