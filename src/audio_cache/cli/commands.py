"""The command `audio-cache`: fill, inspect and maintain a cache from a shell."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from ..batch.batch import Wanted
from ..batch.estimate import (
    ASSUMED_SPEED,
    Plan,
    find_obstacle,
    free_bytes,
    make_plan,
    measure_speed,
)
from ..batch.needs import find_outdated
from ..cache_worker import CacheWorker
from ..quality import QUALITY_SETTINGS, QualityLevel
from ..settings import AudioCacheSettings
from ..sources.music_roots import MusicRoots, split_roots
from ..store.cache import AudioCache
from ..store.explanation import explain
from ..store.stats import gather_stats
from ..store.upgrade import upgrade
from ..store.verify import State, verify
from ..text import bytes_in_words, counted, readable
from .display import open_bar, open_display, open_meter
from .frame import (
    FAILED,
    AudioCacheGroup,
    cache_options,
    open_cache,
    open_existing_cache,
)
from .heads import warm_heads
from .paths import collect_sources
from .plan import plan as plan_command
from .report import (
    cost_as_lines,
    count_entries,
    explanation_as_lines,
    inspection_as_json,
    inspection_as_line,
    plan_as_lines,
    states_in_words,
    stats_as_json,
    stats_as_lines,
    upgrade_as_line,
    upgrades_as_json,
)
from .worker import worker as worker_command

_LONG_WORK_S: Final = 600.0
_PATHS = click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=Path)
_JOBS = click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Number of tracks to encode at once.  [default: AUDIO_CACHE_MAX_WORKERS]",
)
_QUALITY = click.option(
    "--quality",
    "qualities",
    type=click.Choice(list(QUALITY_SETTINGS), case_sensitive=False),
    multiple=True,
    help="A quality to encode; repeat the option for more than one.",
)
_DRY_RUN = click.option(
    "--dry-run",
    is_flag=True,
    help="Only show what would be done, how long it would take and how much space it needs.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def _encode_options(command: Callable[..., None]) -> Callable[..., None]:
    return _PATHS(_QUALITY(_JOBS(_DRY_RUN(cache_options(command)))))


@click.group(cls=AudioCacheGroup)
@click.version_option(package_name="audio-cache")
def main() -> None:
    """Fill, inspect and maintain a cache of MP3 renditions of lossless music.

    Settings come from AUDIO_CACHE_* environment variables, as they do for a server.
    """


main.add_command(plan_command)
main.add_command(worker_command)


@main.command()
@click.option(
    "--heads",
    is_flag=True,
    help="Make only the first ten seconds, which play at once while the rest is made.",
)
@_encode_options
def warm(
    paths: tuple[Path, ...],
    qualities: tuple[QualityLevel, ...],
    jobs: int | None,
    dry_run: bool,
    heads: bool,
    cache_dir: Path | None,
) -> None:
    """Encode files, and everything in folders, unless they are cached and up to date.

    Without --quality, the qualities in AUDIO_CACHE_PRECACHE_QUALITIES are encoded.
    """
    cache = open_cache(cache_dir)
    wanted = qualities or AudioCacheSettings().precache_qualities
    tracks = dict.fromkeys(_find_sources(paths), wanted)
    if heads:
        warm_heads(cache, tracks, jobs or AudioCacheSettings().max_workers, dry_run)
    else:
        _carry_out(cache, tracks, jobs, dry_run)


@main.command()
@_encode_options
def regenerate(
    paths: tuple[Path, ...],
    qualities: tuple[QualityLevel, ...],
    jobs: int | None,
    dry_run: bool,
    cache_dir: Path | None,
) -> None:
    """Encode again what is outdated: files, and everything in folders, that have changed.

    Nothing is encoded that wasn't cached before. Without --quality, every quality is checked.
    """
    cache = open_existing_cache(cache_dir)
    wanted = dict.fromkeys(_find_sources(paths), qualities or tuple(QUALITY_SETTINGS))
    with open_meter(Console(highlight=False), "looking for what is outdated") as move:
        outdated = find_outdated(cache, wanted, on_source=move)
    _carry_out(cache, outdated, jobs, dry_run)


@main.command()
@_JSON
@cache_options
def stats(as_json: bool, cache_dir: Path | None) -> None:
    """Show what the cache holds and how much it saves."""
    cache = open_existing_cache(cache_dir)
    with open_meter(Console(highlight=False), "counting") as move:
        gathered = gather_stats(cache, on_entry=move)
    if as_json:
        click.echo(json.dumps(stats_as_json(cache.cache_dir, gathered), indent=2))
    else:
        click.echo("\n".join(stats_as_lines(cache.cache_dir, gathered)))


@main.command("verify")
@click.option(
    "--repair", is_flag=True, help="Encode bad entries again where their source still exists."
)
@click.option(
    "--deep",
    is_flag=True,
    help="Also encode random stretches of every entry again and compare them byte for byte.",
)
@_JOBS
@_JSON
@cache_options
def verify_command(
    repair: bool, deep: bool, jobs: int | None, as_json: bool, cache_dir: Path | None
) -> None:
    """Compare every entry with its checksum and its source, and decode what has no checksum."""
    cache = open_existing_cache(cache_dir)
    counts: Counter[State] = Counter()
    reported = []
    with open_meter(Console(highlight=False), "listing"):
        files = cache.stored_files()
    jobs = jobs or AudioCacheSettings().max_workers
    with open_bar(Console(highlight=False), "verifying", len(files)) as advance:
        for found in verify(cache, repair=repair, deep=deep, jobs=jobs, entries=files):
            advance()
            counts[found.state] += 1
            if found.state is not State.SOUND or found.reason:
                reported.append(inspection_as_json(found))
                if not as_json:
                    click.echo(inspection_as_line(found))
    if as_json:
        totals = {state.value: counts[state] for state in State}
        click.echo(json.dumps({"counts": totals, "entries": reported}, indent=2))
    else:
        click.echo(states_in_words(counts))
    if counts[State.DAMAGED] or (repair and counts[State.OUTDATED]):
        raise SystemExit(FAILED)


@main.command("upgrade")
@_JSON
@cache_options
def upgrade_command(as_json: bool, cache_dir: Path | None) -> None:
    """Take over entries of earlier versions, all at once; nothing is encoded.

    Without this each is taken over at its first play.
    """
    cache = open_existing_cache(cache_dir)
    entries = sorted(cache.entries())
    done = []
    with open_bar(Console(highlight=False), "upgrading", len(entries)) as advance:
        for each in upgrade(cache, entries):
            advance()
            done += [each] if each.is_needed else []
            if each.problem and not as_json:
                click.echo(f"left as it is: {upgrade_as_line(each)}")
    left = [each for each in done if each.problem]
    if as_json:
        click.echo(json.dumps(upgrades_as_json(done), indent=2))
    elif done:
        click.echo(f"{count_entries(len(done) - len(left))} taken over, {len(left)} left")
    else:
        click.echo("no entries of earlier versions")


@main.command()
@click.option(
    "--older-than-days",
    type=click.FloatRange(0),
    metavar="DAYS",
    help="Delete only entries older than this.",
)
@click.option("--yes", is_flag=True, help="Don't ask before deleting everything.")
@cache_options
def clear(older_than_days: float | None, yes: bool, cache_dir: Path | None) -> None:
    """Delete entries. Tracks that are being listened to keep playing."""
    cache = open_existing_cache(cache_dir)
    console = Console(highlight=False)
    with open_meter(console, "counting"):
        before = cache.get_cache_size()
        number = sum(1 for _ in cache.mp3_files())
    if older_than_days is None and not yes:
        what = count_entries(number)
        where = readable(cache.cache_dir)
        click.confirm(f"Delete all {what} ({bytes_in_words(before)}) in {where}?", abort=True)
    try:
        with open_meter(console, "deleting") as move:
            deleted = cache.clear_cache(older_than_days, on_file=move)
            after = cache.get_cache_size()
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    freed = bytes_in_words(max(0, before - after))
    click.echo(f"deleted {count_entries(deleted)}, {freed} freed")


@main.command()
@click.argument("path", type=Path)
@click.option(
    "--music-root",
    envvar="MUSIC_ROOT",
    default=".",
    help="The folder that PATH is relative to.  [default: MUSIC_ROOT, or the current directory]",
)
@cache_options
def debug(path: Path, music_root: str, cache_dir: Path | None) -> None:
    """Explain why a track is, or isn't, played from the cache."""
    cache = open_existing_cache(cache_dir)
    place = MusicRoots.of(split_roots(music_root)).find(os.fspath(path))
    show_explanation(Path(), path if place is None else place, cache.cache_dir)


