"""What lists of the library hold, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a longer list.

    Args:
        items: in their order.
        offset: how many come before them.
        has_more: whether others follow.
    """

    items: tuple[T, ...]
    offset: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Artist:
    """Somebody whom albums are filed under or who plays on them; `key` asks for them.

    The name is empty for tracks that name no artist.

    Args:
        albums: that are filed under the artist.
        tracks: of these albums, of no album, and on albums of others.
        appears_on: how many albums of others, compilations too.
        has_loose: whether some of the tracks are of no album.
    """

    key: str
    name: str
    albums: int
    tracks: int
    cover_key: str | None
    appears_on: int = 0
    has_loose: bool = False


@dataclass(frozen=True, slots=True)
class Album:
    """The tracks of one album artist that name the same album; the two keys ask for it.

    Args:
        added_at: when the first of its tracks came into the library.
        genres: of all of its tracks, each once.
        disc_titles: the number and the title of each disc that has one of its own.
    """

    artist_key: str
    key: str
    title: str
    artist: str
    year: int | None
    tracks: int
    duration_s: float
    cover_key: str | None
    added_at: datetime
    genres: tuple[str, ...] = ()
    disc_titles: tuple[tuple[int, str], ...] = ()
