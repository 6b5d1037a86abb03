"""The display of a batch's progress: bars on a terminal, plain lines anywhere else."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from ..batch.outcome import ALREADY_CACHED
from ..text import bytes_in_words, counted, seconds_in_words

# In thousandths, since the renditions of a track differ in size.
_WHOLE: Final = 1000


class Display:
    """The progress callback of the command line: a line for each track, and the counts.

    Args:
        console: where it is printed.
        total: how many tracks there are.
    """

    def __init__(self, console: Console, total: int) -> None:
        self.console = console
        self.total = total
        self.counts: Counter[str] = Counter()
        self.skip_reasons: Counter[str] = Counter()
        self.bytes_saved = 0
        self._started_s = time.monotonic()

    @property
    def done(self) -> int:
        """Return how many tracks are done."""
        return sum(self.counts.values())

    @property
    def all_well(self) -> bool:
        """Say whether every track can now be played from the cache."""
        return not self.counts["failed"] and not self.skip_reasons["missing"]

    def __call__(self, current: int, total: int) -> None:
        """Note how many tracks are done."""

    def track_cached(self, track_name: str, *, bytes_saved: int = 0) -> None:
        """Show that a track is cached."""
        self.counts["cached"] += 1
        self.bytes_saved += bytes_saved
        self.say("cached", track_name, f"saves {bytes_in_words(bytes_saved)}")

    def track_skipped(self, track_name: str, reason: str = ALREADY_CACHED) -> None:
        """Count a track that needed no encoding, and show it if the reason may be a surprise."""
        self.counts["skipped"] += 1
        self.skip_reasons[reason] += 1
        self.say("skipped", track_name, reason)

    def track_failed(self, track_name: str, error: object) -> None:
        """Show that a track failed, and why."""
        self.counts["failed"] += 1
        self.say("FAILED", track_name, str(error), style="bold red")

    def say(self, what: str, name: str, details: str, *, style: str = "") -> None:
        """Print the line of a track, unless it is one of the many that were cached already."""
        if details == ALREADY_CACHED:
            return
        number = f"{self.done:>{len(str(self.total))}}/{self.total}"
        # As Text, since rich could take parts of a name for markup.
        line = Text(f"[{number}] ").append(f"{what:<7} ", style).append(f"{name}  ({details})")
        self.console.print(line, soft_wrap=True, highlight=False)

    def summary(self) -> str:
        """Return the counts in a sentence."""
        parts = [f"{self.counts['cached']} cached"]
        if self.counts["skipped"]:
            reasons = [f"{reason}: {count}" for reason, count in self.skip_reasons.items()]
            parts.append(f"{self.counts['skipped']} skipped ({', '.join(reasons)})")
        if self.counts["failed"]:
            parts.append(f"{self.counts['failed']} failed")
        took = seconds_in_words(time.monotonic() - self._started_s)
        saved = f"; {bytes_in_words(self.bytes_saved)} saved" if self.bytes_saved else ""
        return f"{', '.join(parts)} in {took}{saved}"


class BarDisplay(Display):
    """A display with one bar for all tracks and one for each that is being encoded."""

    def __init__(self, console: Console, total: int, bars: Progress) -> None:
        super().__init__(console, total)
        self._bars = bars
        self._all = bars.add_task(counted(total, "track"), total=total)
        self._running: dict[str, TaskID] = {}

    def __call__(self, current: int, total: int) -> None:
        """Move the bar of all tracks."""
        self._bars.update(self._all, completed=current, total=total)

    def track_started(self, track_name: str) -> None:
        """Add a bar for a track."""
        self._running[track_name] = self._bars.add_task(track_name, total=_WHOLE)

    def track_grew(self, track_name: str, size_bytes: int, of_bytes: int) -> None:
        """Move the bar of a track."""
        if track_name in self._running:
            done = size_bytes * _WHOLE // of_bytes
            self._bars.update(self._running[track_name], completed=done)

    def say(self, what: str, name: str, details: str, *, style: str = "") -> None:
        """Remove a track's bar; print a line only for what went wrong."""
        if name in self._running:
            self._bars.remove_task(self._running.pop(name))
        if what != "cached":
            super().say(what, name, details, style=style)


@contextlib.contextmanager
def open_display(console: Console, total: int) -> Iterator[Display]:
    """Show the progress of a number of tracks: bars on a terminal, plain lines elsewhere."""
    if not console.is_terminal:
        yield Display(console, total)
        return
    columns = (
        # Names aren't markup, and a long one must not push the bar off the screen.
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
        BarColumn(bar_width=30),
        _CountColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bars:
        yield BarDisplay(console, total, bars)


@contextlib.contextmanager
def open_bar(console: Console, what: str, total: int) -> Iterator[Callable[[], None]]:
    """Give a function that moves a bar by one of a number of things; on a terminal one sees it."""
    with open_meter(console, what) as move:
        done = itertools.count(1)
        move(0, total)
        yield lambda: move(next(done), total)


@contextlib.contextmanager
def open_meter(console: Console, what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Give a function that moves a bar to so many of so many; on a terminal one sees it.

    Where it is not known yet how many there are, the bar only shows that something goes on.
    """
    if not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


class _CountColumn(MofNCompleteColumn):
    """A count of tracks for the overall bar, a percentage for the bars of single tracks."""

    def render(self, task: Task) -> Text:
        """Return the text of a bar's task."""
        if task.total == _WHOLE and task.id > 0:
            return Text(f"{task.percentage:3.0f} %")
        return super().render(task)
