"""Stars, ratings and plays of a user, by the track, album or artist that they are of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, delete, select, tuple_, update
from sqlalchemy.orm import Session

from ..database.account_tables import ALBUM, ARTIST, TRACK, Bookmark, Mark, Play
from ..database.summary_tables import AlbumPlay
from ..database.tables import Track
from ..database.units_of_work import Database
from ..library.albums import AlbumKeys
from .users import lock_user

BEST_RATING: Final = 5
# Statements hold so many values at most; SQLite's own limit is 32,766.
AT_ONCE: Final = 5_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Liking:
    """What a user has said of something, and how often they heard it: a track, or all of an album.

    Args:
        bookmark_ms: where a track goes on; None without a bookmark.
    """

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
        wanted, found = list(set(paths)), dict[bytes, Liking]()
        one_of = self._database.one_of
        if not wanted:
            return found
        with self._database.read() as session:
            for some in _slices(wanted):
                found.update(_marks(session, user_id, TRACK, one_of(Mark.key, some)))
                plays = select(Play.path, Play.plays, Play.last_played_at)
                plays = plays.where(Play.user_id == user_id, one_of(Play.path, some))
                for path, count, last_at in session.execute(plays):
                    known = found.get(path, NOTHING)
                    found[path] = replace(known, plays=count, last_played_at=last_at)
                places = select(Bookmark.path, Bookmark.position_ms)
                places = places.where(Bookmark.user_id == user_id, one_of(Bookmark.path, some))
                for path, position_ms in session.execute(places):
                    found[path] = replace(found.get(path, NOTHING), bookmark_ms=position_ms)
        return found

    def all_of_kind(self, user_id: int, kind: str) -> Mapping[bytes, Liking]:
        """Return all that a user has said of albums or artists, by their keys."""
        with self._database.read() as session:
            return dict(sorted(_marks(session, user_id, kind), key=itemgetter(0)))

    def of_albums(self, user_id: int, keys: Iterable[AlbumKeys]) -> Mapping[AlbumKeys, Liking]:
        """Return what a user has said of albums, and how often they heard the tracks of each."""
        wanted, found = list(set(keys)), dict[AlbumKeys, Liking]()
        if not wanted:
            return found
        place = AlbumPlay.artist_key, AlbumPlay.key
        plays = select(*place, AlbumPlay.plays, AlbumPlay.last_played_at)
        plays = plays.where(AlbumPlay.user_id == user_id)
        with self._database.read() as session:
            for some in _slices(wanted):
                marks = {album_mark(*pair): pair for pair in some}
                is_one = self._database.one_of(Mark.key, list(marks))
                for mark, said in _marks(session, user_id, ALBUM, is_one):
                    found[marks[mark]] = said
                chosen = tuple_(*place).in_(select(self._database.pairs(some)))
                for artist_key, key, count, last_at in session.execute(plays.where(chosen)):
                    known = found.get((artist_key, key), NOTHING)
                    found[artist_key, key] = replace(known, plays=count, last_played_at=last_at)
        return found

    def of_artists(self, user_id: int, keys: Iterable[str]) -> Mapping[str, Liking]:
        """Return what a user has said of artists."""
        wanted, found = list(set(keys)), dict[str, Liking]()
        if not wanted:
            return found
        with self._database.read() as session:
            for some in _slices(wanted):
                marks = {artist_mark(key): key for key in some}
                is_one = self._database.one_of(Mark.key, list(marks))
                for mark, said in _marks(session, user_id, ARTIST, is_one):
                    found[marks[mark]] = said
        return found


def _marks(
    session: Session, user_id: int, kind: str, *where: ColumnElement[bool]
) -> Iterator[tuple[bytes, Liking]]:
    """Yield the keys of what a user has marked of a kind, each with what they said of it."""
    query = select(Mark.key, Mark.starred_at, Mark.rating)
    query = query.where(Mark.user_id == user_id, Mark.kind == kind, *where)
    for key, starred_at, rating in session.execute(query):
        yield key, Liking(starred_at, rating)


def _slices(wanted: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]


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
        for some in _slices(all_of_kind):
            yield Mark.user_id == user_id, Mark.kind == kind, Mark.key.in_(some)
