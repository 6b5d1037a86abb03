"""Genres: which there are, and what is of one. A track may be of several."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.orm import Session

from ..database.summary_tables import AlbumGenre
from ..database.tables import IS_PRESENT, Track
from ..database.units_of_work import Database
from ..files.tags import split_genres


@dataclass(frozen=True, slots=True)
class Genre:
    """A genre as most tracks write it, with how many tracks and albums are of it."""

    name: str
    tracks: int
    albums: int


class Genres:
    """Knows the genres of the library. Big and small letters make no difference to them.

    Args:
        database: that a `Scanner` fills.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Genre, ...]:
        """Return the genres by name."""
        key, name = AlbumGenre.genre_key, AlbumGenre.name
        tracks = cast(func.sum(AlbumGenre.tracks), BigInteger)  # PostgreSQL sums up to a decimal
        written = select(key, name, tracks).group_by(key, name)
        of = select(key, AlbumGenre.artist_key, AlbumGenre.key).distinct().subquery()
        albums = select(of.c.genre_key, func.count()).group_by(of.c.genre_key)
        names: defaultdict[str, Counter[str]] = defaultdict(Counter)
        with self._database.read() as session:
            for genre_key, written_so, count in session.execute(written):
                names[genre_key][written_so] = count
            counts: dict[str, int] = dict(session.execute(albums).all())
        return tuple(
            Genre(_most_common(written_so), written_so.total(), counts[genre_key])
            for genre_key, written_so in sorted(names.items())
        )


def _most_common(written: Counter[str]) -> str:
    # Of several that are as common, always the same one.
    return min(written, key=lambda name: (-written[name], name))


def of_genres(session: Session, texts: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition of tracks that are of any of some genres, within a unit of work.

    A tag may name several genres in one text. Which texts there are is read from an index, where
    no other condition could use one.
    """
    wanted = genre_keys(texts)
    there = session.scalars(select(Track.genre).where(IS_PRESENT).distinct())
    return Track.genre.in_([text for text in there if not wanted.isdisjoint(genre_keys([text]))])


def genre_keys(texts: Iterable[str]) -> set[str]:
    """Return the genres that some texts name, in letters of no case."""
    return {name.casefold() for text in texts for name in split_genres(text)}
