"""Stars, ratings and plays of a user, by the track, album or artist that they are of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from ..database.account_tables import ALBUM, ARTIST, TRACK, Bookmark, Mark, Play
from ..database.tables import Track
from ..database.units_of_work import Database
from .users import lock_user

BEST_RATING: Final = 5
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


@dataclass(frozen=True, slots=True)
class Subject:
    """What a mark is of: a track, an album or an artist, by what stands for it in `Mark`."""

    kind: str
    key: bytes

    @classmethod
    def track(cls, path: bytes) -> Subject:
        """Return a track as a subject."""
        return cls(TRACK, path)

    @classmethod
    def album(cls, artist_key: str, album_key: str) -> Subject:
        """Return an album as a subject."""
        return cls(ALBUM, album_mark(artist_key, album_key))

    @classmethod
    def artist(cls, artist_key: str) -> Subject:
        """Return an artist as a subject."""
        return cls(ARTIST, artist_mark(artist_key))


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
    """Keeps the marks of all users, and says what else is known of what they marked.

    Args:
        database: where they are.
        now: the clock.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._now = now

    def star(self, user_id: int, subjects: Iterable[Subject]) -> None:
        """Give stars; what has one keeps it, with the moment when it was given."""
        now, wanted = self._now(), list(dict.fromkeys(subjects))
        with self._database.write() as session:
            lock_user(session, user_id)
            known = _find(session, user_id, wanted)
            for mark in known.values():
                mark.starred_at = mark.starred_at or now
            session.add_all(
                Mark(user_id=user_id, kind=one.kind, key=one.key, starred_at=now)
                for one in wanted
                if one not in known
            )

    def unstar(self, user_id: int, subjects: Iterable[Subject]) -> None:
        """Take stars back."""
        with self._database.write() as session:
            _take(session, user_id, subjects, {"starred_at": None})

    def rate(self, user_id: int, subject: Subject, rating: int) -> None:
        """Rate something from 1 to 5; 0 takes the rating back."""
        with self._database.write() as session:
            lock_user(session, user_id)
            if rating:
                mark = _find(session, user_id, [subject]).get(subject)
                if mark is None:
                    mark = Mark(user_id=user_id, kind=subject.kind, key=subject.key)
                    session.add(mark)
                mark.rating = rating
            else:
                _take(session, user_id, [subject], {"rating": None})

    def starred(self, user_id: int, kind: str) -> Sequence[bytes]:
        """Return the keys of what a user has starred of a kind, the latest first."""
        query = select(Mark.key).where(
            Mark.user_id == user_id, Mark.kind == kind, Mark.starred_at.is_not(None)
        )
        with self._database.read() as session:
            return session.scalars(query.order_by(Mark.starred_at.desc(), Mark.key)).all()

    def starred_ids(self, user_id: int) -> Sequence[int]:
        """Return the ids of the starred tracks that are there, the latest star first."""
        query = (
            select(Track.id)
            .join(Mark, Mark.key == Track.path)
            .where(Mark.user_id == user_id, Mark.kind == TRACK, Mark.starred_at.is_not(None))
            .where(Track.missing_since.is_(None))
        )
        with self._database.read() as session:
            return session.scalars(query.order_by(Mark.starred_at.desc(), Track.id)).all()

    def rated_ids(self, user_id: int) -> Mapping[int, int]:
        """Return the ratings of tracks that are there, by the tracks' ids."""
        query = (
            select(Track.id, Mark.rating)
            .join(Mark, Mark.key == Track.path)
            .where(Mark.user_id == user_id, Mark.kind == TRACK, Mark.rating.is_not(None))
            .where(Track.missing_since.is_(None))
        )
        with self._database.read() as session:
            return {track_id: rating or 0 for track_id, rating in session.execute(query)}

    def of_tracks(self, user_id: int, paths: Iterable[bytes]) -> Mapping[bytes, Liking]:
        """Return what a user has said of tracks, and of none that is left out nothing is known."""
        wanted = list(set(paths))
        marks: dict[bytes, tuple[datetime | None, int | None]] = {}
        plays: dict[bytes, tuple[int, datetime]] = {}
        places: dict[bytes, int] = {}
        if not wanted:
            return {}
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

    def all_of_kind(self, user_id: int, kind: str) -> Mapping[bytes, Liking]:
        """Return all that a user has said of albums or artists, by their keys."""
        query = select(Mark.key, Mark.starred_at, Mark.rating)
        query = query.where(Mark.user_id == user_id, Mark.kind == kind).order_by(Mark.key)
        with self._database.read() as session:
            rows = session.execute(query)
            return {key: Liking(starred_at, rating) for key, starred_at, rating in rows}

    def of_kind(self, user_id: int, kind: str, keys: Iterable[bytes]) -> Mapping[bytes, Liking]:
        """Return what a user has said of albums or artists by their keys."""
        wanted, found = list(set(keys)), dict[bytes, Liking]()
        if not wanted:
            return found
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


def _find(session: Session, user_id: int, subjects: Iterable[Subject]) -> dict[Subject, Mark]:
    """Return the marks that there are of some subjects."""
    return {
        Subject(mark.kind, mark.key): mark
        for chosen in _chosen(user_id, subjects)
        for mark in session.scalars(select(Mark).where(*chosen))
    }


def _take(
    session: Session, user_id: int, subjects: Iterable[Subject], values: Mapping[str, Any]
) -> None:
    """Take something back of some subjects; of one of which nothing is said nothing is kept."""
    says_nothing = Mark.starred_at.is_(None), Mark.rating.is_(None)
    for chosen in _chosen(user_id, subjects):
        session.execute(update(Mark).where(*chosen).values(**values))
        session.execute(delete(Mark).where(*chosen, *says_nothing))


def _chosen(user_id: int, subjects: Iterable[Subject]) -> Iterator[tuple[ColumnElement[bool], ...]]:
    """Yield conditions that choose the marks of some subjects, as many at once as may be."""
    keys: dict[str, list[bytes]] = defaultdict(list)
    for subject in subjects:
        keys[subject.kind].append(subject.key)
    for kind, all_of_kind in keys.items():
        for start in range(0, len(all_of_kind), AT_ONCE):
            some = Mark.key.in_(all_of_kind[start : start + AT_ONCE])
            yield Mark.user_id == user_id, Mark.kind == kind, some
