"""Mixtapes as values: what an editor saves, what is stored, what a list shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from ..database.tables import Track
from ..errors import InvalidMixtapeError
from ..files.names import display_name
from ..files.tags import clean_lines, clean_text
from ..messages import Message

MAX_TITLE: Final = 200
MAX_NOTES: Final = 10_000
MAX_TRACKS: Final = 1_000
MAX_NAME: Final = 100
MAX_TRACK_NOTE: Final = 500
# As many as a square shows well.
MAX_COLLAGE: Final = 4
_COVER_KEY: Final = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class MixtapeState:
    """Everything of a mixtape that a save changes.

    Args:
        notes: liner notes, in Markdown.
        track_ids: of the library's tracks.
        track_notes: what the maker says of each track; those that are left out say nothing.
        sender: whom the mixtape is from.
        recipient: whom it is for.
        made_on: its date; None for the day that it is first stored.
        side_b: how many tracks stand before side B; None for a tape without sides.
    """

    title: str
    notes: str = ""
    cover_key: str | None = None
    track_ids: tuple[int, ...] = ()
    track_notes: tuple[str, ...] = ()
    sender: str = ""
    recipient: str = ""
    made_on: date | None = None
    side_b: int | None = None

    @property
    def noted_tracks(self) -> tuple[tuple[int, str], ...]:
        """Return the tracks, each with its note."""
        missing = len(self.track_ids) - len(self.track_notes)
        notes = (*self.track_notes, *[""] * missing)
        return tuple(zip(self.track_ids, notes, strict=False))

    def as_json(self) -> dict[str, Any]:
        """Return the state as a draft keeps it."""
        return {**asdict(self), "made_on": self.made_on and self.made_on.isoformat()}


@dataclass(frozen=True, slots=True)
class MixtapeItem:
    """One place in a mixtape.

    Args:
        path: relative to the music root.
        track: as the library last saw it; None where the library has never seen it.
        note: what the maker says of it.
    """

    path: bytes
    track: Track | None
    note: str = ""

    @property
    def is_missing(self) -> bool:
        """Say whether the last scan did not find the file."""
        return self.track is None or self.track.missing_since is not None

    @property
    def title(self) -> str:
        """Return the track's title, or at least its file name."""
        return self.track.title if self.track else display_name(self.path)

    @property
    def duration_s(self) -> float:
        """Return how long it plays, as far as that is known; 0 for what is not there."""
        return 0.0 if self.track is None or self.is_missing else self.track.duration_s or 0.0


@dataclass(frozen=True, slots=True)
class Side:
    """What is on one side of a mixtape.

    Args:
        name: "A" or "B"; "" for the only one of a tape without sides.
        start: how many tracks are before it.
    """

    name: str
    start: int
    items: tuple[MixtapeItem, ...]

    @property
    def duration_s(self) -> float:
        """Return how long the tracks that are there play, as far as that is known."""
        return sum(item.duration_s for item in self.items)


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
    """A mixtape as it is stored.

    Args:
        id: a number that it keeps.
        user_id: who made it.
        slug: of the link that it was asked for by, or of its first one.
        own_cover_key: None where nobody chose a cover.
        shared: whether that link can be used; of a mixtape as such, whether any can.
        share_key: of that link.
        link: that one.
        made_on: None where nobody chose a date.
    """

    id: int
    user_id: int
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
    sender: str = ""
    recipient: str = ""
    made_on: date | None = None
    side_b: int | None = None

    @property
    def day(self) -> date:
        """Return the day that it bears: the one chosen, else that of making."""
        return self.made_on or self.created_at.date()

    @property
    def sides(self) -> tuple[Side, ...]:
        """Return its sides: two where both hold something, else one without a name."""
        at = self.side_b or 0
        if not 0 < at < len(self.items):
            return (Side("", 0, self.items),)
        return Side("A", 0, self.items[:at]), Side("B", at, self.items[at:])

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Return the tracks that are there, in order."""
        return tuple(item.track for item in self.items if item.track and not item.is_missing)

    @property
    def cover_key(self) -> str | None:
        """Return the cover to show where one has to do: the chosen one, else the first track's."""
        return next(iter(self.cover_parts), None)

    @property
    def cover_parts(self) -> tuple[str, ...]:
        """Return the covers that its own is made of: the chosen one, else some of its tracks'."""
        if self.own_cover_key:
            return (self.own_cover_key,)
        covers = dict.fromkeys(track.cover_key for track in self.tracks if track.cover_key)
        return tuple(covers)[:MAX_COLLAGE]

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
        known = [(item.track.id, item.note) for item in self.items if item.track]
        side_b = self.side_b
        if side_b is not None:
            side_b = sum(1 for item in self.items[:side_b] if item.track)
        return MixtapeState(
            title=self.title,
            notes=self.notes,
            cover_key=self.own_cover_key,
            track_ids=tuple(track_id for track_id, _ in known),
            track_notes=_without_empty_end(note for _, note in known),
            sender=self.sender,
            recipient=self.recipient,
            made_on=self.made_on,
            side_b=side_b,
        )


