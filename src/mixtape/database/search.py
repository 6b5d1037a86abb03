"""Search as you type over title, artist and album: the one module that knows SQLite's FTS5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from sqlalchemy import Connection, Integer, Select, column, select, text
from sqlalchemy.orm import Session

from ..files.tags import without_surrogates

Field = Literal["title", "artist", "album", "album_artist"]

MAX_TEXT: Final = 200
MAX_TERMS: Final = 12
# Ranking reads every match: 80 ms for the 34,000 that one letter has in a library of 100,000.
# Whoever has typed one letter gets the first matches at once, and the best ones with the next.
MAX_RANKED: Final = 10_000

_ADD: Final = """INSERT INTO track_search(rowid, title, artist, album, album_artist)
    VALUES (new.id, new.title, new.artist, new.album, new.album_artist);"""
_REMOVE: Final = """INSERT INTO
    track_search(track_search, rowid, title, artist, album, album_artist)
    VALUES ('delete', old.id, old.title, old.artist, old.album, old.album_artist);"""
# External content: the index keeps no second copy of the texts, and triggers keep it in step with
# whatever writes the table. remove_diacritics 2 folds every accent, composed or not; the prefix
# indexes answer the first letters.
_DDL: Final = (
    """CREATE VIRTUAL TABLE track_search USING fts5(
        title, artist, album, album_artist, content='track', content_rowid='id',
        tokenize='unicode61 remove_diacritics 2', prefix='1 2 3')""",
    f"CREATE TRIGGER track_search_insert AFTER INSERT ON track BEGIN {_ADD} END",
    f"CREATE TRIGGER track_search_delete AFTER DELETE ON track BEGIN {_REMOVE} END",
    f"""CREATE TRIGGER track_search_update
    AFTER UPDATE OF title, artist, album, album_artist ON track BEGIN {_REMOVE} {_ADD} END""",
)
# CROSS JOIN keeps SQLite from starting at the table and asking the index about every row.
_PRESENT: Final = """FROM track_search CROSS JOIN track ON track.id = track_search.rowid
    WHERE track_search MATCH :expression AND track.missing_since IS NULL"""
_RANKED: Final = text(
    f"""SELECT track.id {_PRESENT}
    ORDER BY bm25(track_search, 4.0, 3.0, 2.0, 1.0), track.id LIMIT :limit OFFSET :offset"""
)
_UNRANKED: Final = text(
    f"SELECT track.id {_PRESENT} ORDER BY track_search.rowid LIMIT :limit OFFSET :offset"
)
# Counting 100,000 matches takes longer than finding the first of them.
_COUNT: Final = text(
    """SELECT count(*) FROM (
        SELECT 1 FROM track_search WHERE track_search MATCH :expression LIMIT :limit)"""
).bindparams(limit=MAX_RANKED + 1)
_IDS: Final = text("SELECT rowid FROM track_search WHERE track_search MATCH :expression")


def create_search_index(connection: Connection) -> None:
    """Make the full-text index over the tracks, and the triggers that keep it in step."""
    for statement in _DDL:
        connection.exec_driver_sql(statement)


def match_expression(typed: str, fields: Sequence[Field] = ()) -> str | None:
    """Return the FTS5 query for a text that somebody is typing; None where it holds no word.

    Every word must be there, each as the beginning of a word: "be lov" finds "Beloved, The".
    They are quoted, so that nothing in them means anything to FTS5: `AC/DC`, `"`, `NOT`, `*`.

    Args:
        typed: what was typed, as it is.
        fields: the columns to look in; all of them where none is named.
    """
    terms = without_surrogates(typed[:MAX_TEXT].replace("\0", " ")).split()
    quoted = [
        '"{}"*'.format(term.replace('"', '""'))
        for term in terms
        if any(letter.isalnum() for letter in term)
    ]
    if not quoted:
        return None
    expression = " ".join(quoted[:MAX_TERMS])
    return f"{{{' '.join(fields)}}} : ({expression})" if fields else expression


def find_ids(session: Session, expression: str, *, offset: int, limit: int) -> list[int]:
    """Return the ids of the tracks that are there and match, the best first.

    A match in the title weighs most, then artist, album and album artist. Where more than
    MAX_RANKED match they come as they were added.
    """
    statement = _RANKED if is_narrow(session, expression) else _UNRANKED
    values = {"expression": expression, "offset": offset, "limit": limit}
    return list(session.execute(statement, values).scalars())


def is_narrow(session: Session, expression: str) -> bool:
    """Say whether no more than MAX_RANKED tracks match."""
    count: int = session.execute(_COUNT, {"expression": expression}).scalar_one()
    return count <= MAX_RANKED


def select_ids(expression: str) -> Select[tuple[int]]:
    """Return a query of the ids of all tracks that match, for use inside another query."""
    found = _IDS.bindparams(expression=expression).columns(column("rowid", Integer))
    return select(found.subquery().c.rowid)
