"""What lists of the library hold, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from ..files.names import display_name, is_cut

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


class Song(NamedTuple):
    """A track in a long list: those columns of `Track` that players are told of.

    Reading hundreds of these takes a fraction of what as many objects of `Track` take.
    """

    id: int
    path: bytes
    folder: bytes
    title: str
    artist: str
    artist_key: str
    album: str
    album_artist: str
    album_artist_key: str
    album_key: str
    track_no: int | None
    disc_no: int | None
    year: int | None
    genre: str
    duration_s: float | None
    rate_hz: int | None
    bits: int | None
    channels: int | None
    size_bytes: int
    lossless: bool
    cover_key: str | None
    track_gain_db: float | None
    track_peak: float | None
    album_gain_db: float | None
    album_peak: float | None
    added_at: datetime

    @property
    def is_sheet_track(self) -> bool:
        """Say whether a CUE sheet cuts it out of a file."""
        return is_cut(self.path, self.folder)

    @property
    def file_name(self) -> str:
        """Return the name on disk as text."""
        return display_name(self.path)
