"""Lists of tracks as players ask for them: all of them, of a genre, by chance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from ..database.search import Field, read_terms
from ..database.tables import IS_PRESENT, MAX_ID, Track
from ..database.units_of_work import Database
from .genres import of_genres
from .listed import Song
from .music_folders import MusicFolder, tracks_in

_MOST_TITLED: Final = 1_000
# In place of tracks that cannot be played.
_SPARE: Final = 20
_SONGS: Final[Select[*tuple[Any, ...]]] = select(*(getattr(Track, name) for name in Song._fields))


class SongLists:
    """Answers with tracks. A page that is shorter than asked for is the last one.

    Args:
        database: that a `Scanner` fills.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def matching(
        self, typed: str, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Song, ...]:
        """Return a page of the tracks with the beginnings of words that were typed.

        Without a word in it these are all, in the order in which they came into the library: what
        comes while a player reads page after page is on the last one. Else the best come first.
        """
        terms, index = read_terms(typed), self._database.search
        where = tracks_in(folder)
        with self._database.read() as session:
            if terms is None:
                return _page(session, where, offset, limit)
            if folder is None or folder.is_all:
                start = min(offset, MAX_ID)
                ids = index.find_ids(session, terms, offset=start, limit=limit)
                return self._by_ids(session, ids)
            return _page(session, (*where, Track.id.in_(index.select_ids(terms))), offset, limit)

    def matching_fields(
        self, typed: dict[Field, str], anywhere: str, newer_than: datetime | None
    ) -> tuple[int, ...]:
        """Return the ids of tracks by the beginnings of words in each of some fields.

        Args:
            typed: what is looked for, by field.
            anywhere: what is looked for in all of them.
            newer_than: when they came into the library at the earliest.
        """
        where: list[ColumnElement[bool]] = [IS_PRESENT]
        for terms in (read_terms(anywhere), *(read_terms(t, [f]) for f, t in typed.items())):
            if terms is not None:
                where.append(Track.id.in_(self._database.search.select_ids(terms)))
        if newer_than is not None:
            where.append(Track.added_at > newer_than)
        with self._database.read() as session:
            return tuple(session.scalars(select(Track.id).where(*where).order_by(Track.id)))

    def of_genre(
        self, name: str, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Song, ...]:
        """Return a page of the tracks of a genre."""
        with self._database.read() as session:
            where = (*tracks_in(folder), of_genres(session, [name]))
            return _page(session, where, offset, limit)

    def titled(self, artist_key: str, title: str) -> tuple[Song, ...]:
        """Return the tracks of an artist, or of any for "", with a title in letters of any case."""
        if artist_key:
            of_artist = or_(Track.artist_key == artist_key, Track.album_artist_key == artist_key)
            ids = select(Track.id).where(IS_PRESENT, of_artist).order_by(Track.id)
            with self._database.read() as session:
                songs = self._by_ids(session, session.scalars(ids.limit(_MOST_TITLED)).all())
        else:
            songs = self.matching(title, offset=0, limit=_MOST_TITLED) if title else ()
        return tuple(song for song in songs if song.title.casefold() == title.casefold())

    def random(
        self,
        folder: MusicFolder | None = None,
        *,
        genre: str = "",
        first_year: int | None = None,
        last_year: int | None = None,
        limit: int,
    ) -> tuple[Song, ...]:
        """Return some tracks by chance; what cannot be played is not among them."""
        where: list[ColumnElement[bool]] = [*tracks_in(folder)]
        if first_year is not None:
            where.append(Track.year >= first_year)
        if last_year is not None:
            where.append(Track.year <= last_year)
        with self._database.read() as session:
            if genre:
                where.append(of_genres(session, [genre]))
            some = select(Track.id).where(*where).order_by(func.random()).limit(limit + _SPARE)
            # Asking the table for this of all tracks would take three times as long.
            songs = self._by_ids(session, session.scalars(some).all(), Track.problem.is_(None))
        return songs[:limit]

    def _by_ids(
        self, session: Session, ids: Sequence[int], *where: ColumnElement[bool]
    ) -> tuple[Song, ...]:
        """Return tracks by their ids, in this order, but for those that do not meet conditions."""
        query = _SONGS.where(self._database.one_of(Track.id, ids), *where)
        found = {row[0]: Song._make(row) for row in session.execute(query)}
        return tuple(found[track_id] for track_id in ids if track_id in found)


def _page(
    session: Session, where: Sequence[ColumnElement[bool]], offset: int, limit: int
) -> tuple[Song, ...]:
    # The index alone passes over the pages before.
    ids = select(Track.id).where(*where).order_by(Track.id).offset(min(offset, MAX_ID)).limit(limit)
    rows = session.execute(_SONGS.where(Track.id.in_(ids)).order_by(Track.id))
    return tuple(map(Song._make, rows))
