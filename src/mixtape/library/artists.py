"""Artists: those whom albums are filed under, and those who appear on albums of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Select, distinct, false, func, select, union
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
# All of it is in an index. Names and covers are not, so they are those of the track with this id.
_OWN: Final[Select[*tuple[Any, ...]]] = select(
    Track.album_artist_key,
    func.count(distinct(func.nullif(Track.album_key, ""))),
    func.count(),
    func.min(Track.id),
    func.min(Track.album_key) == "",
).group_by(Track.album_artist_key)
_GUEST: Final[Select[*tuple[Any, ...]]] = (
    select(
        Track.artist_key, func.count(distinct(_ALBUM)), func.count(), func.min(Track.id), false()
    )
    .where(*_IS_GUEST)
    .group_by(Track.artist_key)
)
# Of albums, of tracks, the id of one of these, and whether some are of no album.
_Counts = tuple[int, int, int, bool]
_NONE: Final[_Counts] = (0, 0, 0, False)
# In one statement; SQLite takes 32,766 values.
_AT_ONCE: Final = 5_000


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
    return Page(some_artists(session, chosen[:limit]), offset, len(chosen) > limit)


def all_artists(
    session: Session, where: Sequence[ColumnElement[bool]] = (_IS_PRESENT,)
) -> tuple[Artist, ...]:
    """Return all artists of tracks that meet some conditions, by name, within a unit of work."""
    return some_artists(session, sorted(session.scalars(artist_keys(where, where))))


def some_artists(session: Session, keys: Sequence[str]) -> tuple[Artist, ...]:
    """Return artists by their keys, in this order, within a unit of work."""
    return tuple(
        artist
        for start in range(0, len(keys), _AT_ONCE)
        for artist in _read(session, keys[start : start + _AT_ONCE])
    )


def count_artists(session: Session) -> int:
    """Return how many artists there are, within a unit of work."""
    keys = artist_keys().subquery()
    return session.scalars(select(func.count()).select_from(keys)).one()


def find_artist(session: Session, key: str) -> Artist | None:
    """Return an artist, within a unit of work; None where there is no such artist."""
    [found] = _read(session, [key])
    return found if found.tracks else None


def artist_keys(
    own: Sequence[ColumnElement[bool]] = (_IS_PRESENT,),
    guest: Sequence[ColumnElement[bool]] = (_IS_PRESENT,),
) -> CompoundSelect[*tuple[Any, ...]]:
    """Return a query of the `key` of each artist; of all that are there, or by conditions."""
    filed = select(Track.album_artist_key.label("key")).where(*own).distinct()
    guests = select(Track.artist_key.label("key")).where(*guest, *_IS_GUEST).distinct()
    return union(filed, guests)


def _read(session: Session, keys: Sequence[str]) -> tuple[Artist, ...]:
    """Return artists by their keys, in this order; `_AT_ONCE` at most."""
    own = dict(_counts(session, _OWN, Track.album_artist_key, keys))
    guests = dict(_counts(session, _GUEST, Track.artist_key, keys))
    ids = [count[2] for counts in (own, guests) for count in counts.values()]
    tracks = dict(_names(session, ids))
    own_covers = dict(_covers(session, Track.album_artist_key, own, tracks))
    guest_covers = dict(_covers(session, Track.artist_key, guests, tracks))
    found = []
    for key in keys:
        albums, own_tracks, own_id, has_loose = own.get(key, _NONE)
        appears_on, guest_tracks, guest_id, _ = guests.get(key, _NONE)
        name, _, _ = tracks.get(own_id, ("", "", None))
        _, guest_name, _ = tracks.get(guest_id, ("", "", None))
        found.append(
            Artist(
                key=key,
                name=name or lead_artist(guest_name),
                albums=albums,
                tracks=own_tracks + guest_tracks,
                cover_key=own_covers.get(key) or guest_covers.get(key),
                appears_on=appears_on,
                has_loose=has_loose,
            )
        )
    return tuple(found)


def _counts(
    session: Session, groups: Select[*tuple[Any, ...]], column: Any, keys: Sequence[str]
) -> Iterator[tuple[str, _Counts]]:
    rows = session.execute(groups.where(_IS_PRESENT, column.in_(keys)))
    for key, albums, tracks, track_id, has_loose in rows:
        yield key, (albums, tracks, track_id, bool(has_loose))


def _names(
    session: Session, ids: Sequence[int]
) -> Iterator[tuple[int, tuple[str, str, str | None]]]:
    columns = (Track.id, Track.album_artist, Track.artist, Track.cover_key)
    for track_id, album_artist, artist, cover_key in session.execute(
        select(*columns).where(Track.id.in_(ids))
    ):
        yield track_id, (album_artist, artist, cover_key)


def _covers(
    session: Session,
    column: Any,
    counts: dict[str, _Counts],
    tracks: dict[int, tuple[str, str, str | None]],
) -> Iterator[tuple[str, str]]:
    """Give the cover of each artist's one track; where that has none, of another."""
    without = []
    for key, count in counts.items():
        cover_key = tracks[count[2]][2]
        if cover_key is None:
            without.append(key)
        else:
            yield key, cover_key
    if without:
        some = select(column, func.min(Track.cover_key)).where(_IS_PRESENT, column.in_(without))
        for key, cover_key in session.execute(some.group_by(column)):
            if cover_key is not None:
                yield key, cover_key
