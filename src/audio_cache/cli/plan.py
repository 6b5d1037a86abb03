"""The command `audio-cache plan`: what goes next, and what a cache of another size would give."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ..space import parse_space
from ..store.outlook import Leaving, Outlook, look_ahead
from ..text import bytes_in_words, counted, readable, seconds_in_words
from .display import open_meter
from .frame import cache_options, open_existing_cache


@click.command()
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="SIZE",
    help="A size to look at, such as 50GB; repeat the option for more than one.",
)
@click.option(
    "--count",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    metavar="N",
    help="How many entries to name that would go next.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@cache_options
def plan(sizes: tuple[str, ...], count: int, as_json: bool, cache_dir: Path | None) -> None:
    """Show what would be evicted next, and how many plays a cache of another size would have had.

    Nothing is evicted. The plays are those that servers have recorded, 50,000 at most.
    """
    cache = open_existing_cache(cache_dir)
    disk_bytes = shutil.disk_usage(cache.cache_dir).total
    try:
        asked = [parse_space(size).of(disk_bytes) for size in sizes]
    except ValueError as error:
        raise click.UsageError(f"--size takes bytes, 200GB or 10%: {error}") from error
    with open_meter(Console(highlight=False), "replaying the plays") as move:
        outlook = look_ahead(cache, count, asked, on_replay=move)
    if as_json:
        click.echo(json.dumps(outlook_as_json(outlook), indent=2))
    else:
        click.echo("\n".join(outlook_as_lines(outlook, time.time())))


def outlook_as_lines(outlook: Outlook, now_s: float) -> list[str]:
    """Return an outlook, for people."""
    usage = outlook.usage
    cap = "no cap" if usage.cap_bytes is None else f"a cap of {bytes_in_words(usage.cap_bytes)}"
    free = f"{bytes_in_words(max(0, usage.free_bytes))} of the disk free"
    lines = [
        f"{bytes_in_words(usage.used_bytes)} used, {cap}",
        f"{free}, of which {bytes_in_words(usage.floor_bytes)} stay free",
        f"{bytes_in_words(outlook.pinned_bytes)} pinned",
        "",
    ]
    if outlook.next:
        lines += ["would go next:", *(_leaving_in_words(each, now_s) for each in outlook.next)]
    else:
        lines.append("nothing would go: there is nothing, or all of it is pinned")
    if not outlook.plays:
        return [*lines, "", "no plays are recorded yet"]
    lines += ["", f"of {counted(outlook.plays, 'recorded play')}, a cache would have held:"]
    for size, rate in outlook.rates.items():
        lines.append(f"  {bytes_in_words(size):>8}  {rate.plays:6.1%}, {rate.bytes:6.1%} by bytes")
    return lines


def _leaving_in_words(leaving: Leaving, now_s: float) -> str:
    holding = leaving.holding
    what = readable(leaving.sources[0]) if leaving.sources else f"object {holding.id}"
    more = f" and {len(leaving.sources) - 1} more" if len(leaving.sources) > 1 else ""
    quality = f", {leaving.quality}" if leaving.quality else ""
    played = "never played"
    if holding.used_at_s is not None and holding.uses:
        ago = seconds_in_words(max(0.0, now_s - holding.used_at_s))
        played = f"{counted(holding.uses, 'play')}, the last {ago} ago"
    return f"  {what}{more}{quality}, {bytes_in_words(holding.size_bytes)}: {played}"


def outlook_as_json(outlook: Outlook) -> dict[str, Any]:
    """Return an outlook, for scripts; sizes are in bytes, times in seconds since the epoch."""
    usage = outlook.usage
    return {
        "cap_bytes": usage.cap_bytes,
        "used_bytes": usage.used_bytes,
        "free_bytes": usage.free_bytes,
        "floor_bytes": usage.floor_bytes,
        "pinned_bytes": outlook.pinned_bytes,
        "next": [
            {
                "id": each.holding.id,
                "sources": [os.fspath(source) for source in each.sources],
                "quality": each.quality,
                "size_bytes": each.holding.size_bytes,
                "plays": each.holding.uses,
                "played_at": each.holding.used_at_s,
            }
            for each in outlook.next
        ],
        "plays": outlook.plays,
        "rates": [
            {"size_bytes": size, "plays": round(rate.plays, 4), "bytes": round(rate.bytes, 4)}
            for size, rate in outlook.rates.items()
        ],
    }
