"""An album's tracks as its page shows them, disc by disc. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ..database.tables import Track


@dataclass(frozen=True, slots=True)
class Disc:
    """One disc of an album.

    Args:
        number: as tags or folders say it; 1 where none does.
        subtitle: the title of the disc alone; empty without one.
        has_heading: whether it is to be told apart from others, or has a title of its own.
    """

    number: int
    subtitle: str
    tracks: tuple[Track, ...]
    has_heading: bool


def discs_of(tracks: Sequence[Track]) -> tuple[Disc, ...]:
    """Return the discs of an album.

    Args:
        tracks: of it, sorted by disc.
    """
    discs = [
        (number, tuple(on_disc))
        for number, on_disc in groupby(tracks, key=lambda track: track.disc_no or 1)
    ]
    subtitles = {
        number: next((track.disc_subtitle for track in on_disc if track.disc_subtitle), "")
        for number, on_disc in discs
    }
    return tuple(
        Disc(number, subtitles[number], on_disc, len(discs) > 1 or bool(subtitles[number]))
        for number, on_disc in discs
    )
