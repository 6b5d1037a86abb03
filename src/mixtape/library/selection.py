"""What somebody means by an album, an artist or a folder: its tracks, to be played or added."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from sqlalchemy import Select, func, select

from ..database.tables import Track
from ..database.units_of_work import Database
from ..files.names import display_name, reading_order
from .albums import LAST
from .catalogue import ALBUM_ORDER
from .folders import in_order
from .listed import Page
from .scanner import Scanner

MOST: Final = 1_000
_IS_PLAYABLE: Final = (Track.missing_since.is_(None), Track.problem.is_(None))


class Selection:
    """Finds the playable tracks of what a page shows, in order or shuffled, `MOST` at most.

    Args:
        database: that a `Scanner` fills.
        scanner: knows which folder an address leads to.
    """

    def __init__(self, database: Database, scanner: Scanner) -> None:
        self._database = database
        self._scanner = scanner

    def of_album(self, artist_key: str, album_key: str, *, shuffled: bool = False) -> Page[Track]:
        """Return an album's tracks by disc and number."""
        query = _PLAYABLE.where(Track.album_artist_key == artist_key, Track.album_key == album_key)
        return self._some(query.order_by(*ALBUM_ORDER), shuffled)

    def of_artist(self, artist_key: str, *, shuffled: bool = False) -> Page[Track]:
        """Return an artist's tracks album by album, the oldest first; those on none come last."""
        year = func.min(Track.year).over(partition_by=Track.album_key)
        plays = (Track.album_artist_key == artist_key) | (Track.artist_key == artist_key)
        query = _PLAYABLE.where(plays).order_by(
            Track.album_key == "", func.coalesce(year, LAST), Track.album_key, *ALBUM_ORDER
        )
        return self._some(query, shuffled)

    def of_folder(self, path: bytes, *, shuffled: bool = False) -> Page[Track]:
        """Return the tracks in and below a folder, folder by folder, in reading order.

        Raises:
            NotFoundError: there is no such folder.
        """
        found, _ = self._scanner.scan_folder(path)
        query = _PLAYABLE
        if found.path:
            query = query.where((Track.folder == found.path) | Track.is_below(found.path))
        page = self._some(query.order_by(Track.folder, Track.path), shuffled)
        return page if shuffled else Page(_read_in_order(page.items), 0, page.has_more)

    def _some(self, query: Select[Track], shuffled: bool) -> Page[Track]:
        if shuffled:
            query = query.order_by(None).order_by(func.random())
        with self._database.read() as session:
            tracks = session.scalars(query.limit(MOST + 1)).all()
        return Page(tuple(tracks[:MOST]), 0, len(tracks) > MOST)


_PLAYABLE: Final[Select[Track]] = select(Track).where(*_IS_PLAYABLE)


def _read_in_order(tracks: tuple[Track, ...]) -> tuple[Track, ...]:
    folders = [(folder, tuple(each)) for folder, each in groupby(tracks, lambda one: one.folder)]
    folders.sort(key=lambda found: _folder_order(found[0]))
    return tuple(track for _, each in folders for track in in_order(each))


def _folder_order(folder: bytes) -> tuple[Any, ...]:
    return tuple(reading_order(display_name(part)) for part in folder.split(b"/") if part)
