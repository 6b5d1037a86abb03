"""A summary of the entries, kept in the index, so that no question after it walks the directory."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

_DIGEST: Final = "substr({of}name, 1, 32)"
# The third word of what a version is noted as; CAST reads no further.
_REST: Final = "substr({of}version, instr({of}version, ' ') + 1)"
_SIZE: Final = f"CAST(substr({_REST}, instr({_REST}, ' ') + 1) AS INTEGER)"


def _adding(rows: str, of: str, size: str) -> str:
    """Return SQL that counts entries in.

    Args:
        rows: what stands behind FROM to get them.
        of: what stands before the names of their columns.
        size: gives the size of their object.
    """
    source, digest = _SIZE.format(of=of), _DIGEST.format(of=of)
    return f"""
    INSERT INTO summary SELECT {of}quality, 1, {size}, {source} FROM {rows}
    ON CONFLICT (quality) DO UPDATE SET entries = entries + 1, size = size + excluded.size,
        source = source + excluded.source;
    INSERT INTO origin SELECT {digest}, 1, {source} FROM {rows}
    ON CONFLICT (digest) DO UPDATE SET entries = entries + 1, size = excluded.size;
    """


def _taking_away(rows: str, of: str, size: str) -> str:
    """Return SQL that counts entries out, as `_adding`; they are all of one quality."""
    source, digest = _SIZE.format(of=of), _DIGEST.format(of=of)
    return f"""
    UPDATE summary SET entries = entries - (SELECT COUNT(*) FROM {rows}),
        size = size - (SELECT COALESCE(SUM({size}), 0) FROM {rows}),
        source = source - (SELECT COALESCE(SUM({source}), 0) FROM {rows})
    WHERE quality = (SELECT {of}quality FROM {rows} LIMIT 1);
    UPDATE origin SET entries = entries - 1 WHERE digest IN (SELECT {digest} FROM {rows});
    DELETE FROM origin WHERE entries < 1 AND digest IN (SELECT {digest} FROM {rows});
    """


_OF_NEW: Final = "entry e WHERE e.id = NEW.id"
_OF_OLD: Final = "entry e WHERE e.id = OLD.id"
_CHANGED: Final = "(OLD.stored <> NEW.stored OR OLD.size <> NEW.size)"
# An entry counts while its object is there. Whoever changes either changes the summary with it.
TABLES: Final = f"""
CREATE TABLE IF NOT EXISTS summary (
    quality TEXT PRIMARY KEY, entries INTEGER NOT NULL, size INTEGER NOT NULL,
    source INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origin (
    digest TEXT PRIMARY KEY, entries INTEGER NOT NULL, size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS entry_comes AFTER INSERT ON entry BEGIN
{_adding("object o WHERE o.id = NEW.id AND o.stored = 1", "NEW.", "o.size")}
END;
CREATE TRIGGER IF NOT EXISTS entry_goes AFTER DELETE ON entry BEGIN
{_taking_away("object o WHERE o.id = OLD.id AND o.stored = 1", "OLD.", "o.size")}
END;
CREATE TRIGGER IF NOT EXISTS object_comes AFTER INSERT ON object WHEN NEW.stored = 1 BEGIN
{_adding(_OF_NEW, "e.", "NEW.size")}
END;
CREATE TRIGGER IF NOT EXISTS object_goes AFTER UPDATE OF stored, size ON object
WHEN OLD.stored = 1 AND {_CHANGED} BEGIN
{_taking_away(_OF_OLD, "e.", "OLD.size")}
END;
CREATE TRIGGER IF NOT EXISTS object_comes_back AFTER UPDATE OF stored, size ON object
WHEN NEW.stored = 1 AND {_CHANGED} BEGIN
{_adding(_OF_NEW, "e.", "NEW.size")}
END;
"""


@dataclass(frozen=True, slots=True)
class Summed:
    """The entries of one quality: how many, how large, and how large their sources were."""

    entries: int
    size_bytes: int
    source_bytes: int


@dataclass(frozen=True, slots=True)
class Summary:
    """All entries that the index knows, by quality, and the different sources that they are of."""

    qualities: dict[str, Summed]
    sources: int
    source_bytes: int

    @property
    def entries(self) -> int:
        """Return how many there are."""
        return sum(each.entries for each in self.qualities.values())


def read_summary(database: sqlite3.Connection) -> Summary:
    """Return the summary that a database keeps."""
    rows = database.execute("SELECT quality, entries, size, source FROM summary WHERE entries > 0")
    qualities = {quality: Summed(*numbers) for quality, *numbers in rows}
    query = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM origin"
    sources, source_bytes = database.execute(query).fetchone()
    return Summary(qualities, sources, source_bytes)
