"""PostgreSQL by psycopg: for hosts that share a database. Search by a tsvector.

The functions that words are folded and cut by stand in the database, since its triggers of writes
and its queries have to agree: see `migrations/versions/v0001_tables.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    URL,
    ColumnElement,
    Connection,
    Subquery,
    any_,
    create_engine,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import InstrumentedAttribute

from ..errors import DatabaseBusyError, DatabaseError
from .backend import Backend, Pair
from .search import Field, SearchTerms, TextIndex
from .tables import PostgresText

# Four processes take 64 of the 100 connections that PostgreSQL has by default.
POOL_SIZE: Final = 8
POOL_OVERFLOW: Final = 8
CONNECT_TIMEOUT_S: Final = 10
# Advisory locks count within one database, where only mixtape is: any number will do.
WRITERS_LOCK: Final = 0x6D697874617065
SCAN_LOCK: Final = WRITERS_LOCK + 1
_LOCK_NOT_AVAILABLE: Final = "55P03"
_WEIGHTS: Final[dict[Field, str]] = {"title": "A", "artist": "B", "album": "C", "album_artist": "D"}


def open_postgres(url: URL, busy_timeout_s: float) -> Backend:
    """Return the backend of a PostgreSQL database.

    Raises:
        DatabaseError: psycopg is not installed.
    """
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_use_lifo=True,
            pool_pre_ping=True,  # the server may have been restarted since
            # Said, as psycopg has bytes for all texts of a database that is in no encoding.
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "client_encoding": "UTF8"},
        )
    except ImportError as error:
        raise DatabaseError(
            "PostgreSQL needs the package psycopg, which is not installed: "
            "pip install 'audio-cache[postgres]'"
        ) from error
    writers = engine.execution_options(lock_timeout_s=busy_timeout_s)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        timeout_s = connection.get_execution_options().get("lock_timeout_s")
        if timeout_s is not None:
            _take_turn(connection, timeout_s)

    return Backend(
        readers=engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        ),
        writers=writers,
        migrators=writers,
        search=TSVECTOR,
        pairs=_pairs,
        one_of=_one_of,
        optimize=("ANALYZE track, album, album_genre, album_play, artist",),
        claim_scan=f"SELECT pg_try_advisory_lock({SCAN_LOCK})",
        release_scan=f"SELECT pg_advisory_unlock({SCAN_LOCK})",
    )


def _take_turn(connection: Connection, timeout_s: float) -> None:
    """Wait until no other process writes, as SQLite's BEGIN IMMEDIATE does.

    What a unit of work reads and then writes by is so never out of date. Isolation SERIALIZABLE
    would not wait but fail, and a block under `with` cannot be run again.
    """
    lock = "SELECT set_config('lock_timeout', %s, true), pg_advisory_xact_lock(%s)"
    try:
        connection.exec_driver_sql(lock, (f"{timeout_s * 1000:.0f}ms", WRITERS_LOCK))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise DatabaseBusyError(timeout_s) from error


def _pairs(pairs: Sequence[Pair]) -> Subquery:
    columns = zip(*pairs, strict=True) if pairs else ((), ())
    texts = (literal(list(column), ARRAY(PostgresText)) for column in columns)
    rows = func.unnest(*texts).table_valued("first", "second").render_derived()
    return select(rows.c.first.collate("C"), rows.c.second.collate("C")).subquery()


def _one_of(column: InstrumentedAttribute[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    # One value again: SQLAlchemy and psycopg take longer to write hundreds of them into a
    # statement than PostgreSQL takes to look them up.
    return column == any_(literal(list(values), ARRAY(column.type)))


def _values_of(terms: SearchTerms) -> Mapping[str, object]:
    # No weights for all of them: the index does not hold these, so each match would be looked up.
    weights = "".join(_WEIGHTS[field] for field in terms.fields)
    return {"terms": list(terms.terms), "weights": weights}


_QUERY: Final = "mixtape_search_query(CAST(:terms AS text[]), :weights, '&')"
_ANY: Final = "mixtape_search_query(CAST(:terms AS text[]), :weights, '|')"
_PRESENT: Final = f"FROM track WHERE search @@ {_QUERY} AND missing_since IS NULL"
TSVECTOR: Final = TextIndex(
    # By any of the terms: so ts_rank adds up what each is worth, as bm25 does. For all of them it
    # would go by how near they are to each other. The 1 takes off for long texts.
    ranked=text(
        f"""SELECT id {_PRESENT}
        ORDER BY ts_rank('{{0.25, 0.5, 0.75, 1}}', search, {_ANY}, 1) DESC, id
        LIMIT :limit OFFSET :offset"""
    ),
    unranked=text(f"SELECT id {_PRESENT} ORDER BY id LIMIT :limit OFFSET :offset"),
    count=text(
        f"SELECT count(*) FROM (SELECT 1 FROM track WHERE search @@ {_QUERY} LIMIT :limit) found"
    ),
    ids=text(f"SELECT id FROM track WHERE search @@ {_QUERY}"),
    values_of=_values_of,
)
