"""Artists, read from what the tracks of each were summed up to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, select, union
from sqlalchemy.orm import Session

from ..database.artist_summaries import IS_GUEST
from ..database.summary_tables import ArtistSummary
from ..database.tables import Track
from .listed import Artist, Page

_COLUMNS: Final[Select[*tuple[Any, ...]]] = select(
    ArtistSummary.key,
    ArtistSummary.name,
    ArtistSummary.albums,
    ArtistSummary.tracks,
    ArtistSummary.cover_key,
    ArtistSummary.appears_on,
    ArtistSummary.has_loose,
)
# In one statement; SQLite takes 32,766 values.
_AT_ONCE: Final = 5_000


def artists_on_page(
    session: Session, where: Sequence[ColumnElement[bool]], offset: int, limit: int
) -> Page[Artist]:
    """Return a page of the artists that meet some conditions, by name, within a unit of work."""
    query = _COLUMNS.where(*where).order_by(ArtistSummary.key).offset(offset).limit(limit + 1)
    found = [Artist(*row) for row in session.execute(query)]
    return Page(tuple(found[:limit]), offset, len(found) > limit)


def all_artists(session: Session, where: Sequence[ColumnElement[bool]] = ()) -> tuple[Artist, ...]:
    """Return all artists that meet some conditions, by name, within a unit of work."""
    query = _COLUMNS.where(*where).order_by(ArtistSummary.key)
    return tuple(Artist(*row) for row in session.execute(query))


def some_artists(
    session: Session, keys: Sequence[str], where: Sequence[ColumnElement[bool]] = ()
) -> dict[str, Artist]:
    """Return artists by their keys, within a unit of work.

    Those that do not meet the conditions, and those that are not there, are left out.
    """
    found = {}
    for start in range(0, len(keys), _AT_ONCE):
        some = ArtistSummary.key.in_(keys[start : start + _AT_ONCE])
        for row in session.execute(_COLUMNS.where(some, *where)):
            found[row[0]] = Artist(*row)
    return found


def count_artists(session: Session) -> int:
    """Return how many artists there are, within a unit of work."""
    return session.scalars(select(func.count()).select_from(ArtistSummary)).one()


def artists_of(
    own: Sequence[ColumnElement[bool]], guest: Sequence[ColumnElement[bool]]
) -> ColumnElement[bool]:
    """Return the condition of artists with a track that meets some conditions.

    Args:
        own: of tracks whose album artist is asked for.
        guest: of tracks whose artist is asked for.
    """
    return ArtistSummary.key.in_(_keys(own, guest))


def _keys(
    own: Sequence[ColumnElement[bool]], guest: Sequence[ColumnElement[bool]]
) -> CompoundSelect[*tuple[Any, ...]]:
    filed = select(Track.album_artist_key).where(*own)
    guests = select(Track.artist_key).where(*guest, *IS_GUEST)
    return union(filed, guests)
