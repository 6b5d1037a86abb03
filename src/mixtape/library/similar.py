"""Tracks that go with others: of the same artist, or of the same genres and years.

The same question has the same answer until the library changes. It is made up as follows, of what
can be played. Every third track is of the artist. The others are of artists with a genre in common,
those of within five years first, and no more than an eighth of them of one artist; where genres
are not known, years alone decide. In which order tracks come that are equal by this is made up of
the question, so that it looks like chance.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from ..database.tables import IS_PRESENT, Track
from ..database.units_of_work import Database
from .catalogue import by_ids
from .genres import of_genres
from .listed import Song

_YEARS: Final = 5
_EACH: Final = 3
_PART_OF_ONE: Final = 8
# More than are asked for, as there may be too many of one artist.
_CANDIDATES: Final = 10
_PRIME: Final = 1_000_003


@dataclass(frozen=True, slots=True)
class Example:
    """What others are to go with.

    Args:
        artist_key: whose every third track is to be.
        texts: the tags of genres.
        year: of it; None where it is not known.
        without: the ids of tracks that are not to be among them.
    """

    artist_key: str
    texts: frozenset[str]
    year: int | None
    without: frozenset[int] = frozenset()


class Similar:
    """Finds tracks that go with others.

    Args:
        database: that a `Scanner` fills.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def to_tracks(self, tracks: Sequence[Track | Song], limit: int) -> tuple[Track, ...]:
        """Return what goes with a track, or with those of an album."""
        years = sorted(track.year for track in tracks if track.year is not None)
        example = Example(
            artist_key=tracks[0].artist_key or tracks[0].album_artist_key,
            texts=frozenset(track.genre for track in tracks),
            year=years[len(years) // 2] if years else None,
            without=frozenset(track.id for track in tracks),
        )
        with self._database.read() as session:
            return _find(session, example, limit)

    def to_artist(self, artist_key: str, limit: int) -> tuple[Track, ...]:
        """Return what goes with the tracks of an artist, of which some are among them."""
        own = select(Track.genre, func.avg(Track.year)).where(IS_PRESENT, _is_of(artist_key))
        with self._database.read() as session:
            rows = session.execute(own.group_by(Track.genre).order_by(func.count().desc())).all()
            years = [year for _, year in rows if year is not None]
            example = Example(
                artist_key,
                frozenset(text for text, _ in rows),
                round(years[0]) if years else None,
            )
            return _find(session, example, limit)


def _find(session: Session, example: Example, limit: int) -> tuple[Track, ...]:
    playable = (IS_PRESENT, Track.problem.is_(None), Track.id.not_in(example.without))
    own = select(Track.id).where(*playable, _is_of(example.artist_key)).order_by(_shuffled(example))
    is_alike = _is_alike(session, example)
    others: Sequence[Any] = ()
    if is_alike is not None:
        some = select(Track.id, Track.album_artist_key).where(*playable, is_alike)
        some = some.where(Track.album_artist_key != example.artist_key)
        some = some.order_by(*_order(example)).limit(limit * _CANDIDATES)
        others = session.execute(some).all()
    ids = _mixed(session.scalars(own.limit(limit)).all(), list(_spread(others, limit)), limit)
    return tuple(by_ids(session, ids))


def _is_of(artist_key: str) -> ColumnElement[bool]:
    return or_(Track.album_artist_key == artist_key, Track.artist_key == artist_key)


def _is_alike(session: Session, example: Example) -> ColumnElement[bool] | None:
    if any(example.texts):
        return of_genres(session, example.texts)
    if example.year is not None:
        return Track.year.between(example.year - _YEARS, example.year + _YEARS)
    return None


def _order(example: Example) -> tuple[ColumnElement[int], ...]:
    """Return what candidates are sorted by."""
    if example.year is None:
        return (_shuffled(example),)
    first, last = example.year - _YEARS, example.year + _YEARS
    return case((Track.year.between(first, last), 0), else_=1), _shuffled(example)


def _shuffled(example: Example) -> ColumnElement[int]:
    # A multiplication modulo a prime puts all numbers below it into another order.
    said = f"{example.artist_key}\0{example.year}\0{sorted(example.without)}"
    factor = 1 + zlib.crc32(said.encode()) % (_PRIME - 1)
    return (Track.id % _PRIME) * factor % _PRIME


def _spread(rows: Iterable[Any], limit: int) -> Iterator[int]:
    """Give the ids of tracks, but of no artist too many."""
    most = max(1, limit // _PART_OF_ONE)
    taken: Counter[str] = Counter()
    for track_id, artist_key in rows:
        taken[artist_key] += 1
        if taken[artist_key] <= most:
            yield track_id


def _mixed(own: Sequence[int], others: Sequence[int], limit: int) -> list[int]:
    """Return ids of both: one of the artist, then two of others; of one kind if the other ends."""
    mixed: list[int] = []
    mine, theirs = iter(own), iter(others)
    while len(mixed) < min(limit, len(own) + len(others)):
        first, second = (mine, theirs) if len(mixed) % _EACH == 0 else (theirs, mine)
        found = next(first, None)
        mixed.append(next(second) if found is None else found)
    return mixed
