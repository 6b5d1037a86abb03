"""Artists: those whom albums are filed under, and those who appear on albums of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Select, distinct, func, select, union
from sqlalchemy.orm import Session

from ..database.tables import Track
from ..files.tags import lead_artist
from .listed import Artist, Page

_IS_PRESENT: Final = Track.missing_since.is_(None)
# Of an album of somebody else. Tracks of no album are filed under whoever plays them.
_IS_GUEST: Final = (
    Track.artist_key != "",
    Track.artist_key != Track.album_artist_key,
    Track.album_key != "",
)
# An album is told by both keys; U+0001 is in neither.
_ALBUM: Final = Track.album_artist_key + "\1" + Track.album_key
_OWN: Final[Select[*tuple[Any, ...]]] = select(
    Track.album_artist_key,
    func.min(Track.album_artist),
    func.count(distinct(func.nullif(Track.album_key, ""))),
    func.count(),
    func.min(Track.cover_key),
).group_by(Track.album_artist_key)
_GUEST: Final[Select[*tuple[Any, ...]]] = (
    select(
        Track.artist_key,
        func.min(Track.artist),
        func.count(distinct(_ALBUM)),
        func.count(),
        func.min(Track.cover_key),
    )
    .where(*_IS_GUEST)
    .group_by(Track.artist_key)
)


def artists_on_page(
    session: Session,
    own: Sequence[ColumnElement[bool]],
    guest: Sequence[ColumnElement[bool]],
    offset: int,
    limit: int,
) -> Page[Artist]:
    """Return a page of the artists, by name, within a unit of work.

    The keys come from indexes alone; only the artists on the page are counted.

    Args:
        own: the conditions of tracks whose album artist is asked for.
        guest: the conditions of tracks whose artist is asked for.
    """
    keys = artist_keys(own, guest).subquery()
    some = select(keys.c.key).order_by(keys.c.key).offset(offset).limit(limit + 1)
    chosen = list(session.scalars(some))
    on_page = chosen[:limit]
    filed = {row[0]: row for row in _rows(session, _OWN, Track.album_artist_key, on_page)}
    guests = {row[0]: row for row in _rows(session, _GUEST, Track.artist_key, on_page)}
    items = tuple(_artist(key, filed.get(key), guests.get(key)) for key in on_page)
    return Page(items, offset, len(chosen) > limit)


def count_artists(session: Session) -> int:
    """Return how many artists there are, within a unit of work."""
    keys = artist_keys().subquery()
    return session.scalars(select(func.count()).select_from(keys)).one()


def find_name(session: Session, key: str) -> str | None:
    """Return the name of an artist, within a unit of work; None where there is no such artist."""
    own = list(_rows(session, _OWN, Track.album_artist_key, [key]))
    guest = list(_rows(session, _GUEST, Track.artist_key, [key]))
    if not own and not guest:
        return None
    return _artist(key, *own or [None], *guest or [None]).name


def artist_keys(
    own: Sequence[ColumnElement[bool]] = (_IS_PRESENT,),
    guest: Sequence[ColumnElement[bool]] = (_IS_PRESENT,),
) -> CompoundSelect[*tuple[Any, ...]]:
    """Return a query of the `key` of each artist; of all that are there, or by conditions."""
    filed = select(Track.album_artist_key.label("key")).where(*own).distinct()
    guests = select(Track.artist_key.label("key")).where(*guest, *_IS_GUEST).distinct()
    return union(filed, guests)


def _rows(
    session: Session, groups: Select[*tuple[Any, ...]], column: Any, keys: Sequence[str]
) -> Sequence[Any]:
    return session.execute(groups.where(_IS_PRESENT, column.in_(keys))).all()


def _artist(key: str, own: Any, guest: Any) -> Artist:
    _, own_name, albums, own_tracks, own_cover = own or (key, "", 0, 0, None)
    _, guest_name, appears_on, guest_tracks, guest_cover = guest or (key, "", 0, 0, None)
    return Artist(
        key=key,
        name=own_name or lead_artist(guest_name),
        albums=albums,
        tracks=own_tracks + guest_tracks,
        cover_key=own_cover or guest_cover,
        appears_on=appears_on,
    )
