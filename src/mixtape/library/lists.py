"""All lists that players ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ..database.units_of_work import Database
from .album_lists import AlbumLists
from .artist_lists import ArtistLists
from .genres import Genres
from .similar import Similar
from .song_lists import SongLists


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of one library, by what is in them."""

    albums: AlbumLists
    artists: ArtistLists
    songs: SongLists
    genres: Genres
    similar: Similar

    @classmethod
    def of(cls, database: Database) -> Self:
        """Return the lists of what a database holds."""
        return cls(
            AlbumLists(database),
            ArtistLists(database),
            SongLists(database),
            Genres(database),
            Similar(database),
        )
