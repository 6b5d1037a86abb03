"""The database that the settings name, for commands that run beside the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .errors import MixtapeError
from .settings import Settings, SettingsError, load_settings, prepare_data_root

if TYPE_CHECKING:
    from .database.units_of_work import Database


@contextmanager
def opened_database() -> Iterator[tuple[Settings, Path, Database]]:
    """Give the settings, DATA_ROOT and the database; what is wrong ends the command with a word.

    Raises:
        click.ClickException: a setting cannot be used, or what the command does is refused.
    """
    # Here and not above: `mixtape --help` need not wait for it.
    from .database.units_of_work import Database

    try:
        settings = load_settings()
        data_root = prepare_data_root(settings)
        url = settings.database_url
        database = Database.open(data_root, url.get_secret_value() if url else None)
        try:
            yield settings, data_root, database
        finally:
            database.close()
    except (MixtapeError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
