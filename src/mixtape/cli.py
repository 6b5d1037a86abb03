"""The command `mixtape`."""

from __future__ import annotations

import logging

import click

from audio_cache import AudioCacheSettings, ConfigError

from .errors import DatabaseError
from .settings import (
    DEMO_LIBRARY,
    Settings,
    SettingsError,
    describe_settings,
    load_settings,
    prepare_data_root,
    read_secret_key,
)


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


def run(settings: Settings) -> None:
    """Bind, say where the music plays, and serve until a signal comes."""
    # Here and not above: `mixtape --help` need not wait for the web framework.
    from .server.run import MixtapeServer, address_of, bind_listener, raise_file_limit

    prepare_data_root(settings)
    read_secret_key(settings)
    _try_database(settings)
    listener = bind_listener(settings)
    address = address_of(settings, listener)
    library = settings.music_root or DEMO_LIBRARY
    if settings.music_root is None:
        click.echo("No MUSIC_ROOT is set: playing the demo library.")
    raise_file_limit(settings.server_threads)
    server = MixtapeServer(settings, listener)
    click.echo(f"Mixtape is playing at {address} – library: {click.format_filename(library)}")
    server.run()


def _try_database(settings: Settings) -> None:
    """Let a server that cannot be reached stop the start with words, before workers are forked."""
    if settings.database_url is not None:
        from .database.units_of_work import Database

        Database.open(settings.data_root, settings.database_url.get_secret_value()).close()
