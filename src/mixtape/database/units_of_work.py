"""The database: one SQLite file, short units of work, a schema that knows its version."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, Integer, create_engine, event, insert, select, text
from sqlalchemy import update as sql_update
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..errors import DatabaseError
from .search import create_search_index
from .tables import Base

FILE_NAME: Final = "mixtape.db"
BUSY_TIMEOUT_S: Final = 20.0
# 600 threads share these: a unit of work takes milliseconds, so waiting for one of them is cheaper
# than 600 connections with a page cache each.
POOL_SIZE: Final = 16
POOL_OVERFLOW: Final = 16

Migration = Callable[[Connection], None]
# The step at index n leads from version n + 1 to n + 2. A new database is made by the models as
# they are, so a change to them and the step that catches up belong into one commit.
MIGRATIONS: Final[tuple[Migration, ...]] = ()


class SchemaVersion(Base):
    """One row: the version of the tables. A table and not a PRAGMA, so that any database has it."""

    __tablename__ = "schema_version"

    version: Mapped[int] = mapped_column(Integer, primary_key=True)


class Database:
    """Opens the database and hands out units of work, to any number of threads.

    Objects that a unit of work returned stay readable after it: nothing in them loads lazily.

    Args:
        url: of a SQLite file, made when missing. Other databases are refused until the search
            index has a form for them.
        busy_timeout_s: how long a unit of work waits for its turn to write.
        migrations: the steps that lead from version 1 to the newest.

    Raises:
        DatabaseError: the database cannot be opened, or a newer mixtape has written it.
    """

    def __init__(
        self,
        url: URL,
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        if url.get_backend_name() != "sqlite" or not url.database:
            raise DatabaseError(f"{url!r} is not the URL of a SQLite file, such as sqlite:///m.db")
        self._busy_timeout_s = busy_timeout_s
        self._turn = threading.Lock()
        self._engine = create_engine(
            url, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW, pool_use_lifo=True
        )
        self._write_engine = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        _prepare_sqlite(self._engine, busy_timeout_s)
        try:
            with self._write_engine.begin() as connection:
                _migrate(connection, migrations)
        finally:
            # Connections must not cross a fork, and a server may fork after this.
            self._engine.dispose()

    @classmethod
    def open(cls, data_root: Path) -> Database:
        """Open the database of a data folder, made when missing and readable by its owner alone."""
        data_root.mkdir(parents=True, exist_ok=True)
        path = data_root / FILE_NAME
        path.touch(mode=0o600)
        return cls(URL.create("sqlite", database=str(path)))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one state of the database and never waits for a writer."""
        with Session(self._engine, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session that commits at the end, or changes nothing where the block raises.

        Raises:
            DatabaseError: other threads were writing for longer than the busy timeout. A unit of
                work inside another of the same thread is such a case too.
        """
        # SQLite has one writer. Waiting here is fair and costs no connection; its own waiting is
        # a poll that holds one, and is left for writers in other processes.
        if not self._turn.acquire(timeout=self._busy_timeout_s):
            raise DatabaseError(f"the database was busy for {self._busy_timeout_s:g} s: try again")
        try:
            with Session(self._write_engine, expire_on_commit=False) as session, session.begin():
                yield session
        finally:
            self._turn.release()

    def optimize(self) -> None:
        """Let the query planner catch up with what was written; for after a large change."""
        with self.write() as session:
            session.execute(text("PRAGMA analysis_limit=1000"))
            session.execute(text("PRAGMA optimize"))

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._engine.dispose()


def _prepare_sqlite(engine: Engine, busy_timeout_s: float) -> None:
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
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


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


def _migrate(connection: Connection, migrations: Sequence[Migration]) -> None:
    newest = len(migrations) + 1
    if not connection.dialect.has_table(connection, SchemaVersion.__tablename__):
        Base.metadata.create_all(connection)
        create_search_index(connection)
        connection.execute(insert(SchemaVersion).values(version=newest))
        return
    current = connection.scalars(select(SchemaVersion.version)).one()
    if current > newest:
        raise DatabaseError(
            f"the database has version {current} and this mixtape knows versions up to {newest}: "
            "start the newer mixtape, or restore the database from before the update"
        )
    for step in migrations[current - 1 :]:
        step(connection)
    connection.execute(sql_update(SchemaVersion).values(version=newest))
