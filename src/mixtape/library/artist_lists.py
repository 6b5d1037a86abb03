"""Lists of artists as players ask for them: all, those of a name, those like another."""

from __future__ import annotations

from sqlalchemy import func, select

from ..database.search import Field, read_terms
from ..database.tables import IS_PRESENT, MAX_ID, Track
from ..database.units_of_work import Database
from .artists import all_artists, artists_of, artists_on_page, some_artists
from .genres import of_genres
from .listed import Artist
from .music_folders import Conditions, MusicFolder, artists_in, tracks_in


class ArtistLists:
    """Answers with artists.

    Args:
        database: that a `Scanner` fills.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, folder: MusicFolder | None = None) -> tuple[Artist, ...]:
        """Return all artists by name."""
        with self._database.read() as session:
            return all_artists(session, artists_in(folder))

    def matching(
        self, typed: str, folder: MusicFolder | None = None, *, offset: int, limit: int
    ) -> tuple[Artist, ...]:
        """Return a page of the artists whose name has the beginnings of words, by name.

        Without a word in what was typed, these are all.
        """
        where = self._named(typed, folder)
        with self._database.read() as session:
            return artists_on_page(session, where, min(offset, MAX_ID), limit).items

    def find(self, key: str) -> Artist | None:
        """Return an artist; None where there is no such artist."""
        with self._database.read() as session:
            return some_artists(session, [key]).get(key)

    def like(self, key: str, limit: int) -> tuple[Artist, ...]:
        """Return other artists of the genres of one, those with the most tracks of them first."""
        own = select(Track.genre).where(IS_PRESENT, Track.album_artist_key == key).distinct()
        tracks = func.count().desc()
        with self._database.read() as session:
            is_alike = of_genres(session, session.scalars(own).all())
            keys = select(Track.album_artist_key).where(
                IS_PRESENT, is_alike, Track.album_artist_key.not_in(["", key])
            )
            keys = keys.group_by(Track.album_artist_key).order_by(tracks, Track.album_artist_key)
            chosen = session.scalars(keys.limit(limit)).all()
            found = some_artists(session, chosen)
        return tuple(found[key] for key in chosen)

    def _named(self, typed: str, folder: MusicFolder | None) -> Conditions:
        own, guest = (read_terms(typed, [field]) for field in _NAMES)
        if own is None or guest is None:
            return artists_in(folder)
        search, where = self._database.search, tracks_in(folder)
        matches = (Track.id.in_(search.select_ids(terms)) for terms in (own, guest))
        return (artists_of(*((*where, match) for match in matches)),)


_NAMES: tuple[Field, Field] = ("album_artist", "artist")
