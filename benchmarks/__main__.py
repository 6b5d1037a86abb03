"""Run benchmarks and write what they found: `python -m benchmarks [NAME…]`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from .machine import describe_machine
from .music import find_music
from .report import save
from .result import Result


@dataclass(frozen=True)
class Benchmark:
    """A module of this package with a function `run() -> Result`.

    Args:
        is_quick: part of a run without names; a module sets `QUICK = False` to stay out.
        uses_music: the figures depend on the music; a module sets `USES_MUSIC = True`.
    """

    name: str
    run: Callable[[], Result]
    is_quick: bool
    uses_music: bool


def find_benchmarks() -> dict[str, Benchmark]:
    """Return the benchmarks of this package by name."""
    found = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("_"):
            continue
        loaded = importlib.import_module(f"benchmarks.{module.name}")
        run = getattr(loaded, "run", None)
        if run is not None:
            quick = getattr(loaded, "QUICK", True)
            music = getattr(loaded, "USES_MUSIC", False)
            found[module.name] = Benchmark(module.name, run, quick, music)
    return found


@click.command(help=__doc__)
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Run the named benchmarks, or all quick ones; exit with 1 where a limit is not met."""
    benchmarks = find_benchmarks()
    unknown = [name for name in names if name not in benchmarks]
    if unknown:
        raise click.UsageError(
            f"no benchmark {', '.join(unknown)}: there are {', '.join(benchmarks)}"
        )
    chosen = [benchmarks[name] for name in names] or [
        each for each in benchmarks.values() if each.is_quick
    ]
    print(describe_machine().text())
    # All of them: one that misses its limit must not keep the others from being measured.
    met = [_measure(each) for each in chosen]
    if not all(met):
        sys.exit(1)


def _measure(benchmark: Benchmark) -> bool:
    """Run one benchmark, print and save its figures, and say whether they are within limits."""
    music = find_music().text() if benchmark.uses_music else ""
    began = time.monotonic()
    result = benchmark.run()
    print(f"\n{benchmark.name}: {result.title} ({time.monotonic() - began:.0f} s)")
    for figure in result.figures:
        verdict = "" if figure.limit is None else "ok" if figure.is_met else "NOT MET"
        print(f"  {figure.what:58} {figure.text():>18}  {figure.limit_text():12} {verdict}")
    save(benchmark.name, result, music)
    return result.is_met


if __name__ == "__main__":
    main()
