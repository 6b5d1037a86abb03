"""SQLite: one file, one writer at a time, search by FTS5."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Subquery,
    create_engine,
    event,
    func,
    select,
    text,
)

from .backend import Backend, Pair
from .search import SearchTerms, TextIndex

# 600 threads share these: a unit of work takes milliseconds, so waiting for one of them is cheaper
# than 600 connections with a page cache each.
POOL_SIZE: Final = 16
POOL_OVERFLOW: Final = 16


def open_sqlite(url: URL, busy_timeout_s: float) -> Backend:
    """Return the backend of a SQLite file, made when missing."""
    engine = create_engine(url, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW, pool_use_lifo=True)
    _prepare(engine, busy_timeout_s)
    immediate = engine.execution_options(begin=("BEGIN IMMEDIATE",))
    return Backend(
        readers=engine,
        writers=immediate,
        # A step that makes a table anew would delete, with the old one, all that refers to it.
        migrators=engine.execution_options(begin=("PRAGMA foreign_keys=OFF", "BEGIN IMMEDIATE")),
        search=FTS5,
        pairs=_pairs,
        one_of=lambda column, values: column.in_(values),
        optimize=("PRAGMA analysis_limit=1000", "PRAGMA optimize"),
    )


def _prepare(engine: Engine, busy_timeout_s: float) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        # None: transactions begin where the "begin" event says so. The driver's own way starts
        # one at the first write only, which fails at once where somebody else wrote meanwhile.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={busy_timeout_s * 1000:.0f}")
        _use_write_ahead_log(connection, busy_timeout_s)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        for statement in connection.get_execution_options().get("begin", ("BEGIN",)):
            connection.exec_driver_sql(statement)


def _use_write_ahead_log(connection: sqlite3.Connection, busy_timeout_s: float) -> None:
    """Set the journal mode, which the file keeps.

    Where two connections set it for a new file at once, SQLite fails one of them without the busy
    timeout, as each could wait for the other; the next try finds it set.
    """
    deadline = time.monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)


def _pairs(pairs: Sequence[Pair]) -> Subquery:
    # One value, however many there are: the statement stays the same, and is prepared already.
    rows = func.json_each(json.dumps(pairs)).table_valued("value")
    first, second = (func.json_extract(rows.c.value, f"$[{place}]") for place in range(2))
    return select(first.label("first"), second.label("second")).subquery()


def match_expression(terms: SearchTerms) -> str:
    """Return the FTS5 query for what is typed.

    Terms are quoted, so that nothing in them means anything to FTS5: `AC/DC`, `"`, `NOT`, `*`.
    """
    expression = " ".join('"{}"*'.format(term.replace('"', '""')) for term in terms.terms)
    return f"{{{' '.join(terms.fields)}}} : ({expression})" if terms.fields else expression


def _values_of(terms: SearchTerms) -> Mapping[str, object]:
    return {"expression": match_expression(terms)}


# CROSS JOIN keeps SQLite from starting at the table and asking the index about every row.
_PRESENT: Final = """FROM track_search CROSS JOIN track ON track.id = track_search.rowid
    WHERE track_search MATCH :expression AND track.missing_since IS NULL"""
FTS5: Final = TextIndex(
    ranked=text(
        f"""SELECT track.id {_PRESENT}
        ORDER BY bm25(track_search, 4.0, 3.0, 2.0, 1.0), track.id LIMIT :limit OFFSET :offset"""
    ),
    unranked=text(
        f"SELECT track.id {_PRESENT} ORDER BY track_search.rowid LIMIT :limit OFFSET :offset"
    ),
    count=text(
        """SELECT count(*) FROM (
            SELECT 1 FROM track_search WHERE track_search MATCH :expression LIMIT :limit)"""
    ),
    ids=text("SELECT rowid AS id FROM track_search WHERE track_search MATCH :expression"),
    values_of=_values_of,
)
