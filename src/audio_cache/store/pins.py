"""Pins: entries that somebody wants to be kept, whatever else needs the room."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

from .facts import Facts


class Pins:
    """Entries by who wants them kept. An entry may be pinned before it is there.

    They are in the index, for all processes. Where that is lost, the process that has set them sets
    them again.

    Args:
        facts: whose database they are in.
        cache_dir: where the entries are.
    """

    def __init__(self, facts: Facts, cache_dir: Path) -> None:
        self._facts = facts
        self._prefix = os.path.join(cache_dir, "")
        self._lock = threading.Lock()
        self._own: dict[str, tuple[str, ...]] = {}

    def set(self, owner: str, names: Iterable[str]) -> None:
        """Pin entries for an owner, in place of those that were pinned for him."""
        pinned = tuple(dict.fromkeys(names))
        with self._lock:
            self._own[owner] = pinned
        self._write(owner, pinned)

    def drop(self, owner: str) -> None:
        """Pin nothing any more for an owner."""
        with self._lock:
            self._own.pop(owner, None)
        self._write(owner, ())

    def owners(self) -> list[str]:
        """Return for whom something is pinned."""

        def read(database: sqlite3.Connection) -> list[str]:
            return [owner for (owner,) in database.execute("SELECT DISTINCT owner FROM pin")]

        return self._facts.use(read) or []

    def names(self) -> frozenset[str]:
        """Return the names of all entries that are pinned."""

        def read(database: sqlite3.Connection) -> frozenset[str]:
            return frozenset(name for (name,) in database.execute("SELECT name FROM pin"))

        return self._facts.use(read) or frozenset()

    def inodes(self) -> dict[int, int]:
        """Return the sizes by inode of the files that pinned entries are, as far as those exist.

        Not by what the index knows of their ids, which may have been lost.
        """
        found = {}
        for name in self.names():
            with contextlib.suppress(OSError):
                status = os.stat(self._prefix + name)
                found[status.st_ino] = status.st_size
        return found

    def restore(self) -> None:
        """Write what this process has pinned into an index that is new."""
        with self._lock:
            own = dict(self._own)
        for owner, names in own.items():
            self._write(owner, names)

    def _write(self, owner: str, names: Iterable[str]) -> None:
        rows = [(owner, name) for name in names]

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.execute("DELETE FROM pin WHERE owner = ?", (owner,))
                database.executemany("INSERT OR IGNORE INTO pin VALUES (?, ?)", rows)

        self._facts.use(write)
