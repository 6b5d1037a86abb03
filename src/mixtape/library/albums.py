"""Albums, read from what the tracks and plays of each were summed up to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    exists,
    func,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from ..database.artist_summaries import IS_GUEST
from ..database.summary_tables import AlbumSummary
from ..database.tables import ALBUM_KEYS, IS_PRESENT, MAX_ID, Track
from ..database.units_of_work import Database
from .listed import Album

AlbumKeys = tuple[str, str]
Order: TypeAlias = "tuple[SQLColumnExpression[Any], ...]"
# Behind whatever has a number.
LAST: Final = 100_000
BY_ARTIST: Final[Order] = (AlbumSummary.artist_key, AlbumSummary.key)
NEWEST_FIRST: Final[Order] = (AlbumSummary.newest_at.desc(), *BY_ARTIST)
OLDEST_FIRST: Final[Order] = (
    AlbumSummary.key == "",
    func.coalesce(AlbumSummary.year, LAST),
    *BY_ARTIST,
)
_COLUMNS: Final[Select[*tuple[Any, ...]]] = select(
    *BY_ARTIST,
    AlbumSummary.title,
    AlbumSummary.artist,
    AlbumSummary.year,
    AlbumSummary.tracks,
    AlbumSummary.duration_s,
    AlbumSummary.cover_key,
    AlbumSummary.added_at,
    AlbumSummary.genres,
    AlbumSummary.disc_titles,
)


def albums_on_page(
    session: Session,
    where: Sequence[ColumnElement[bool]],
    order: Order,
    offset: int = 0,
    limit: int | None = None,
) -> tuple[Album, ...]:
    """Return a page of the albums that meet some conditions, within a unit of work; or all."""
    query = _COLUMNS.where(*where).order_by(*order).offset(min(offset, MAX_ID)).limit(limit)
    return tuple(_album(row) for row in session.execute(query))


def read_albums(
    database: Database,
    session: Session,
    keys: Sequence[AlbumKeys],
    where: Sequence[ColumnElement[bool]] = (),
) -> tuple[Album, ...]:
    """Return albums by their keys, in this order, within a unit of work.

    Those that do not meet the conditions, and those of which nothing is there, are left out. An
    empty album key asks for the tracks of an artist that name no album.
    """
    if not keys:
        return ()
    wanted = database.pairs(keys)
    first, second = wanted.c
    is_it = AlbumSummary.artist_key == first, AlbumSummary.key == second
    # An outer join, so that SQLite begins with the keys and not with all albums.
    query = _COLUMNS.select_from(wanted).outerjoin(AlbumSummary, and_(*is_it, *where))
    found = {(row[0], row[1]): row for row in session.execute(query)}
    return tuple(_album(found[pair]) for pair in keys if pair in found)


def with_track(*where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of albums with a track that is there and meets conditions of few."""
    keys = select(*ALBUM_KEYS).where(IS_PRESENT, *where)
    return tuple_(*BY_ARTIST).in_(keys)


def with_common_track(*where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the same condition for what many tracks meet: each album in turn is looked at."""
    artist_key, key = ALBUM_KEYS
    is_of = artist_key == AlbumSummary.artist_key, key == AlbumSummary.key
    return exists(select(Track.id).where(IS_PRESENT, *is_of, *where))


def appears_on(artist_key: str) -> ColumnElement[bool]:
    """Return the condition of albums of others that an artist plays on, compilations too."""
    return with_track(Track.artist_key == artist_key, *IS_GUEST)


def _album(row: Any) -> Album:
    *columns, genres, disc_titles = row
    values: Any = (*columns, tuple(genres), tuple((number, title) for number, title in disc_titles))
    return Album(*values)
