"""The database: SQLite or PostgreSQL, short units of work, a schema that knows its revision."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, ColumnElement, Subquery, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..errors import DatabaseBusyError, DatabaseError
from ..settings import hide_password
from .backend import Backend, Pair
from .schema import MIGRATIONS, is_newest, upgrade
from .search import TextIndex
from .sqlite import open_sqlite
from .summaries import is_stale, sum_up

FILE_NAME: Final = "mixtape.db"
BUSY_TIMEOUT_S: Final = 20.0


class Database:
    """Opens the database and hands out units of work, to any number of threads.

    Objects that a unit of work returned stay readable after it: nothing in them loads lazily.

    Args:
        url: of a SQLite file, made when missing, or of a PostgreSQL database, which is there.
        busy_timeout_s: how long a unit of work waits for its turn to write.
        migrations: the folder of Alembic whose revisions lead to the newest one.

    Raises:
        DatabaseError: the database cannot be opened, or a newer mixtape has written it.
    """

    def __init__(
        self,
        url: URL,
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        migrations: Path = MIGRATIONS,
    ) -> None:
        self._busy_timeout_s = busy_timeout_s
        self._turn = threading.Lock()
        self._backend = _open_backend(url, busy_timeout_s)
        try:
            if migrations != MIGRATIONS or not is_newest(self._backend.readers):
                upgrade(self._backend.migrators, migrations)
            self._catch_up()
        except OperationalError as error:
            if url.get_backend_name() == "sqlite":
                raise
            shown = hide_password(url.render_as_string(hide_password=False))
            why = " ".join(str(error.orig).split()).rstrip("?.")
            raise DatabaseError(
                f"DATABASE_URL={shown} cannot be used: {why}. Start the server and create the role "
                "and the database, or unset DATABASE_URL"
            ) from error
        finally:
            # Connections must not cross a fork, and a server may fork after this.
            self.close()

    @classmethod
    def open(cls, data_root: Path, url: str | None = None) -> Database:
        """Open the database of a host.

        Args:
            data_root: where the SQLite file is, made when missing and readable by its owner alone.
            url: of a PostgreSQL database that is used in its place.

        Raises:
            DatabaseError: it cannot be opened.
        """
        if url is not None:
            try:
                return cls(make_url(url))
            except ArgumentError as error:
                raise DatabaseError(
                    f"DATABASE_URL={hide_password(url)} cannot be used: this is no address such as "
                    "postgresql://mixtape:password@localhost/mixtape"
                ) from error
        data_root.mkdir(parents=True, exist_ok=True)
        path = data_root / FILE_NAME
        path.touch(mode=0o600)
        return cls(URL.create("sqlite", database=str(path)))

    @property
    def search(self) -> TextIndex:
        """Return the full-text index over the tracks."""
        return self._backend.search

    def pairs(self, pairs: Sequence[Pair]) -> Subquery:
        """Return some pairs of texts as a table to join: its columns are `first` and `second`."""
        return self._backend.pairs(pairs)

    def one_of(
        self, column: InstrumentedAttribute[Any], values: Sequence[Any]
    ) -> ColumnElement[bool]:
        """Return the condition that a column has one of some values, which may be hundreds."""
        return self._backend.one_of(column, values)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one state of the database and never waits for a writer."""
        with Session(self._backend.readers, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session that commits at the end, or changes nothing where the block raises.

        The summaries of albums and artists follow what was written, in the same transaction.

        Raises:
            DatabaseBusyError: other threads were writing for longer than the busy timeout. A unit
                of work inside another of the same thread is such a case too.
        """
        # There is one writer. Waiting here is fair and costs no connection; the waiting of the
        # database holds one, and is left for writers in other processes.
        if not self._turn.acquire(timeout=self._busy_timeout_s):
            raise DatabaseBusyError(self._busy_timeout_s)
        try:
            writers = self._backend.writers
            with Session(writers, expire_on_commit=False) as session, session.begin():
                yield session
                sum_up(session, self._backend.pairs)
        finally:
            self._turn.release()

    @contextmanager
    def claim_scan(self) -> Iterator[bool]:
        """Say whether no other host scans, and keep others from it for a while.

        Processes of one host see to that by a file: what lists a folder then knows best.
        """
        if self._backend.claim_scan is None:
            yield True
            return
        with self._backend.readers.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            # The lock ends with the connection, so this one never goes back to the pool.
            connection.detach()
            is_claimed = bool(connection.execute(text(self._backend.claim_scan)).scalar())
            try:
                yield is_claimed
            finally:
                # Let go by name: the server notices a moment later that a connection is gone.
                with contextlib.suppress(DBAPIError):
                    connection.execute(text(self._backend.release_scan))

    def optimize(self) -> None:
        """Let the query planner catch up with what was written; for after a large change."""
        with self.write() as session:
            for statement in self._backend.optimize:
                session.execute(text(statement))

    def _catch_up(self) -> None:
        """Sum up what an upgrade has made stale, or a process from before the summaries."""
        with self.read() as session:
            is_behind = is_stale(session)
        if is_behind:
            with self.write():
                pass

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._backend.readers.dispose()


def _open_backend(url: URL, busy_timeout_s: float) -> Backend:
    name = url.get_backend_name()
    if name == "sqlite" and url.database:
        return open_sqlite(url, busy_timeout_s)
    if name == "postgresql":
        # Here and not above: a host with SQLite need not wait for it.
        from .postgres import open_postgres

        return open_postgres(url, busy_timeout_s)
    raise DatabaseError(
        f"{url!r} is not the URL of a database that mixtape knows, such as sqlite:///m.db or "
        "postgresql://user:password@host/name"
    )
