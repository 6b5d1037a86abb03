"""Rows of tables as JSON, whichever columns these have: a new one is in by itself."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterable, Mapping
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime
from typing import Any, Final

from sqlalchemy import JSON, Column, DateTime, Table, UniqueConstraint

from ..database import account_tables  # noqa: F401 - declares tables
from ..database.tables import MAX_ID, Base, UtcDateTime
from ..errors import BackupError
from ..files.tags import without_surrogates
from ..messages import Message

Row = dict[str, Any]
# The rows of one mixtape, or of one user, by the names of their tables.
Rows = dict[str, list[Row]]

MIXTAPE: Final[Table] = Base.metadata.tables["mixtape"]
LINK: Final[Table] = Base.metadata.tables["share_link"]
USER: Final[Table] = Base.metadata.tables["user"]
# What is not in a backup, and why.
LEFT_OUT_TABLES: Final[Mapping[str, str]] = {
    "track": "the library is scanned again; what tells a track of a mixtape is in `tracks`",
    **dict.fromkeys(
        ("album", "album_genre", "album_play", "artist", "stale_album", "stale_artist"),
        "sums the library up, and follows it",
    ),
    "root": "it says which music folders this host has",
    "upload": "its pictures are files of the backup",
    "draft": "what nobody has saved belongs to the editor that is open, by ids of this library",
    "listen": "is sent soon, and by this mixtape alone",
}
LEFT_OUT_COLUMNS: Final[Mapping[str, str]] = {
    "mixtape.user_id": "a number of this database; `owners` has the name",
    "share_link.share_key": "a secret that signs what listeners have loaded; a new one does too",
    "user.name_key": "made of the name",
    "user.session_epoch": "whoever was signed in signs in again",
    "user.sealed_listenbrainz_token": "opens the account of somebody elsewhere, who gives it anew",
    "user.listenbrainz_url": "goes with the token",
    "device.id": "a number of this database",
    **{
        f"{name}.user_id": "the file says whose it is"
        for name in ("device", "mark", "play", "bookmark", "play_queue")
    },
}
_BASE64: Final = "base64"
_ENDS_OF_CALENDAR: Final = (MINYEAR, MAXYEAR)


def backed_up_tables() -> tuple[Table, ...]:
    """Return the tables of mixtapes: these first, then what belongs to each of them."""
    return _with_what_belongs(MIXTAPE)


def user_tables() -> tuple[Table, ...]:
    """Return the tables of users: these first, then what belongs to each of them."""
    return _with_what_belongs(USER)


def parents_of(table: Table) -> dict[str, Table]:
    """Return the tables that rows of a table refer to, by the names of the columns that do."""
    return {key.parent.name: key.column.table for key in table.foreign_keys}


def identity_of(table: Table) -> str | None:
    """Return the name of the column with numbers that the database gives; None without one."""
    columns = list(table.primary_key.columns)
    is_number = len(columns) == 1 and columns[0].type.python_type is int
    return columns[0].name if is_number and columns[0].name not in parents_of(table) else None


def unique_columns(table: Table) -> list[Column[Any]]:
    """Return the columns of which no two rows of a table may hold the same, but for references."""
    names = {column.name for column in table.columns if column.unique}
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint) and len(constraint.columns) == 1:
            names.add(constraint.columns[0].name)
    for index in table.indexes:
        if index.unique and len(index.columns) == 1:
            names.add(index.columns[0].name)
    return [table.columns[name] for name in sorted(names) if name not in parents_of(table)]


def is_left_out(table: Table, column: str) -> bool:
    """Say whether a column is not in a backup."""
    return f"{table.name}.{column}" in LEFT_OUT_COLUMNS


def encode_row(table: Table, row: Mapping[str, Any]) -> Row:
    """Return a row of a table as values that JSON has."""
    return {
        name: encode_value(value) for name, value in row.items() if not is_left_out(table, name)
    }


def encode_value(value: Any) -> Any:
    """Return a value as JSON has it: moments in UTC, days and, where they can be, bytes as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return {_BASE64: base64.b64encode(value).decode("ascii")}
    return value


def decode_row(table: Table, row: Mapping[str, Any]) -> Row:
    """Return the values of a row; columns that this mixtape does not know are left out.

    Raises:
        BackupError: a value is not of its column's kind, or one is missing.
    """
    decoded = {}
    for column in table.columns:
        if column.name in row and not is_left_out(table, column.name):
            decoded[column.name] = _decode(column, row[column.name])
        elif _is_needed(table, column):
            raise BackupError(
                Message(
                    "a row of '%(table)s' has no '%(column)s'", table=table.name, column=column.name
                )
            )
    return decoded


def unknown_columns(
    rows: Mapping[str, Iterable[Mapping[str, Any]]], tables: Iterable[Table]
) -> set[str]:
    """Return the names of what is in rows and in no table here: a newer mixtape wrote them."""
    known = {table.name: set(table.columns.keys()) for table in tables}
    unknown = {name for name in rows if name not in known}
    for name, columns in known.items():
        for row in rows.get(name, ()):
            unknown.update(f"{name}.{column}" for column in row.keys() - columns)
    return unknown


def decode_bytes(value: Any) -> bytes:
    """Return the bytes that `encode_value` wrote.

    Raises:
        BackupError: it did not.
    """
    if isinstance(value, str):
        return without_surrogates(value).encode()
    try:
        if isinstance(value, dict) and set(value) == {_BASE64}:
            return base64.b64decode(value[_BASE64], validate=True)
    except (TypeError, ValueError, binascii.Error):
        pass
    raise BackupError(Message("a name of a file is neither text nor base64"))


def _with_what_belongs(first: Table) -> tuple[Table, ...]:
    found = [first]
    for table in Base.metadata.sorted_tables:
        belongs = any(parent in found for parent in parents_of(table).values())
        if belongs and table is not first and table.name not in LEFT_OUT_TABLES:
            found.append(table)
    return tuple(found)


def _is_needed(table: Table, column: Column[Any]) -> bool:
    """Say whether a row cannot be written without a column."""
    if column.nullable or column.default or column.server_default:
        return False
    # What the database numbers and what is made anew is put in by whoever restores.
    return not is_left_out(table, column.name) and column.name != identity_of(table)


def _decode(column: Column[Any], value: Any) -> Any:
    if value is None and column.nullable:
        return None
    if isinstance(column.type, JSON):
        return value
    if isinstance(column.type, UtcDateTime | DateTime):
        return _decode_moment(column, value)
    kind = column.type.python_type
    if kind is date:
        return _decode_day(column, value)
    if kind is bytes:
        return decode_bytes(value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or not _is_storable(value):
        raise BackupError(
            Message(
                "%(table)s.%(column)s is not a value of its kind",
                table=column.table.name,
                column=column.name,
            )
        )
    return without_surrogates(value.replace("\0", "")) if isinstance(value, str) else value


def _decode_moment(column: Column[Any], value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.year in _ENDS_OF_CALENDAR:
            raise ValueError("a little more or less is no date at all")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise BackupError(
            Message(
                "%(table)s.%(column)s is not a date", table=column.table.name, column=column.name
            )
        ) from error


def _decode_day(column: Column[Any], value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BackupError(
            Message(
                "%(table)s.%(column)s is not a date", table=column.table.name, column=column.name
            )
        ) from error


def _is_storable(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) <= MAX_ID
    return not isinstance(value, float) or math.isfinite(value)
