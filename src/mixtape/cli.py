"""The command `mixtape`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audio_cache import AudioCacheSettings, ConfigError, MusicRoots
from audio_cache.text import counted

from .command_database import opened_database
from .device_commands import devices
from .errors import DatabaseError
from .secret_key import read_secret_key
from .settings import (
    DEMO_LIBRARY,
    Settings,
    SettingsError,
    describe_settings,
    load_settings,
    prepare_data_root,
)
from .user_commands import users

if TYPE_CHECKING:
    from .backups.backups import Backups, Outcome, Preview


class ServeCommand(click.Command):
    """`serve`, whose help ends with the table of settings."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the settings below the options."""
        rows = []
        for name, default, meaning in describe_settings():
            rows.append((name, f"{meaning} (default: {default})" if default else meaning))
        with formatter.section("Environment"):
            formatter.write_dl(rows)


@click.group()
@click.version_option(package_name="audio-cache", prog_name="mixtape")
def main() -> None:
    """Play your music in the browser, at the quality your connection can take."""


main.add_command(users)
main.add_command(devices)


@main.command(cls=ServeCommand)
def serve() -> None:
    """Serve the library until it is stopped with Ctrl-C or SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        # Those of the cache are read again by the app; here a bad one stops the start at once.
        AudioCacheSettings()
        run(load_settings())
    except (ConfigError, DatabaseError, SettingsError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace FILE if it is there already.")
def backup(file: Path, force: bool) -> None:
    """Write all mixtapes, covers and people to FILE, a ZIP.

    It holds the links of the mixtapes: keep it as private as those.
    """
    with _opened_backups() as backups:
        count = backups.save(file, replaces=force)
    click.echo(f"{click.format_filename(file)} holds {counted(count, 'mixtape')}.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--existing",
    type=click.Choice(["keep", "replace", "both"]),
    help="What becomes of mixtapes that are here already and were changed since: keep them, "
    "replace them by those of FILE, or add those as copies with links of their own.",
)
@click.option(
    "--people/--no-people",
    "lets_in",
    default=None,
    help="Whether people and devices of FILE that are not here are added, with their passwords and "
    "keys. Whoever wrote FILE can get in by these.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def restore(file: Path, existing: str | None, lets_in: bool | None, dry_run: bool) -> None:
    """Put back the mixtapes, covers, stars and plays of FILE, which `mixtape backup` wrote.

    Nothing is deleted. Before a mixtape is replaced, all that are here are written to
    DATA_ROOT/backups.
    """
    with _opened_backups() as backups:
        preview = backups.preview(file)
        _show_preview(preview)
        if dry_run:
            return
        if existing is None and preview.plan.conflicts:
            existing = _ask_for_existing()
        if lets_in is None and preview.people.asks_to_let_in:
            lets_in = _ask_to_let_in()
        outcome = backups.restore(
            file,
            existing or "keep",  # type: ignore[arg-type] # mypy knows no Choice
            lets_in=bool(lets_in),
        )
    _show_outcome(outcome)


@contextmanager
def _opened_backups() -> Iterator[Backups]:
    from .accounts.sealing import Sealer
    from .backups.backups import Backups
    from .library.covers import Artwork
    from .library.roots import adopt_roots, are_noted

    with opened_database() as (settings, data_root, database):
        roots = MusicRoots.of(settings.music_roots or DEMO_LIBRARY)
        # Only a server changes them: a job may be given no MUSIC_ROOT, or another.
        if settings.music_roots and not are_noted(database):
            adopt_roots(database, roots)
        artwork = Artwork(database, roots, data_root)
        yield Backups(database, artwork, data_root, Sealer(read_secret_key(settings)))


def _ask_for_existing() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(
            "mixtapes of it are here already and were changed since: say with --existing whether "
            "to keep those, to replace them, or to have both. Nothing was changed."
        )
    choices = click.Choice(["keep", "replace", "both"])
    answer: str = click.prompt("What becomes of those that are here already?", type=choices)
    return answer


def _ask_to_let_in() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError(
            "people or devices of it are not here: say with --people or --no-people whether they "
            "are added with their passwords and keys. Nothing was changed."
        )
    return click.confirm(
        "Add these people and devices, with their passwords and keys? Only if you made the backup"
    )


def _show_preview(preview: Preview) -> None:
    plan, people = preview.plan, preview.people
    said = [
        (plan.count("new"), "{} new"),
        (plan.count("same"), "{} here already, as they are in the backup"),
        (plan.count("differs"), "{} here already, and changed since"),
        (plan.count("renewed"), "{} here already, under a new link"),
    ]
    words = [text.format(number) for number, text in said if number]
    click.echo(f"Backup of {plan.made_at:%Y-%m-%d %H:%M}: {', '.join(words) or 'no mixtapes'}.")
    if plan.moved:
        click.echo(f"{counted(plan.moved, 'track')} found at another place of the library.")
    for step in plan.steps:
        if step.lost:
            lost = f"{step.lost} of {counted(step.tracks, 'track')}"
            click.echo(f"“{step.title}”: {lost} not in the library. They keep their places.")
    if any(step.lost for step in plan.steps):
        click.echo("Where the library is not scanned yet, scan it first: mixtape serve.")
    if people.new:
        names = ", ".join(f"{name} ({role})" for name, role in people.new)
        click.echo(f"{counted(len(people.new), 'user')} not here: {names}.")
    if people.devices:
        click.echo(f"{counted(people.devices, 'device')} not here.")
    if people.locked:
        click.echo(
            f"{counted(people.locked, 'key')} sealed with another SECRET_KEY: add these devices "
            "again for apps that sign in by a token."
        )
    if people.heard:
        click.echo(f"Stars, ratings and plays of {counted(people.heard, 'user')}.")
    if plan.unknown:
        click.echo(f"A newer mixtape wrote it. Left out: {', '.join(plan.unknown)}.")


def _show_outcome(outcome: Outcome) -> None:
    done = outcome.restored
    click.echo(
        f"{counted(len(done.added), 'mixtape')} added, {len(done.replaced)} replaced, "
        f"{done.kept + done.same} left as they are; {counted(outcome.covers, 'cover')} put back."
    )
    people = outcome.people
    if people.added or people.devices:
        devices = counted(people.devices, "device")
        click.echo(f"{counted(len(people.added), 'user')} and {devices} added.")
    if people.heard:
        click.echo(f"Stars, ratings and plays of {counted(people.heard, 'user')} put back.")
    if outcome.safety is not None:
        click.echo(f"What was here before is in {click.format_filename(outcome.safety)}.")


def run(settings: Settings) -> None:
    """Bind, say where the music plays, and serve until a signal comes."""
    # Here and not above: `mixtape --help` need not wait for the web framework.
    from .server.run import MixtapeServer, address_of, bind_listener, raise_file_limit

    prepare_data_root(settings)
    read_secret_key(settings)
    _try_database(settings)
    listener = bind_listener(settings)
    address = address_of(settings, listener)
    library = settings.music_roots or (DEMO_LIBRARY,)
    if not settings.music_roots:
        click.echo("No MUSIC_ROOT is set: playing the demo library.")
    for folder in library:
        if not folder.exists():
            shown = click.format_filename(folder)
            click.echo(f"{shown} of MUSIC_ROOT is not there: is its disk mounted?", err=True)
    raise_file_limit(settings.server_threads)
    server = MixtapeServer(settings, listener)
    named = ", ".join(map(click.format_filename, library))
    click.echo(f"Mixtape is playing at {address} – library: {named}")
    server.run()


def _try_database(settings: Settings) -> None:
    """Let a server that cannot be reached stop the start with words, before workers are forked."""
    if settings.database_url is not None:
        from .database.units_of_work import Database

        Database.open(settings.data_root, settings.database_url.get_secret_value()).close()
