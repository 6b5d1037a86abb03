"""Genres: which there are, and what is of one. A track may be of several."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ..database.tables import Track
from ..database.units_of_work import Database
from ..files.tags import split_genres
from .albums import ALBUM_KEYS, IS_PRESENT, AlbumKeys


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
        of = select(Track.genre, *ALBUM_KEYS, func.count()).where(IS_PRESENT, Track.genre != "")
        names: defaultdict[str, Counter[str]] = defaultdict(Counter)
        albums: defaultdict[str, set[AlbumKeys]] = defaultdict(set)
        with self._database.read() as session:
            rows = session.execute(of.group_by(Track.genre, *ALBUM_KEYS)).all()
        for text, artist_key, album_key, tracks in rows:
            for name in split_genres(text):
                names[name.casefold()][name] += tracks
                albums[name.casefold()].add((artist_key, album_key))
        return tuple(
            Genre(_most_common(written), written.total(), len(albums[key]))
            for key, written in sorted(names.items())
        )


def _most_common(written: Counter[str]) -> str:
    # Of several that are as common, always the same one.
    return min(written, key=lambda name: (-written[name], name))


def of_genres(session: Session, texts: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition of tracks that are of any of some genres, within a unit of work.

    A tag may name several genres in one text. Which texts there are is read from an index, where
    no other condition could use one.
    """
    wanted = {key for text in texts for key in _keys_of(text)}
    there = session.scalars(select(Track.genre).where(IS_PRESENT).distinct())
    return Track.genre.in_([text for text in there if not wanted.isdisjoint(_keys_of(text))])


def _keys_of(text: str) -> list[str]:
    return [name.casefold() for name in split_genres(text)]
