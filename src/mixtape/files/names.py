"""File names, which may be any bytes, as text that can be shown."""

from __future__ import annotations

import os
import re
from typing import Final

# "CD1", "Disc 2", "Disk 03 - Live", "cd-4"
_DISC: Final = re.compile(r"(?:cd|dis[ck])[ _.-]*0*([1-9][0-9]?)(?![0-9])", re.IGNORECASE)


def display_name(path: bytes) -> str:
    """Return the last part of a path as text that can be shown and stored, whatever its bytes."""
    return path.rpartition(b"/")[2].decode("utf-8", "replace")


def is_cut(path: bytes, folder: bytes) -> bool:
    """Say whether a track is cut out of a file by a CUE sheet, which its path then leads through.

    Args:
        path: of the track.
        folder: of the file.
    """
    return path.rpartition(b"/")[0] != folder


def shown(name: str) -> str:
    """Return a file name as text that any page can hold."""
    return os.fsencode(name).decode("utf-8", "replace")


def disc_of(folder: bytes) -> int | None:
    """Return which disc of an album a folder holds, by its name; None where that says nothing."""
    match = _DISC.match(display_name(folder))
    return int(match[1]) if match else None


def reading_order(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts "2 b" before "10 a" and ignores case."""
    pieces = [piece for piece in re.split(r"(\d+)", name.casefold()) if piece]
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces]
