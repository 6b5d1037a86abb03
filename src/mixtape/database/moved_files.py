"""All that names tracks by their paths, led to the new paths of files that have moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, bindparam, delete, select, update
from sqlalchemy.orm import Session

from .paths import path_columns
from .tables import Track


def move_tracks(session: Session, moved: Mapping[bytes, bytes]) -> None:
    """Let what names tracks by their paths name them by others, within a unit of work.

    The rows of the library itself are left to whoever knows what else of them is new. What stands
    under a new path already, from a file that was there before, makes room.

    Args:
        moved: the new paths by the old ones; no path is among both.
    """
    for table, column, is_path in path_columns():
        if table is not Track.__table__:
            _move(session, table, column, is_path, moved)


def _move(
    session: Session,
    table: Table,
    column: Column[Any],
    is_path: ColumnElement[bool],
    moved: Mapping[bytes, bytes],
) -> None:
    keys = list(table.primary_key.columns)
    found = session.execute(select(*keys, column).where(is_path, column.in_(moved))).all()
    if not found:
        return
    rows = [
        {**{f"_{key.name}": row[at] for at, key in enumerate(keys)}, "_new": moved[row[-1]]}
        for row in found
    ]
    connection = session.connection()
    if column in keys:
        new_place = [key == bindparam("_new" if key is column else f"_{key.name}") for key in keys]
        connection.execute(delete(table).where(and_(*new_place)), rows)
    place = and_(*(key == bindparam(f"_{key.name}") for key in keys))
    connection.execute(update(table).where(place).values({column: bindparam("_new")}), rows)
