"""The ledger: what the store holds and how it is used, in the index, for room to be made by."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .policy import Policy
from .replay import RecordedPlay

if TYPE_CHECKING:
    from .facts import Facts

TABLES: Final = """
CREATE TABLE IF NOT EXISTS object (
    id TEXT PRIMARY KEY, size INTEGER NOT NULL, stored INTEGER NOT NULL, created REAL NOT NULL,
    used REAL, uses INTEGER NOT NULL, worth REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS object_worth ON object (stored, worth, id, size);
CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pin (
    owner TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (owner, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS play (at REAL NOT NULL, object INTEGER NOT NULL, size INTEGER NOT NULL);
"""
# A play takes some 20 bytes. Of what was evicted, that is remembered which is worth most.
_MOST_PLAYS: Final = 50_000
_MOST_GHOSTS: Final = 50_000
# Of one transaction, so that the log of the database stays short.
_ROWS_AT_ONCE: Final = 1_000
# Mostly very few are asked for.
_FIRST_ROWS: Final = 8
# Values of `stored`; 0 stands for what is gone.
_OBJECT: Final = 1
_HEAD: Final = 2
# The first half of an id is shared by all renditions of the same audio.
_KEY_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Holding:
    """An object that the store holds, as the ledger knows it.

    Args:
        id: of the object.
        size_bytes: of its file.
        worth: by the policy; the least goes first.
        uses: how often it was played.
        used_at_s: when it was played last, in seconds since the epoch; None for never.
        created_at_s: when it was stored.
    """

    id: str
    size_bytes: int
    worth: float
    uses: int
    used_at_s: float | None
    created_at_s: float


@dataclass(frozen=True, slots=True)
class Play:
    """A play to be recorded: of an object by its id, or by the name of an entry of it."""

    at_s: float
    object_id: str
    size_bytes: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a look at the directory found.

    Args:
        objects: size in bytes and time of creation by id.
        unnamed: the ids of those that no entry names.
        heads: size in bytes and time of creation by the id of the rendition.
        rest_bytes: of all files besides objects, heads, partial files and the index.
        names: the ids of objects by their names, as far as those are hard links.
        strays: the sizes of files that have the name of an entry, and are no object's.
    """

    objects: Mapping[str, tuple[int, float]]
    unnamed: frozenset[str]
    heads: Mapping[str, tuple[int, float]]
    rest_bytes: int
    names: Mapping[str, str]
    strays: Sequence[int]


class Ledger:
    """The objects of the store in the order in which they go. Like all facts, it may be lost.

    Args:
        facts: whose database it is in.
        policy: says what objects are worth.
    """

    def __init__(self, facts: Facts, policy: Policy) -> None:
        self._facts = facts
        self._policy = policy

    def held_bytes(self) -> int | None:
        """Return the size of all objects and heads; None where the index cannot be used."""

        def read(database: sqlite3.Connection) -> int:
            query = "SELECT COALESCE(SUM(size), 0) FROM object WHERE stored > 0"
            return int(database.execute(query).fetchone()[0])

        return self._facts.use(read)

    def head_sizes(self) -> tuple[int, int]:
        """Return how many heads are held, and their size in bytes together."""

        def read(database: sqlite3.Connection) -> tuple[int, int]:
            query = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM object WHERE stored = 2"
            count, size_bytes = database.execute(query).fetchone()
            return int(count), int(size_bytes)

        return self._facts.use(read) or (0, 0)

    def tally(self, name: str) -> float | None:
        """Return a number that was noted; None where it was not, or was lost."""

        def read(database: sqlite3.Connection) -> float | None:
            row = database.execute("SELECT value FROM tally WHERE name = ?", (name,)).fetchone()
            return float(row[0]) if row is not None else None

        return self._facts.use(read)

    def note_held(self, object_id: str, size_bytes: int, at_s: float, like: str = "") -> None:
        """Note that an object is held, or is about to be.

        Args:
            like: the id of an object of the same audio, whose uses it takes over.
        """

        def write(database: sqlite3.Connection) -> None:
            row = (object_id, size_bytes, at_s, self._policy.made(at_s))
            with database:
                database.execute(_HOLD, row)
                if like:
                    database.execute(_INHERIT, {"id": object_id, "like": like})

        self._facts.use(write)

    def note_gone(self, ids: Iterable[str]) -> None:
        """Note that objects are held no more; how they were used is remembered."""
        rows = [(object_id,) for object_id in ids]

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.executemany("UPDATE object SET stored = 0 WHERE id = ?", rows)

        if rows:
            self._facts.use(write)

    def note_head(self, object_id: str, size_bytes: int, at_s: float) -> None:
        """Note that of a rendition the head is held, or is about to be."""
        self._write_rows(_KEEP, [(object_id, size_bytes, at_s, self._policy.made(at_s))])

    def note_headless(self, object_id: str) -> None:
        """Note that a head is held no more; the object may have taken its place."""
        self._write_rows(_BEHEAD, [(object_id,)])

    def note_rest(self, more_bytes: int) -> None:
        """Note by how much the other files of the directory have become more or less."""

        def write(database: sqlite3.Connection) -> None:
            with database:
                change = "UPDATE tally SET value = MAX(0, value + ?) WHERE name = 'rest'"
                database.execute(change, (more_bytes,))

        self._facts.use(write)

    def note_evicted(self, count: int, size_bytes: int) -> None:
        """Count evictions and the bytes that they freed, over all processes and restarts."""
        self._write_rows(_ADD, [("evictions", count), ("evicted_bytes", size_bytes)])

    def note_plays(self, plays: Iterable[Play]) -> list[Play]:
        """Record plays; return those whose objects are not known yet."""
        given = list(plays)

        def write(database: sqlite3.Connection) -> list[Play]:
            with database:
                unknown = [play for play in given if not self._record(database, play)]
                _forget_oldest(database)
            return unknown

        unknown = self._facts.use(write)
        return given if unknown is None else unknown

    def plays(self) -> list[RecordedPlay]:
        """Return the plays that are on record, the oldest first."""

        def read(database: sqlite3.Connection) -> list[RecordedPlay]:
            rows = database.execute("SELECT at, object, size FROM play ORDER BY at")
            return [RecordedPlay(*row) for row in rows]

        return self._facts.use(read) or []

    def holdings(self, *, unplayed_since_s: float | None = None) -> Iterator[Holding]:
        """Yield the objects that are held, what is worth least first.

        Args:
            unplayed_since_s: only what was never played and was stored before this time.
        """
        return self._in_order(_OBJECT, unplayed_since_s)

    def heads(self) -> Iterator[Holding]:
        """Yield the heads that are held, as `holdings`; the sizes are theirs."""
        return self._in_order(_HEAD, None)

    def _in_order(self, kind: int, unplayed_since_s: float | None) -> Iterator[Holding]:
        after, rows = (float("-inf"), ""), _FIRST_ROWS
        while True:
            some = self._some_holdings(kind, after, unplayed_since_s, rows)
            yield from some
            if len(some) < rows:
                return
            after, rows = (some[-1].worth, some[-1].id), _ROWS_AT_ONCE

    def settle(
        self,
        measured: Measured,
        at_s: float,
        has_object: Callable[[str], bool],
        has_head: Callable[[str], bool],
    ) -> None:
        """Bring the ledger into agreement with what the directory holds.

        Args:
            measured: what was found, which may have taken long.
            at_s: when that began.
            has_object: says whether an object is there now, as it may have come meanwhile.
            has_head: does so for heads.
        """
        known = {each.id: each for each in self.holdings()}
        new = {key: each for key, each in measured.objects.items() if key not in known}
        made = self._policy.made
        self._write_rows(_HOLD, [(key, size, at, made(at)) for key, (size, at) in new.items()])
        gone = [key for key in known.keys() - measured.objects.keys() if not has_object(key)]
        self._write_rows("UPDATE object SET stored = 0 WHERE id = ?", [(key,) for key in gone])
        heads = {each.id for each in self.heads()}
        new = {key: each for key, each in measured.heads.items() if key not in heads}
        self._write_rows(_KEEP, [(key, size, at, made(at)) for key, (size, at) in new.items()])
        headless = [key for key in heads - measured.heads.keys() if not has_head(key)]
        self._write_rows(_BEHEAD, [(key,) for key in headless])
        worth = self._policy.unnamed(at_s)
        unnamed = [(worth, key, worth) for key in measured.unnamed]
        self._write_rows(
            "UPDATE object SET uses = 0, worth = ? WHERE id = ? AND worth > ?", unnamed
        )
        strays = [("strays", len(measured.strays)), ("stray_bytes", sum(measured.strays))]
        tallies = [*strays, ("rest", measured.rest_bytes), ("measured", at_s)]
        self._write_rows("INSERT OR REPLACE INTO tally VALUES (?, ?)", tallies)

    def _write_rows(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]

            def write(
                database: sqlite3.Connection, some: Sequence[tuple[object, ...]] = some
            ) -> None:
                with database:
                    database.executemany(statement, some)

            self._facts.use(write)

    def _some_holdings(
        self, kind: int, after: tuple[float, str], unplayed_since_s: float | None, rows: int
    ) -> list[Holding]:
        def read(database: sqlite3.Connection) -> list[Holding]:
            since = unplayed_since_s
            values = (kind, *after, since is None, since, rows)
            return [Holding(*row) for row in database.execute(_NEXT, values)]

        return self._facts.use(read) or []

    def _record(self, database: sqlite3.Connection, play: Play) -> bool:
        object_id = play.object_id
        if not object_id:
            query = "SELECT id FROM entry WHERE name = ?"
            found = database.execute(query, (play.name,)).fetchone()
            if found is None:
                return False
            object_id = found[0]
        query = "SELECT worth, uses FROM object WHERE id = ?"
        row = database.execute(query, (object_id,)).fetchone()
        before = row[0] if row is not None and row[1] else None
        worth = self._policy.played(before, play.at_s)
        values = {"id": object_id, "size": play.size_bytes, "at": play.at_s, "worth": worth}
        database.execute(_USE, values)
        key = int(object_id[-_KEY_DIGITS:], 16)
        database.execute("INSERT INTO play VALUES (?, ?, ?)", (play.at_s, key, play.size_bytes))
        return True


_HOLD: Final = """
INSERT INTO object VALUES (?, ?, 1, ?, NULL, 0, ?)
ON CONFLICT (id) DO UPDATE SET stored = 1, size = excluded.size,
    created = CASE stored WHEN 1 THEN created ELSE excluded.created END,
    worth = CASE uses WHEN 0 THEN excluded.worth ELSE worth END
"""
_KEEP: Final = """
INSERT INTO object VALUES (?, ?, 2, ?, NULL, 0, ?)
ON CONFLICT (id) DO UPDATE SET stored = 2, size = excluded.size
"""
_ADD: Final = """
INSERT INTO tally VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
"""
_BEHEAD: Final = "UPDATE object SET stored = 0 WHERE id = ? AND stored = 2"
_INHERIT: Final = """
UPDATE object SET (used, uses, worth) = (SELECT used, uses, worth FROM object WHERE id = :like)
WHERE id = :id AND uses = 0 AND EXISTS (SELECT 1 FROM object WHERE id = :like AND uses > 0)
"""
_USE: Final = """
INSERT INTO object VALUES (:id, :size, 0, :at, :at, 1, :worth)
ON CONFLICT (id) DO UPDATE SET used = :at, uses = uses + 1, worth = :worth
"""
_NEXT: Final = """
SELECT id, size, worth, uses, used, created FROM object
WHERE stored = ? AND (worth, id) > (?, ?) AND (? OR (uses = 0 AND created < ?))
ORDER BY worth, id LIMIT ?
"""


def _forget_oldest(database: sqlite3.Connection) -> None:
    """Keep the records of plays, and the memory of what was evicted, within their bounds."""
    database.execute(
        "DELETE FROM play WHERE rowid <= (SELECT MAX(rowid) FROM play) - ?", (_MOST_PLAYS,)
    )
    database.execute(
        "DELETE FROM object WHERE stored = 0 AND worth <= (SELECT worth FROM object WHERE"
        " stored = 0 ORDER BY worth DESC LIMIT 1 OFFSET ?)",
        (_MOST_GHOSTS,),
    )
