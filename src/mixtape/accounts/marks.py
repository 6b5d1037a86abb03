"""Stars, ratings and plays of a user, by the track, album or artist that they are of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from ..database.account_tables import Bookmark, Mark, Play
from ..database.units_of_work import Database

# Statements hold so many values at most; SQLite's own limit is 32,766.
AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Liking:
    """What a user has said of something, and how often they heard it, which a track alone has."""

    starred_at: datetime | None = None
    rating: int | None = None
    plays: int = 0
    last_played_at: datetime | None = None
    bookmark_ms: int | None = None


NOTHING: Final = Liking()


def album_mark(artist_key: str, album_key: str) -> bytes:
    """Return what stands for an album in `Mark.key`."""
    return f"{artist_key}\1{album_key}".encode()


def artist_mark(artist_key: str) -> bytes:
    """Return what stands for an artist in `Mark.key`."""
    return artist_key.encode()


def read_album_mark(key: bytes) -> tuple[str, str]:
    """Return the keys of artist and album that `album_mark` joined."""
    artist_key, _, album_key = key.decode().partition("\1")
    return artist_key, album_key


class Marks:
    """Keeps the marks and plays of all users.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_tracks(self, user_id: int, paths: Iterable[bytes]) -> Mapping[bytes, Liking]:
        """Return what a user has said of tracks, and of none that is left out nothing is known."""
        wanted = list(set(paths))
        marks: dict[bytes, tuple[datetime | None, int | None]] = {}
        plays: dict[bytes, tuple[int, datetime]] = {}
        places: dict[bytes, int] = {}
        with self._database.read() as session:
            for start in range(0, len(wanted), AT_ONCE):
                some = wanted[start : start + AT_ONCE]
                for path, starred_at, rating in session.execute(
                    select(Mark.key, Mark.starred_at, Mark.rating).where(
                        Mark.user_id == user_id, Mark.kind == "track", Mark.key.in_(some)
                    )
                ):
                    marks[path] = starred_at, rating
                for path, count, last_at in session.execute(
                    select(Play.path, Play.plays, Play.last_played_at).where(
                        Play.user_id == user_id, Play.path.in_(some)
                    )
                ):
                    plays[path] = count, last_at
                for path, position_ms in session.execute(
                    select(Bookmark.path, Bookmark.position_ms).where(
                        Bookmark.user_id == user_id, Bookmark.path.in_(some)
                    )
                ):
                    places[path] = position_ms
        found = {}
        for path in marks.keys() | plays.keys() | places.keys():
            starred_at, rating = marks.get(path, (None, None))
            count, last_played_at = plays.get(path, (0, None))
            found[path] = Liking(starred_at, rating, count, last_played_at, places.get(path))
        return found

    def of_kind(self, user_id: int, kind: str, keys: Iterable[bytes]) -> Mapping[bytes, Liking]:
        """Return what a user has said of albums or artists by their keys."""
        wanted, found = list(set(keys)), {}
        with self._database.read() as session:
            for start in range(0, len(wanted), AT_ONCE):
                rows = select(Mark.key, Mark.starred_at, Mark.rating).where(
                    Mark.user_id == user_id,
                    Mark.kind == kind,
                    Mark.key.in_(wanted[start : start + AT_ONCE]),
                )
                for key, starred_at, rating in session.execute(rows):
                    found[key] = Liking(starred_at, rating)
        return found
