"""SQLite files whose tables were made before, as `PostgresServer` has them in a template."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from mixtape.database.units_of_work import FILE_NAME, Database


def open_database(data_root: Path, url: str | None = None) -> Database:
    """Return the database of a host with all its tables, which hold nothing where it is new."""
    data_root.mkdir(exist_ok=True)
    if url is None:
        lay_tables(data_root)
    return Database.open(data_root, url)


def lay_tables(data_root: Path) -> None:
    """Put a file with tables where a host has its database, unless there is one."""
    path = data_root / FILE_NAME
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_tables())


@cache
def _tables() -> bytes:
    """Return what the migrations make, which take longer than most of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Database.open(Path(folder)).close()
        return (Path(folder) / FILE_NAME).read_bytes()
