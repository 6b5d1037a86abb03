"""The library, or what an album, artist, genre or folder has of it, as it stands on a shelf."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from ..database.tables import ALBUM_KEYS, IS_PRESENT, Track
from ..database.units_of_work import Database
from ..files.names import display_name
from ..files.tags import sort_key
from .catalogue import ALBUM_ORDER
from .genres import of_genres

_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Part:
    """What tracks have to have in common; nothing for the whole library.

    Args:
        artist: who plays them, or whom their album is filed under, by name.
        album: by name.
        genre: by name, one of several that a tag may hold.
        folder: that they are in or below.
    """

    artist: str = ""
    album: str = ""
    genre: str = ""
    folder: bytes = b""

    @property
    def name(self) -> str:
        """Return what people know it by; "" for the whole library."""
        names = self.artist, self.album, self.genre, display_name(self.folder)
        return " – ".join(name for name in names if name)


class Parts:
    """Finds the tracks of parts of the library.

    Args:
        database: that a `Scanner` fills.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def ids(self, part: Part) -> array[int]:
        """Return the ids of tracks by album artist, album, disc and number: eight bytes for each.

        Those of no album are the last of their artist. What cannot be played is among them.
        """
        with self._database.read() as session:
            query = select(Track.id).where(IS_PRESENT, *_conditions(session, part))
            artist, album = ALBUM_KEYS
            query = query.order_by(artist, album == "", album, *ALBUM_ORDER)
            return array("q", session.scalars(query.execution_options(yield_per=_AT_ONCE)))


def _conditions(session: Session, part: Part) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if part.artist:
        key = sort_key(part.artist)
        found.append(or_(Track.artist_key == key, Track.album_artist_key == key))
    if part.album:
        found.append(Track.album_key == sort_key(part.album))
    if part.genre:
        found.append(of_genres(session, [part.genre]))
    if part.folder:
        found.append(or_(Track.folder == part.folder, Track.is_below(part.folder)))
    return found
