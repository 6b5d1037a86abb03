"""`audio-cache warm --heads`: the beginnings of tracks, and what they take."""

from __future__ import annotations

import click
from rich.console import Console

from ..batch.batch import Wanted
from ..batch.estimate import ASSUMED_SPEED, find_obstacle, free_bytes
from ..batch.heads import MadeHeads, make_heads, plan_heads
from ..store.cache import AudioCache
from ..text import bytes_in_words, counted, readable, seconds_in_words
from .display import open_bar
from .frame import FAILED


def warm_heads(cache: AudioCache, wanted: Wanted, jobs: int, dry_run: bool) -> None:
    """Say what heads of tracks take, then make them; exit with FAILED if one cannot be made."""
    with open_bar(Console(highlight=False), "looking", len(wanted)) as advance:
        plan = plan_heads(cache, wanted, advance)
    heads = sum(len(track.qualities) for track in plan.tracks)
    of = f"heads of {counted(len(plan.tracks), 'track')}"
    time = seconds_in_words(plan.time_s(ASSUMED_SPEED, jobs))
    click.echo(
        f"{of}: {bytes_in_words(plan.size_bytes)} of space, with "
        f"{bytes_in_words(free_bytes(cache))} free, and about {time}"
    )
    for path, why in plan.failures.items():
        click.echo(f"cannot be read: {readable(path)} ({why})")
    obstacle = find_obstacle(cache, plan.size_bytes) if plan.tracks else None
    if obstacle is not None:
        click.echo(f"Error: {obstacle}", err=True)
        raise SystemExit(FAILED)
    made, problems = 0, len(plan.failures)
    if not dry_run:
        with open_bar(Console(highlight=False), "making heads", len(plan.tracks)) as advance:

            def note(track: MadeHeads) -> None:
                nonlocal made, problems
                advance()
                made += track.made
                if track.problem:
                    problems += 1
                    click.echo(f"FAILED {readable(track.path)}: {track.problem}")

            make_heads(cache, plan, jobs, note)
        kept = f"{counted(heads - made, 'other')} there already, too short or failed"
        click.echo(f"{counted(made, 'head')} made; {kept}")
    if problems:
        raise SystemExit(FAILED)
