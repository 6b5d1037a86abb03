"""The top-level parts of the library, of which players may ask for one alone."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, or_

from ..database.tables import IS_PRESENT, Track
from ..files.names import display_name
from .albums import with_common_track
from .artists import artists_of

# Players have it as a signed number of 32 bits.
_MOST_ID: Final = 2**31 - 1
Conditions = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class MusicFolder:
    """One part of the library.

    Args:
        id: a number that stays the same for as long as the folder keeps its name.
        path: what the paths of its tracks begin with; b"" where it is the whole library.
    """

    id: int
    name: str
    path: bytes

    @property
    def is_all(self) -> bool:
        """Say whether the whole library is in it."""
        return not self.path

    def holds(self, path: bytes) -> bool:
        """Say whether a path in the library is in it."""
        return self.is_all or path.startswith(self.path + b"/")


def tracks_in(folder: MusicFolder | None) -> Conditions:
    """Return the conditions of tracks that are there; of all parts of the library for None."""
    if folder is None or folder.is_all:
        return (IS_PRESENT,)
    return IS_PRESENT, or_(Track.folder == folder.path, Track.is_below(folder.path))


def albums_in(folder: MusicFolder | None) -> Conditions:
    """Return the conditions of albums with a track in a part of the library; none for None."""
    if folder is None or folder.is_all:
        return ()
    return (with_common_track(*tracks_in(folder)),)


def artists_in(folder: MusicFolder | None) -> Conditions:
    """Return the conditions of artists with a track in a part of the library; none for None."""
    if folder is None or folder.is_all:
        return ()
    where = tracks_in(folder)
    return (artists_of(where, where),)


def music_folders(places: Mapping[str, str]) -> tuple[MusicFolder, ...]:
    """Return the parts of a library, by name.

    Args:
        places: of `MusicRoots`.
    """
    found = []
    for name, place in sorted(places.items()):
        path = os.fsencode(name)
        shown = display_name(path) if path else display_name(os.fsencode(place).rstrip(b"/"))
        number = zlib.crc32(path) & _MOST_ID if path else 1
        found.append(MusicFolder(number, shown or "/", path))
    return tuple(found)