def show_explanation(music_root: Path, path: Path, cache_dir: Path) -> None:
    """Print why a track is, or isn't, played from the cache; exit with FAILED if it isn't."""
    explanation = explain(music_root, path, cache_dir)
    click.echo("\n".join(explanation_as_lines(explanation)))
    if not explanation.is_playable:
        raise SystemExit(FAILED)


def _carry_out(cache: AudioCache, wanted: Wanted, jobs: int | None, dry_run: bool) -> None:
    """Say what it takes, then do it or leave it; exit with FAILED if a track couldn't be cached.

    What the cache cannot hold is not begun.
    """
    jobs = jobs or AudioCacheSettings().max_workers
    with open_bar(Console(highlight=False), "looking", len(wanted)) as advance:
        plan = make_plan(cache, wanted, advance)
    _show_plan(cache, plan, jobs, dry_run)
    obstacle = find_obstacle(cache, plan.size_bytes) if plan.tracks else None
    if obstacle is not None:
        click.echo(f"Error: {obstacle}", err=True)
    if obstacle is not None or (dry_run and plan.failures):
        raise SystemExit(FAILED)
    if not dry_run:
        _cache_all(cache, wanted, jobs)


def _cache_all(cache: AudioCache, wanted: Wanted, jobs: int) -> None:
    with open_display(Console(highlight=False), len(wanted)) as display:
        try:
            CacheWorker(cache, max_workers=jobs).cache_each(wanted, display)
        except KeyboardInterrupt:
            what = f"{display.done} of {counted(display.total, 'track')}"
            hint = "run the same command to continue"
            raise KeyboardInterrupt(f"interrupted after {what}; {hint}") from None
    click.echo(display.summary())
    if not display.all_well:
        raise SystemExit(FAILED)


def _show_plan(cache: AudioCache, plan: Plan, jobs: int, dry_run: bool) -> None:
    """Print what a plan takes; a real run tells of skipped and failed tracks when it is there."""
    lines = plan_as_lines(plan) if dry_run or plan.tracks else []
    click.echo("\n".join(lines if dry_run else lines[:1]), nl=bool(lines))
    if plan.tracks:
        # A try of 20 s is worth it before long work, or where nothing else is done.
        is_long = dry_run or plan.audio_s >= _LONG_WORK_S
        speed = measure_speed(cache, plan) if is_long else ASSUMED_SPEED
        click.echo("\n".join(cost_as_lines(plan, speed, jobs, free_bytes(cache))))


def _find_sources(paths: tuple[Path, ...]) -> list[Path]:
    found: list[Path] = []
    with open_meter(Console(highlight=False), "looking for music") as move:
        for path in collect_sources(paths, _complain):
            found.append(path)
            move(len(found), None)
    return found


def _complain(error: OSError) -> None:
    click.echo(f"cannot list {readable(error.filename)}: {error.strerror}", err=True)