@dataclass(frozen=True, slots=True)
class MixtapeSummary:
    """A mixtape as a list shows it.

    Args:
        id: a number that it keeps.
        cover_parts: as `SavedMixtape.cover_parts`.
        link_slug: of the first link that can be used; None where none can.
        tracks: counts all its places.
        missing: counts those in vain.
    """

    id: int
    slug: str
    title: str
    cover_parts: tuple[str, ...]
    link_slug: str | None
    tracks: int
    missing: int
    duration_s: float
    created_at: datetime
    updated_at: datetime

    @property
    def cover_key(self) -> str | None:
        """Return the cover to show where one has to do."""
        return next(iter(self.cover_parts), None)

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
        raise InvalidMixtapeError(Message("the mixtape needs a title"))
    _check_length(title, Message("the title is longer than %(most)s characters", most=MAX_TITLE))
    _check_length(
        state.notes, Message("the notes are longer than %(most)s characters", most=MAX_NOTES)
    )
    sender, recipient = clean_text(state.sender), clean_text(state.recipient)
    _check_length(
        sender, Message("the name after “From” is longer than %(most)s characters", most=MAX_NAME)
    )
    _check_length(
        recipient, Message("the name after “To” is longer than %(most)s characters", most=MAX_NAME)
    )
    if len(state.track_ids) > MAX_TRACKS:
        raise InvalidMixtapeError(
            Message("the mixtape has more than %(most)s tracks", most=MAX_TRACKS)
        )
    if state.cover_key is not None and not _COVER_KEY.fullmatch(state.cover_key):
        raise InvalidMixtapeError(
            Message("the cover is none that was uploaded or is in the library")
        )
    if state.side_b is not None and not 0 <= state.side_b <= len(state.track_ids):
        raise InvalidMixtapeError(
            Message(
                "side B begins after %(side_b)s tracks, and the mixtape has "
                "%(tracks)s: begin it after one of them",
                side_b=state.side_b,
                tracks=len(state.track_ids),
            )
        )
    return replace(
        state,
        title=title,
        notes=clean_lines(state.notes),
        sender=sender,
        recipient=recipient,
        track_notes=_checked_notes(state),
    )


def _checked_notes(state: MixtapeState) -> tuple[str, ...]:
    notes = _without_empty_end(clean_text(note) for note in state.track_notes)
    if len(notes) > len(state.track_ids):
        raise InvalidMixtapeError(
            Message(
                "there are %(notes)s notes on %(tracks)s tracks: a track has one note",
                notes=len(notes),
                tracks=len(state.track_ids),
            )
        )
    for place, note in enumerate(state.track_notes, 1):
        _check_length(
            note,
            Message(
                "the note on track %(place)s is longer than %(most)s characters",
                place=place,
                most=MAX_TRACK_NOTE,
            ),
        )
    return notes


def _without_empty_end(notes: Iterable[str]) -> tuple[str, ...]:
    """Return notes without the last ones that say nothing, so that equal states are equal."""
    said = list(notes)
    while said and not said[-1]:
        said.pop()
    return tuple(said)


def _check_length(text: str, too_long: Message) -> None:
    """Refuse a text of more characters than the `most` of what would be said of it."""
    if len(text) > too_long.values["most"]:
        raise InvalidMixtapeError(too_long)
