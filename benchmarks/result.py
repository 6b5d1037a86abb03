"""What a benchmark gives back: figures held against limits, and the samples behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Args:
        what: what was measured, as the table shows it.
        value: the number.
        unit: its unit; "" for a ratio.
        limit: the bar that it must meet; None where it only informs.
        at_least: the limit is a lower one.
    """

    what: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Say whether the figure is within its limit; one without a limit is."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def text(self) -> str:
        """Return the number with its unit, three digits of it."""
        return _with_unit(self.value, self.unit)

    def limit_text(self) -> str:
        """Return the limit with its direction and unit; "" where there is none."""
        if self.limit is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {_with_unit(self.limit, self.unit)}"


@dataclass(frozen=True)
class Panel:
    """Courses of some quantities over one time, drawn into one picture.

    Args:
        unit: what is drawn, with its unit.
        courses: the values at equal distances, by name; NaN where there are none.
        is_log: they range over powers of ten.
    """

    unit: str
    courses: dict[str, list[float]]
    is_log: bool = False


@dataclass(frozen=True)
class Result:
    """What one benchmark found.

    Args:
        title: one line that says what was compared with what.
        figures: the numbers of the table.
        samples: the single measurements behind them, by the name that the plot shows.
        unit: of the samples.
        notes: what a reader must know to understand the figures.
        limit: where the plot draws the bar; None for none.
        panels: drawn below each other, in place of the samples.
        time_unit: of the distances between the values of all panels.
    """

    title: str
    figures: tuple[Figure, ...]
    samples: dict[str, list[float]] = field(default_factory=dict)
    unit: str = ""
    notes: tuple[str, ...] = ()
    limit: float | None = None
    panels: tuple[Panel, ...] = ()
    time_unit: str = ""

    @property
    def is_met(self) -> bool:
        """Say whether every figure is within its limit."""
        return all(figure.is_met for figure in self.figures)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value below which so many percent of the values lie."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def alternate(rounds: int, **measures: Callable[[], float]) -> dict[str, list[float]]:
    """Measure several things in turn, A B A B, so that a noisy machine is noisy for all of them."""
    samples: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        # The order changes with each round: whoever comes second finds warmer caches.
        names = list(measures) if number % 2 == 0 else list(reversed(measures))
        for name in names:
            samples[name].append(measures[name]())
    return samples


def paired_ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the median of the ratios of measurements that were taken side by side."""
    return median(a / b for a, b in zip(one, other, strict=True))


def _with_unit(value: float, unit: str) -> str:
    is_count = float(value).is_integer() and not unit
    digits = 0 if is_count or not value else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 3)}f} {unit}".rstrip()
