"""Facts about sources and objects, in a small database; found out again where they are lost."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sqlite3
import stat
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from ..encoding.survey import Damage
from ..sources.source import FileVersion
from . import ledger, summary
from .entry import PRIVATE_FILE

FILE_NAME: Final = "index.db"
_SCHEMA: Final = 2
_BUSY_S: Final = 5.0
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS source (
    path BLOB PRIMARY KEY, version TEXT NOT NULL, audio TEXT NOT NULL, samples INTEGER,
    checked INTEGER NOT NULL, size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS source_size ON source (size);
CREATE TABLE IF NOT EXISTS entry (
    name TEXT PRIMARY KEY, path BLOB NOT NULL, quality TEXT NOT NULL, version TEXT NOT NULL,
    id TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_id ON entry (id);
CREATE TABLE IF NOT EXISTS checksum (
    id TEXT PRIMARY KEY, blake3 TEXT NOT NULL, proven INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS crc (id TEXT PRIMARY KEY, crc32 INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS damage (
    path BLOB PRIMARY KEY, version TEXT NOT NULL, at REAL, until REAL NOT NULL,
    lost REAL NOT NULL, heard REAL NOT NULL
) WITHOUT ROWID;
"""
_KNOWN_NAMES: Final = """
SELECT name, EXISTS (SELECT 1 FROM object WHERE id = entry.id AND stored = 1) FROM entry
"""
# Of one transaction, so that nobody waits long for his.
_ROWS_AT_ONCE: Final = 1_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """The source that an entry was made from, how large that was, and the object that it is."""

    path: Path
    source_bytes: int
    id: str


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of an object must hash to.

    `is_proven` where an encoder has just made them; else they were first looked at later on, when
    they may have been damaged already.
    """

    blake3: str
    is_proven: bool


class Facts:
    """A cache of facts, never the truth: it may be deleted at any time, under a running server too.

    Nothing here raises: a database that cannot be read knows nothing, and one that cannot be
    written forgets.

    Args:
        cache_dir: where the database lies.
        logger: is told once where it cannot be used.
        form: what besides a source decides which object an entry of it is, such as its tags that
            travel: under another form nothing of what was noted of entries counts.
    """

    def __init__(self, cache_dir: Path, logger: logging.Logger, form: str = "") -> None:
        self._form = hashlib.sha256(form.encode()).hexdigest()[:16]
        self._path = os.path.join(cache_dir, FILE_NAME)
        self._logger = logger
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._inherited: list[sqlite3.Connection] = []
        self._is_told = False
        _ALL.add(self)

    def audio_of(self, path: str, version: FileVersion) -> str:
        """Return the identity of a source's audio; "" where it is not known of this version."""
        row = self._find("SELECT version, audio FROM source WHERE path = ?", os.fsencode(path))
        return str(row[1]) if row is not None and row[0] == _text(version) else ""

    def samples_of(self, path: str, version: FileVersion) -> int | None:
        """Return how many samples a source was found to have; None where that is not known."""
        row = self._find("SELECT version, samples FROM source WHERE path = ?", os.fsencode(path))
        return row[1] if row is not None and row[0] == _text(version) else None

    def is_checked(self, path: str, version: FileVersion) -> bool:
        """Say whether the audio was compared with what the file states, in this version."""
        row = self._find("SELECT version, checked FROM source WHERE path = ?", os.fsencode(path))
        return row is not None and row[0] == _text(version) and bool(row[1])

    def note_source(
        self, path: str, version: FileVersion, audio: str, samples: int | None, *, checked: bool
    ) -> None:
        """Remember the identity of a source's audio, its length, and whether it was checked."""
        values = (os.fsencode(path), _text(version), audio, samples, checked, version[2])
        self._do("INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?, ?, ?)", values)

    def damage_of(self, path: str) -> tuple[FileVersion, Damage] | None:
        """Return which version of a source was found to be damaged, and how; None for none."""
        query = "SELECT version, at, until, lost, heard FROM damage WHERE path = ?"
        row = self._find(query, os.fsencode(path))
        return (_version(row[0]), Damage(*row[1:])) if row is not None else None

    def note_damage(self, path: str, version: FileVersion, damage: Damage | None) -> None:
        """Remember what is wrong with a source; with None, that nothing is."""
        key = os.fsencode(path)
        if damage is not None:
            values = (key, _text(version), *astuple(damage))
            self._do("INSERT OR REPLACE INTO damage VALUES (?, ?, ?, ?, ?, ?)", values)
        elif self._find("SELECT 1 FROM damage WHERE path = ?", key) is not None:
            self._do("DELETE FROM damage WHERE path = ?", (key,))

    def damages(self) -> dict[Path, tuple[FileVersion, Damage]]:
        """Return by path which version of a source is damaged, and how."""

        def read(database: sqlite3.Connection) -> dict[Path, tuple[FileVersion, Damage]]:
            rows = database.execute("SELECT path, version, at, until, lost, heard FROM damage")
            return {
                Path(os.fsdecode(path)): (_version(version), Damage(*damage))
                for path, version, *damage in rows
            }

        return self._use(read) or {}

    def knows_size(self, size_bytes: int) -> bool:
        """Say whether some source of a size is known, so that another may be that one, moved."""
        return self._find("SELECT 1 FROM source WHERE size = ? LIMIT 1", size_bytes) is not None

    def note_entry(
        self, name: str, path: str, quality: str, version: FileVersion, object_id: str
    ) -> None:
        """Remember what an entry was made from."""
        values = (name, os.fsencode(path), quality, self._of_entry(version), object_id)
        self._do("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?)", values)

    def object_of(self, name: str, version: FileVersion) -> str:
        """Return the id of the object that an entry is for a version of its source; "" if unknown.

        The entry itself has to be looked at: it may be another by now.
        """
        row = self._find("SELECT version, id FROM entry WHERE name = ?", name)
        return str(row[1]) if row is not None and row[0] == self._of_entry(version) else ""

    def source_of(self, name: str) -> Path | None:
        """Return the path of the source that an entry was made from; None where it is not known."""
        row = self._find("SELECT path FROM entry WHERE name = ? AND path <> x''", name)
        return Path(os.fsdecode(row[0])) if row is not None else None

    def origins_of(self, object_id: str) -> list[tuple[Path, str]]:
        """Return path and quality of each source that an object was made from or found to be of."""

        def read(database: sqlite3.Connection) -> list[tuple[Path, str]]:
            query = "SELECT path, quality FROM entry WHERE id = ? AND path <> x''"
            rows = database.execute(query, (object_id,))
            return [(Path(os.fsdecode(path)), quality) for path, quality in rows]

        return self._use(read) or []

    def checksum_of(self, object_id: str) -> Checksum | None:
        """Return the checksum of an object; None where it is not known."""
        row = self._find("SELECT blake3, proven FROM checksum WHERE id = ?", object_id)
        return Checksum(row[0], bool(row[1])) if row is not None else None

    def note_checksum(self, object_id: str, checksum: Checksum) -> None:
        """Remember the checksum of an object."""
        values = (object_id, checksum.blake3, checksum.is_proven)
        self._do("INSERT OR REPLACE INTO checksum VALUES (?, ?, ?)", values)

    def crc_of(self, object_id: str) -> int | None:
        """Return the CRC-32 of what has an id, stored or not; None where it is not known."""
        row = self._find("SELECT crc32 FROM crc WHERE id = ?", object_id)
        return None if row is None else int(row[0])

    def note_crc(self, object_id: str, crc32: int) -> None:
        """Remember a CRC-32; it outlives the object, which has the same whenever it is made."""
        self._do("INSERT OR REPLACE INTO crc VALUES (?, ?)", (object_id, crc32))

    def entries(self) -> dict[str, EntryFacts]:
        """Return by name of the entry what it was made from."""

        def read(database: sqlite3.Connection) -> dict[str, EntryFacts]:
            query = "SELECT name, path, version, id FROM entry WHERE path <> x''"
            rows = database.execute(query)
            return {
                name: EntryFacts(Path(os.fsdecode(path)), _size(version), object_id)
                for name, path, version, object_id in rows
            }

        return self._use(read) or {}

    def id_of(self, name: str) -> str | None:
        """Return the object that an entry was made to name; None where it is not known."""
        row = self._find("SELECT id FROM entry WHERE name = ?", name)
        return str(row[0]) if row is not None else None

    def names_of(self, object_id: str) -> list[str]:
        """Return the entries that were made to name an object."""

        def read(database: sqlite3.Connection) -> list[str]:
            rows = database.execute("SELECT name FROM entry WHERE id = ?", (object_id,))
            return [name for (name,) in rows]

        return self._use(read) or []

    def forget(self, names: Iterable[str]) -> None:
        """Forget entries that are gone."""
        rows = [(name,) for name in names]
        if rows:
            self._do_all("DELETE FROM entry WHERE name = ?", rows)

    def settle_names(self, found: Mapping[str, str], is_there: Callable[[str], bool]) -> None:
        """Note names of objects that are not known, and forget those of objects that are gone.

        From what they were made, the next lookup finds out.

        Args:
            found: the ids of objects by their names.
            is_there: says whether a name is there now, found or not.
        """

        def read(database: sqlite3.Connection) -> dict[str, bool]:
            rows = database.execute(_KNOWN_NAMES)
            return {name: bool(is_held) for name, is_held in rows}

        known = self._use(read) or {}
        new = [(name, each) for name, each in found.items() if name not in known]
        insert = "INSERT OR IGNORE INTO entry VALUES (?, x'', ?, '', ?)"
        rows = [(name, name.split("_")[1], each) for name, each in new]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            self._do_all(insert, rows[start : start + _ROWS_AT_ONCE])
        held = (name for name, is_held in known.items() if is_held and name not in found)
        self.forget([name for name in held if not is_there(name)])

    def use(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """Return what an action on the database finds; None where that cannot be used."""
        return self._use(action)

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        with self._lock:
            self._close()

    def _of_entry(self, version: FileVersion) -> str:
        return f"{_text(version)} {self._form}"

    def _find(self, query: str, *values: object) -> tuple[Any, ...] | None:
        def find(database: sqlite3.Connection) -> tuple[Any, ...] | None:
            row: tuple[Any, ...] | None = database.execute(query, values).fetchone()
            return row

        return self._use(find)

    def _do(self, statement: str, values: tuple[object, ...]) -> None:
        def do(database: sqlite3.Connection) -> None:
            with database:
                database.execute(statement, values)

        self._use(do)

    def _do_all(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        def do(database: sqlite3.Connection) -> None:
            with database:
                database.executemany(statement, rows)

        self._use(do)

    def _use(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """Return what an action finds; None where the database cannot be used."""
        with self._lock:
            for may_try_again in (True, False):
                try:
                    found = action(self._open())
                    self._is_told = False
                    return found
                except (sqlite3.Error, OSError, ValueError, LookupError) as error:
                    self._close()
                    if may_try_again and _is_unusable(error):
                        self._discard()
                    elif not may_try_again and not self._is_told:
                        self._is_told = True
                        self._logger.warning("the index %s cannot be used: %s", self._path, error)
        return None

    def _open(self) -> sqlite3.Connection:
        """Return the connection of this process, anew where somebody has deleted the file."""
        if self._database is not None and self._is_there():
            return self._database
        self._close()
        # SQLite gives its other files the mode of this one. It is not opened for that: to close it
        # would end the locks of other connections of this process (fcntl(2)).
        with contextlib.suppress(OSError):
            os.mknod(self._path, stat.S_IFREG | PRIVATE_FILE)
        self._database = sqlite3.connect(
            self._path, timeout=_BUSY_S, check_same_thread=False, cached_statements=32
        )
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        # What is made room for counts this log too, so it is kept short.
        self._database.execute("PRAGMA journal_size_limit=524288")
        self._database.execute("PRAGMA wal_autocheckpoint=100")
        if self._database.execute("PRAGMA user_version").fetchone()[0] not in (0, _SCHEMA):
            raise sqlite3.DatabaseError("it is of another version")
        # What is replaced is deleted before, as triggers have to know.
        self._database.execute("PRAGMA recursive_triggers=ON")
        tables = f"{_TABLES} {ledger.TABLES} {summary.TABLES}"
        self._database.executescript(f"{tables} PRAGMA user_version={_SCHEMA};")
        self._inode = os.stat(self._path).st_ino
        return self._database

    def begin_anew(self) -> None:
        """Leave the connection of the process that this one was forked from alone."""
        # SQLite forbids to carry one over a fork, even to close it there, which dropping it does.
        if self._database is not None:
            self._inherited.append(self._database)
        self._database = None
        self._lock = threading.Lock()

    def _is_there(self) -> bool:
        with contextlib.suppress(OSError):
            return os.stat(self._path).st_ino == self._inode
        return False

    def _close(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
        self._database = None

    def _discard(self) -> None:
        """Delete a database that is none: what it knew is found out again."""
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.unlink(self._path + suffix)


def _is_unusable(error: Exception) -> bool:
    """Say whether a database is damaged, and not merely locked or out of reach."""
    is_out_of_reach = isinstance(error, sqlite3.OperationalError | OSError)
    return not is_out_of_reach and isinstance(
        error, sqlite3.DatabaseError | ValueError | LookupError
    )


def _begin_all_anew() -> None:
    for facts in list(_ALL):
        facts.begin_anew()


_ALL: Final[weakref.WeakSet[Facts]] = weakref.WeakSet()
os.register_at_fork(after_in_child=_begin_all_anew)


def _text(version: FileVersion) -> str:
    return " ".join(map(str, version))


def _version(text: str) -> FileVersion:
    return tuple(map(int, text.split()))  # type: ignore[return-value]


def _size(version: str) -> int:
    return int(version.split()[2])


def index_bytes(cache_dir: Path) -> int:
    """Return the size of the index, with the files that SQLite has beside it."""
    size = 0
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            size += os.stat(os.path.join(cache_dir, FILE_NAME + suffix)).st_size
    return size
