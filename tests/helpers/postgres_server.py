"""PostgreSQL as a process, with databases that are made for one test each."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg

from mixtape.database.units_of_work import Database
from tests.helpers.waiting import LIMIT_S, wait_until

OWNER = "mixtape"
_EMPTY = "template0"
_MIGRATED = "migrated"
# Nothing here has to outlive the machine.
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=16MB")


class PostgresServer:
    """A PostgreSQL of its own, from `with` to its end. Only a socket in its directory leads to it.

    Its locale is C, with which search and order must not depend on the database's own.

    Args:
        programs: where initdb and postgres are.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        # Not within pytest's directories, where only the user who runs it may look.
        self._root = Path(tempfile.mkdtemp(prefix="postgres-"))

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            shutil.chown(self._root, "postgres", "postgres")
        cluster = ("-D", str(self._root / "cluster"), "-U", OWNER, "-A", "trust", "--no-sync")
        subprocess.run(
            self._command("initdb", *cluster, "--encoding=UTF8", "--locale=C"),
            check=True,
            capture_output=True,
            cwd=self._root,
        )
        self.start()
        self._make(_MIGRATED, _EMPTY)
        Database.open(self._root, self.url_of(_MIGRATED)).close()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._root)

    def start(self) -> None:
        """Start it, and return when it answers."""
        options = [word for option in _FAST for word in ("-c", option)]
        options += ["-c", "listen_addresses=", "-k", str(self._root)]
        self._process = subprocess.Popen(
            self._command("postgres", "-D", str(self._root / "cluster"), *options),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._root,
        )
        wait_until(self._answers, "PostgreSQL")

    def stop(self) -> None:
        """Stop it as an update does: whoever is connected is sent away."""
        if self._process is not None:
            subprocess.run(
                self._command("pg_ctl", "stop", "-m", "fast", "-D", str(self._root / "cluster")),
                check=True,
                capture_output=True,
                cwd=self._root,
            )
            self._process.wait(LIMIT_S)
            self._process = None

    def url_of(self, name: str) -> str:
        """Return the address of a database as DATABASE_URL takes it."""
        return f"postgresql://{OWNER}@/{name}?host={self._root}"

    @contextmanager
    def new_database(self, *, is_empty: bool = False, encoding: str = "UTF8") -> Iterator[str]:
        """Give the address of a database with nothing in it.

        Args:
            is_empty: without tables, too.
            encoding: of an empty one.
        """
        name = f"test_{next(self._numbers)}"
        self._make(name, _EMPTY if is_empty else _MIGRATED, encoding)
        try:
            yield self.url_of(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def call(self, program: str, *options: str, told: bytes = b"") -> bytes:
        """Run a program of PostgreSQL for this server and return what it writes."""
        command = self._command(program, "-h", str(self._root), "-U", OWNER, *options)
        run = subprocess.run(command, input=told, check=True, capture_output=True, cwd=self._root)
        return run.stdout

    def _make(self, name: str, template: str, encoding: str = "UTF8") -> None:
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING '{encoding}'")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            self._run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _command(self, program: str, *options: str) -> Sequence[str]:
        command = [str(self._programs / program), *options]
        if os.geteuid() != 0:
            return command
        # PostgreSQL refuses to run as root.
        user = pwd.getpwnam("postgres")
        identity = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
        return ["setpriv", *identity, *command]
