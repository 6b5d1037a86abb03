"""The schema: made and brought up to date by Alembic, which is loaded only where that is due."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from ..errors import DatabaseError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# The last of the revisions there. Finding it out there takes Alembic, which loads in 120 ms.
NEWEST: Final = "0011"
# That of the tables which mixtape made before it had Alembic, with their version in a table.
_BEFORE_ALEMBIC: Final = "0001"
VERSION_TABLE: Final = "schema_version"
_CURRENT: Final = text("SELECT version_num FROM alembic_version")

logger = logging.getLogger(__name__)


def is_newest(readers: Engine) -> bool:
    """Say by one query whether the tables are as this mixtape needs them."""
    with readers.connect() as connection:
        try:
            return connection.execute(_CURRENT).scalar() == NEWEST
        except DBAPIError:
            # There is no such table, or whatever it is stops the upgrade too.
            return False


def upgrade(migrators: Engine, migrations: Path = MIGRATIONS) -> None:
    """Make the tables, or bring those that are there up to date; all of it or nothing.

    Raises:
        DatabaseError: a newer mixtape has written the database.
    """
    with migrators.begin() as connection:
        _upgrade(connection, migrations)


def _upgrade(connection: Connection, migrations: Path) -> None:
    # It names each of its parts as they are loaded.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    # "%" stands for itself in this option only where it is doubled.
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    tables = set(inspect(connection).get_table_names())
    current = None
    if "alembic_version" in tables:
        current = connection.execute(_CURRENT).scalar()
    elif VERSION_TABLE in tables:
        current = _BEFORE_ALEMBIC
        command.stamp(config, current)
    if current is not None:
        _refuse_newer(scripts, current)
    command.upgrade(config, "head")
    head = scripts.get_current_head()
    logger.info("database: from revision %s to %s", current or "none", head)
    if connection.dialect.name == "sqlite":
        _number_version(connection, scripts)
        _check_references(connection)


def _refuse_newer(scripts: ScriptDirectory, current: str) -> None:
    known = [script.revision for script in scripts.walk_revisions()]
    if current not in known:
        raise DatabaseError(
            f"the database has revision {current} and this mixtape knows revisions up to "
            f"{known[0]}: start the newer mixtape, or restore the database from before the update"
        )


def _number_version(connection: Connection, scripts: ScriptDirectory) -> None:
    """Write where a mixtape from before Alembic looks, so that it refuses what came after it."""
    count = len(list(scripts.walk_revisions()))
    connection.execute(text(f"UPDATE {VERSION_TABLE} SET version = :count"), {"count": count})


def _check_references(connection: Connection) -> None:
    # SQLite looks at no foreign key while tables are changed.
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        raise DatabaseError(
            f"after its upgrade the database would refer to rows that are not there: {broken[:3]}. "
            "It is left as it was"
        )
