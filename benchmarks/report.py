"""Results on disk: a JSON file and a plot per benchmark, and one table of all of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .machine import Machine, describe_machine
from .result import Figure, Panel, Result

RESULTS = Path(__file__).parent / "results"
_INTRODUCTION = """# Results

Written by `make bench` and `make stress`; [README.md](../README.md) says what is measured, and how.
Each benchmark keeps the figures of its last run, with the machine and the music of that run.
"""


def save(name: str, result: Result, music: str) -> None:
    """Write one benchmark's JSON and plot, and the table anew.

    Args:
        name: of the benchmark.
        result: what it found.
        music: what it was measured with; "" where no music is involved.
    """
    RESULTS.mkdir(exist_ok=True)
    found = {
        "title": result.title,
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": asdict(describe_machine()),
        "music": music,
        "figures": [{**asdict(figure), "met": figure.is_met} for figure in result.figures],
        "notes": result.notes,
        "unit": result.unit,
        "samples": {key: _short(values) for key, values in result.samples.items()},
        "panels": [_as_json(panel) for panel in result.panels],
    }
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    if result.panels:
        _plot_panels(RESULTS / f"{name}.png", result)
    elif result.samples:
        _plot(RESULTS / f"{name}.png", result)
    (RESULTS / "RESULTS.md").write_text(table(RESULTS), encoding="utf-8")


def table(folder: Path) -> str:
    """Return the table of everything that was measured so far."""
    lines = [_INTRODUCTION, "| benchmark | figure | value | limit | met |", "|---|---|---|---|---|"]
    details: list[str] = []
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        lines += _rows(path.stem, found["figures"])
        details += _details(path, found)
    return "\n".join((*lines, "", *details))


def _rows(name: str, figures: Iterable[dict[str, Any]]) -> list[str]:
    rows = []
    for fields in figures:
        met = fields.pop("met")
        figure = Figure(**fields)
        verdict = "" if figure.limit is None else "yes" if met else "**no**"
        cells = (name, figure.what, figure.text(), figure.limit_text(), verdict)
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _details(path: Path, found: dict[str, Any]) -> list[str]:
    music = f", with {found['music']}" if found["music"] else ""
    machine = Machine(**found["machine"]).text()
    lines = [f"## {path.stem}: {found['title']}", "", *found["notes"]]
    lines += ["", f"Measured on {found['measured']}{music}, on: {machine}.", ""]
    if path.with_suffix(".png").exists():
        lines += [f"![{found['title']}]({path.stem}.png)", ""]
    return lines


def _short(values: list[float]) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def _as_json(panel: Panel) -> dict[str, Any]:
    courses = {
        name: [None if math.isnan(value) else value for value in _short(values)]
        for name, values in panel.courses.items()
    }
    return {**asdict(panel), "courses": courses}


def _plot(path: Path, result: Result) -> None:
    """Draw every group of samples as a box with its points."""
    pyplot = _pyplot()
    groups = result.samples
    figure, axes = pyplot.subplots(figsize=(8, 1.3 + 0.7 * len(groups)), layout="constrained")
    axes.boxplot(list(groups.values()), orientation="horizontal", widths=0.5, showfliers=False)
    for row, values in enumerate(groups.values(), start=1):
        axes.plot(values, [row] * len(values), "o", markersize=3, alpha=0.35)
    axes.set_yticks(range(1, len(groups) + 1), list(groups))
    axes.invert_yaxis()
    axes.set_xlabel(result.unit)
    axes.set_xlim(left=min(0.0, *(min(values) for values in groups.values())))
    axes.set_title(result.title, fontsize=10)
    if result.limit is not None:
        axes.axvline(result.limit, linestyle="--", color="tab:red", label="limit")
        axes.legend(loc="lower right")
    _keep(figure, path)


def _plot_panels(path: Path, result: Result) -> None:
    """Draw the courses of every panel over the time that all have in common."""
    count = len(result.panels)
    figure, rows = _pyplot().subplots(
        count, figsize=(9, 1 + 1.9 * count), layout="constrained", sharex=True, squeeze=False
    )
    for panel, axes in zip(result.panels, rows[:, 0], strict=True):
        for name, values in panel.courses.items():
            axes.plot(range(len(values)), values, linewidth=1, label=name)
        axes.set_ylabel(panel.unit, fontsize=8)
        if panel.is_log:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set_xlabel(result.time_unit)
    figure.suptitle(result.title, fontsize=10)
    _keep(figure, path)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _keep(figure: Any, path: Path) -> None:
    # Without the name of the program that drew it, an unchanged plot is an unchanged file.
    figure.savefig(path, dpi=110, metadata={"Software": None})
    _pyplot().close(figure)
