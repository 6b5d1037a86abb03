"""Lists of albums as players ask for them: all in some order, by chance, of some years, of a genre.

Tracks that name no album are an album of their artist here, with an empty key: players find their
way to a track by its album.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from sqlalchemy import ColumnElement, func, select, tuple_

from ..database.search import read_terms
from ..database.summary_tables import AlbumGenre, AlbumSummary
from ..database.tables import Track
from ..database.units_of_work import Database
from .albums import (
    BY_ARTIST,
    NEWEST_FIRST,
    OLDEST_FIRST,
    AlbumKeys,
    Order,
    albums_on_page,
    appears_on,
    read_albums,
    with_track,
)
from .genres import genre_keys
from .listed import Album
from .music_folders import MusicFolder, albums_in, tracks_in

AlbumOrder = Literal["artist", "name", "newest", "random"]
_ORDERS: Final[Mapping[AlbumOrder, Order]] = {
    "artist": BY_ARTIST,
    "name": BY_ARTIST[::-1],
    "newest": NEWEST_FIRST,
    "random": (func.random(),),
}


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
        return self._page(albums_in(folder), _ORDERS[order], offset, limit)

    def of_years(
        self, first: int, last: int, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Album, ...]:
        """Return a page of the albums of some years, in the order from the first to the last."""
        year = AlbumSummary.year
        where = (year.between(min(first, last), max(first, last)), *albums_in(folder))
        order = (year if first <= last else year.desc(), *BY_ARTIST)
        return self._page(where, order, offset, limit)

    def of_genre(
        self, name: str, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Album, ...]:
        """Return a page of the albums with a track of a genre, by artist and name."""
        of_genre = select(AlbumGenre.artist_key, AlbumGenre.key).where(
            AlbumGenre.genre_key.in_(genre_keys([name]))
        )
        where = (tuple_(*BY_ARTIST).in_(of_genre), *albums_in(folder))
        return self._page(where, BY_ARTIST, offset, limit)

    def matching(
        self, typed: str, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Album, ...]:
        """Return a page of the albums with a track whose album or artist has beginnings of words.

        Without a word in what was typed, these are all.
        """
        terms = read_terms(typed, ["album", "album_artist", "artist"])
        if terms is None:
            return self.all("artist", folder, offset=offset, limit=limit)
        matches = Track.id.in_(self._database.search.select_ids(terms))
        where = [with_track(*tracks_in(folder), matches)]
        return self._page(where, BY_ARTIST, offset, limit)

    def of_artist(self, artist_key: str) -> tuple[Album, ...]:
        """Return an artist's albums, then those of others with the artist on; oldest first."""
        is_own = AlbumSummary.artist_key == artist_key
        with self._database.read() as session:
            own = albums_on_page(session, [is_own], OLDEST_FIRST)
            others = albums_on_page(session, [appears_on(artist_key)], OLDEST_FIRST)
        return own + others

    def read(self, keys: Sequence[AlbumKeys]) -> tuple[Album, ...]:
        """Return the albums with some keys, in their order, but for those that are not there."""
        with self._database.read() as session:
            return read_albums(self._database, session, keys)

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
        found: list[Album] = []
        where, end = albums_in(folder), offset + limit
        with self._database.read() as session:
            for start in range(0, len(keys), max(1, end)):
                some = keys[start : start + end]
                found += read_albums(self._database, session, some, where)
                if len(found) >= end:
                    break
        return tuple(found[offset:end])

    def _page(
        self,
        where: Sequence[ColumnElement[bool]],
        order: Order,
        offset: int,
        limit: int,
    ) -> tuple[Album, ...]:
        with self._database.read() as session:
            return albums_on_page(session, where, order, offset, limit)
