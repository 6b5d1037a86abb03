"""Albums by their keys, summed up from their tracks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, select
from sqlalchemy.orm import Session

from ..database.expressions import joined_texts
from ..database.tables import Track
from ..database.units_of_work import Database
from ..files.tags import split_genres
from .listed import Album

ALBUM_KEYS: Final = (Track.album_artist_key, Track.album_key)
AlbumKeys = tuple[str, str]
IS_PRESENT: Final = Track.missing_since.is_(None)
_SUMS: Final[Select[*tuple[Any, ...]]] = select(
    *ALBUM_KEYS,
    func.min(Track.album),
    func.min(Track.album_artist),
    func.min(Track.year),
    func.count(),
    func.coalesce(func.sum(Track.duration_s), 0.0),
    func.min(Track.cover_key),
    func.min(Track.added_at),
    joined_texts(Track.genre),
    func.max(Track.disc_subtitle),
).group_by(*ALBUM_KEYS)
_DISCS: Final = select(*ALBUM_KEYS, Track.disc_no, func.max(Track.disc_subtitle)).group_by(
    *ALBUM_KEYS, Track.disc_no
)


def read_albums(
    database: Database, session: Session, keys: Sequence[AlbumKeys]
) -> tuple[Album, ...]:
    """Return albums by their keys, in this order, within a unit of work.

    Those of which nothing is there are left out. An empty album key asks for the tracks of an
    artist that name no album.
    """
    if not keys:
        return ()
    found_rows = session.execute(of_keys(_SUMS, database.pairs(keys)))
    rows = [row for row in found_rows if row[0] is not None]
    titled = [(row[0], row[1]) for row in rows if row[-1]]
    titles = _disc_titles(database, session, titled) if titled else {}
    found = {}
    for *keys_and_sums, genres, _ in rows:
        album = _album(keys_and_sums, genres or "")
        known = album.artist_key, album.key
        found[known] = replace(album, disc_titles=titles[known]) if known in titles else album
    return tuple(found[pair] for pair in keys if pair in found)


def _album(sums: Sequence[Any], genres: str) -> Album:
    artist_key, key, title, artist, year, tracks, duration_s, cover_key, added_at = sums
    return Album(
        artist_key=artist_key,
        key=key,
        title=title,
        artist=artist,
        year=year,
        tracks=tracks,
        duration_s=duration_s,
        cover_key=cover_key,
        added_at=added_at,
        genres=tuple(split_genres(genres)),
    )


def _disc_titles(
    database: Database, session: Session, keys: Sequence[AlbumKeys]
) -> dict[AlbumKeys, tuple[tuple[int, str], ...]]:
    discs = of_keys(_DISCS, database.pairs(keys), Track.disc_subtitle != "")
    found: defaultdict[AlbumKeys, list[tuple[int, str]]] = defaultdict(list)
    for artist_key, key, disc_no, title in session.execute(discs):
        if title is not None:
            found[artist_key, key].append((disc_no or 1, title))
    return {pair: tuple(sorted(discs)) for pair, discs in found.items()}


def of_keys(
    query: Select[*tuple[Any, ...]], keys: Subquery, *where: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """Let a query of tracks that are there be about those of some albums.

    An outer join, so that SQLite begins with the keys: it would look at all tracks first, since
    it does not know how few keys there are. Those of which nothing is there give rows of NULL.

    Args:
        keys: from `Database.pairs`.
        where: conditions of the tracks.
    """
    first, second = keys.c
    is_of = (Track.album_artist_key == first, Track.album_key == second)
    return query.select_from(keys).outerjoin(Track, and_(*is_of, IS_PRESENT, *where))
