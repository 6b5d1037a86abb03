"""Mixtapes as values: what an editor saves, what is stored, what a list shows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ..database.tables import Track
from ..errors import InvalidMixtapeError
from ..files.names import display_name
from ..files.tags import clean_lines, clean_text

MAX_TITLE: Final = 200
MAX_NOTES: Final = 10_000
MAX_TRACKS: Final = 1_000
_COVER_KEY: Final = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class MixtapeState:
    """Everything of a mixtape that a save changes. The tracks are ids of the library's."""

    title: str
    notes: str = ""
    cover_key: str | None = None
    track_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MixtapeItem:
    """One place in a mixtape.

    Args:
        path: relative to the music root.
        track: as the library last saw it; None where the library has never seen it.
    """

    path: bytes
    track: Track | None

    @property
    def is_missing(self) -> bool:
        """Say whether the last scan did not find the file."""
        return self.track is None or self.track.missing_since is not None

    @property
    def title(self) -> str:
        """Return the track's title, or at least its file name."""
        return self.track.title if self.track else display_name(self.path)


@dataclass(frozen=True, slots=True)
class Furthest:
    """How far the listener of a link came: the place of a track, from 0, a second of it, when."""

    place: int
    second: float
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class SavedLink:
    """A link to a mixtape as it is stored; `furthest` is None where nothing is kept or known.

    Args:
        is_first: its slug is that of the mixtape.
        is_expired: as it was looked at.
    """

    id: int
    slug: str
    name: str
    is_first: bool
    is_open: bool
    is_expired: bool
    expires_at: datetime | None
    has_password: bool
    tells_progress: bool
    allows_embed: bool
    furthest: Furthest | None
    share_key: str = field(repr=False)

    @property
    def is_usable(self) -> bool:
        """Say whether it leads anybody anywhere."""
        return self.is_open and not self.is_expired


@dataclass(frozen=True, slots=True)
class SavedMixtape:
    """A mixtape as it is stored. `own_cover_key` is None where nobody chose a cover.

    Args:
        slug: of the link that it was asked for by, or of its first one.
        shared: whether that link can be used; of a mixtape as such, whether any can.
        share_key: of that link.
        link: that one.
    """

    slug: str
    title: str
    notes: str
    own_cover_key: str | None
    revision: int
    shared: bool
    share_key: str = field(repr=False)
    created_at: datetime
    updated_at: datetime
    items: tuple[MixtapeItem, ...]
    link: SavedLink

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Return the tracks that are there, in order."""
        return tuple(item.track for item in self.items if item.track and not item.is_missing)

    @property
    def cover_key(self) -> str | None:
        """Return the cover to show: the chosen one, else that of the first track with one."""
        covers = (track.cover_key for track in self.tracks if track.cover_key)
        return self.own_cover_key or next(covers, None)

    @property
    def cover_keys(self) -> frozenset[str]:
        """Return every cover that a listener of this mixtape may see."""
        keys = {self.own_cover_key, *(track.cover_key for track in self.tracks)}
        return frozenset(key for key in keys if key)

    @property
    def duration_s(self) -> float:
        """Return how long the tracks that are there play, as far as that is known."""
        return sum(track.duration_s or 0.0 for track in self.tracks)

    @property
    def state(self) -> MixtapeState:
        """Return what an editor starts from."""
        ids = tuple(item.track.id for item in self.items if item.track)
        return MixtapeState(self.title, self.notes, self.own_cover_key, ids)


@dataclass(frozen=True, slots=True)
class MixtapeSummary:
    """A mixtape as a list shows it; `tracks` counts all its places, `missing` those in vain.

    Args:
        link_slug: of the first link that can be used; None where none can.
    """

    slug: str
    title: str
    cover_key: str | None
    link_slug: str | None
    tracks: int
    missing: int
    duration_s: float
    created_at: datetime
    updated_at: datetime

    @property
    def shared(self) -> bool:
        """Say whether anybody else can hear it."""
        return self.link_slug is not None


def checked(state: MixtapeState) -> MixtapeState:
    """Return a state as it can be stored: the texts clean, everything within its limits.

    Raises:
        InvalidMixtapeError: it cannot be stored; the message names the field and what it takes.
    """
    title = clean_text(state.title)
    if not title:
        raise InvalidMixtapeError("the mixtape needs a title")
    if len(title) > MAX_TITLE:
        raise InvalidMixtapeError(f"the title is longer than {MAX_TITLE} characters")
    if len(state.notes) > MAX_NOTES:
        raise InvalidMixtapeError(f"the notes are longer than {MAX_NOTES} characters")
    if len(state.track_ids) > MAX_TRACKS:
        raise InvalidMixtapeError(f"the mixtape has more than {MAX_TRACKS} tracks")
    if state.cover_key is not None and not _COVER_KEY.fullmatch(state.cover_key):
        raise InvalidMixtapeError("the cover is none that was uploaded or is in the library")
    return MixtapeState(title, clean_lines(state.notes), state.cover_key, state.track_ids)
