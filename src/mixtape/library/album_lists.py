"""Lists of albums as players ask for them: all in some order, by chance, of some years, of a genre.

Tracks that name no album are an album of their artist here, with an empty key: players find their
way to a track by its album.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ..database.search import read_terms
from ..database.tables import MAX_ID, Track
from ..database.units_of_work import Database
from .albums import ALBUM_KEYS, IS_PRESENT, AlbumKeys, of_keys, read_albums
from .genres import of_genres
from .listed import Album
from .music_folders import Conditions, MusicFolder, tracks_in

AlbumOrder = Literal["artist", "name", "newest", "random"]
_AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"


class AlbumLists:
    """Answers with albums. A page that is shorter than asked for is the last one.

    Args:
        database: that a `Scanner` fills.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(
        self, order: AlbumOrder, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Album, ...]:
        """Return a page of all albums."""
        with self._database.read() as session:
            return self._page(session, _ORDERS[order](tracks_in(folder)), offset, limit)

    def of_years(
        self, first: int, last: int, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Album, ...]:
        """Return a page of the albums of some years, in the order from the first to the last."""
        year = func.min(Track.year)
        keys = select(*ALBUM_KEYS).where(*tracks_in(folder)).group_by(*ALBUM_KEYS)
        keys = keys.having(year.between(min(first, last), max(first, last)))
        keys = keys.order_by(year if first <= last else year.desc(), *ALBUM_KEYS)
        with self._database.read() as session:
            return self._page(session, keys, offset, limit)

    def of_genre(
        self, name: str, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Album, ...]:
        """Return a page of the albums with a track of a genre, by artist and name."""
        with self._database.read() as session:
            where = (*tracks_in(folder), of_genres(session, [name]))
            return self._page(session, _found(where), offset, limit)

    def matching(
        self, typed: str, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Album, ...]:
        """Return a page of the albums with a track whose album or artist has beginnings of words.

        Without a word in what was typed, these are all.
        """
        terms = read_terms(typed, ["album", "album_artist", "artist"])
        where = tracks_in(folder)
        if terms is not None:
            where = (*where, Track.id.in_(self._database.search.select_ids(terms)))
        keys = _by_artist(where) if terms is None else _found(where)
        with self._database.read() as session:
            return self._page(session, keys, offset, limit)

    def of_artist(self, artist_key: str) -> tuple[Album, ...]:
        """Return an artist's albums, then those of others with the artist on; oldest first."""
        own = select(*ALBUM_KEYS).where(IS_PRESENT, Track.album_artist_key == artist_key)
        others = select(*ALBUM_KEYS).where(
            IS_PRESENT,
            Track.artist_key == artist_key,
            Track.album_artist_key != artist_key,
            Track.album_key != "",
        )
        with self._database.read() as session:
            found = [
                self._read(session, session.execute(keys.distinct()).all())
                for keys in ((own, others) if artist_key else (own,))
            ]
        return tuple(album for albums in found for album in sorted(albums, key=_oldest_first))

    def read(self, keys: Sequence[AlbumKeys]) -> tuple[Album, ...]:
        """Return the albums with some keys, in their order, but for those that are not there."""
        with self._database.read() as session:
            return self._read(session, keys)

    def get(self, artist_key: str, album_key: str) -> Album | None:
        """Return an album by its keys; None where there is no such album."""
        return next(iter(self.read([(artist_key, album_key)])), None)

    def some(
        self,
        keys: Sequence[AlbumKeys],
        folder: MusicFolder | None = None,
        *,
        offset: int,
        limit: int,
    ) -> tuple[Album, ...]:
        """Return a page of the albums with some keys, in their order, passing over what is gone."""
        with self._database.read() as session:
            there = self._present(session, keys, folder)
            wanted = [pair for pair in keys if pair in there]
            return self._read(session, wanted[offset : offset + limit])

    def _present(
        self, session: Session, keys: Sequence[AlbumKeys], folder: MusicFolder | None
    ) -> set[AlbumKeys]:
        query = of_keys(select(*ALBUM_KEYS), self._database.pairs(keys), *tracks_in(folder))
        return {(row[0], row[1]) for row in session.execute(query.distinct())}

    def _page(
        self, session: Session, keys: _AnySelect, offset: int, limit: int
    ) -> tuple[Album, ...]:
        rows = session.execute(keys.offset(min(offset, MAX_ID)).limit(limit))
        return self._read(session, rows.all())

    def _read(self, session: Session, rows: Iterable[Any]) -> tuple[Album, ...]:
        return read_albums(self._database, session, [(row[0], row[1]) for row in rows])


def _by_artist(where: Conditions) -> _AnySelect:
    return select(*ALBUM_KEYS).where(*where).distinct().order_by(*ALBUM_KEYS)


def _found(where: Conditions) -> _AnySelect:
    """Return the same where conditions leave few albums.

    SQLite would go through all tracks in the order that is asked for, and look at each of them.
    The genre leads it to the index that begins with that, and is in the order of what is found.
    """
    each = select(Track.genre, *ALBUM_KEYS).where(*where).distinct().subquery()
    _, *keys = each.c
    return select(*keys).distinct().order_by(*keys)


def _by_name(where: Conditions) -> _AnySelect:
    keys = select(*ALBUM_KEYS).where(*where).distinct()
    return keys.order_by(Track.album_key, Track.album_artist_key)


def _newest(where: Conditions) -> _AnySelect:
    keys = select(*ALBUM_KEYS).where(*where).group_by(*ALBUM_KEYS)
    return keys.order_by(func.max(Track.added_at).desc(), *ALBUM_KEYS)


def _random(where: Conditions) -> _AnySelect:
    each = select(*ALBUM_KEYS).where(*where).distinct().subquery()
    return select(*each.c).order_by(func.random())


_ORDERS: Final[Mapping[AlbumOrder, Callable[[Conditions], _AnySelect]]] = {
    "artist": _by_artist,
    "name": _by_name,
    "newest": _newest,
    "random": _random,
}


def _oldest_first(album: Album) -> tuple[bool, bool, int, str]:
    return not album.key, album.year is None, album.year or 0, album.key
