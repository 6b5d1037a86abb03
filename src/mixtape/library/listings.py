"""What the catalogue answers with: pages of artists and albums, folders, counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from ..database.tables import Track

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
    """Somebody whom albums are filed under; `key` asks for them, `name` is shown.

    The name is empty for tracks that name no artist.
    """

    key: str
    name: str
    albums: int
    tracks: int
    cover_key: str | None


@dataclass(frozen=True, slots=True)
class Album:
    """The tracks of one album artist that name the same album; the two keys ask for it."""

    artist_key: str
    key: str
    title: str
    artist: str
    year: int | None
    tracks: int
    duration_s: float
    cover_key: str | None


@dataclass(frozen=True, slots=True)
class Subfolder:
    """A folder by its path, with how many tracks are in and below it."""

    path: bytes
    tracks: int


@dataclass(frozen=True, slots=True)
class FolderView:
    """What a folder holds, each list sorted by name."""

    path: bytes
    folders: tuple[Subfolder, ...]
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class LibraryCounts:
    """How much there is; `missing` tracks are not in the other figures, `unreadable` ones are."""

    tracks: int
    albums: int
    artists: int
    duration_s: float
    size_bytes: int
    unreadable: int
    missing: int
