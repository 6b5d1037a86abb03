"""What a backup holds of people: who they are, their devices, stars, ratings, plays and places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from ..database.account_tables import PlayQueue, User
from ..database.tables import LIBRARY_PATH, Track
from .archive import PersonPart, TrackNote
from .matching import slices
from .rows import USER, Row, Rows, encode_row, encode_value, user_tables

# A queue as a backup has it: by paths, as ids are those of one library.
QUEUE_PATHS: Final = "paths"


def collect_people(session: Session) -> Iterator[PersonPart]:
    """Yield all users with what is theirs, the first one first, within a unit of work."""
    for user_id in session.scalars(select(User.id).order_by(User.id)).all():
        rows: Rows = {}
        paths: set[bytes] = set()
        for table in user_tables():
            owner = table.c.id if table is USER else table.c.user_id
            query = select(table).where(owner == user_id).order_by(*table.primary_key.columns)
            found = [dict(row) for row in session.execute(query).mappings()]
            if table is PlayQueue.__table__:
                queues = (_by_paths(session, row, paths) for row in found)
                found = [queue for queue in queues if queue is not None]
            for row in found:
                paths.update(row[name] for name in path_names(table, row))
            rows[table.name] = [encode_row(table, row) for row in found]
        yield PersonPart(rows, tuple(read_notes(session, paths)))


def read_notes(session: Session, paths: Iterable[bytes]) -> list[TrackNote]:
    """Return what tells the tracks with some paths again, in the order of these."""
    columns = [getattr(Track, name) for name in TrackNote.__slots__]
    notes = []
    for some in slices(sorted(set(paths))):
        query = select(*columns).where(Track.path.in_(some)).order_by(Track.path)
        notes += [TrackNote(*row) for row in session.execute(query)]
    return notes


def path_names(table: Table, row: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns that hold a path in a row of a table."""
    return [
        column.name
        for column in table.columns
        if LIBRARY_PATH in column.info
        and all(row.get(name) == value for name, value in column.info[LIBRARY_PATH].items())
    ]


def _by_paths(session: Session, row: Row, paths: set[bytes]) -> Row | None:
    """Return a queue that names its tracks by their paths, which are added to some.

    Tracks that the library does not know any more are left out; None where that is all.
    """
    ids = row["state"]["ids"]
    found: dict[int, bytes] = {}
    for some in slices(sorted(set(ids))):
        found.update(session.execute(select(Track.id, Track.path).where(Track.id.in_(some))).all())
    if not found:
        return None
    paths.update(found.values())
    kept = [at for at, track_id in enumerate(ids) if track_id in found]
    place = sum(1 for at in kept if at < (row["place"] or 0))
    return {
        **row,
        "state": {QUEUE_PATHS: [encode_value(found[ids[at]]) for at in kept]},
        "place": max(0, min(place, len(kept) - 1)),
    }
