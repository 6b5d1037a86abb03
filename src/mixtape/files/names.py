"""File names, which may be any bytes, as text that can be shown."""

from __future__ import annotations

import os
import re


def display_name(path: bytes) -> str:
    """Return the last part of a path as text that can be shown and stored, whatever its bytes."""
    return path.rpartition(b"/")[2].decode("utf-8", "replace")


def shown(name: str) -> str:
    """Return a file name as text that any page can hold."""
    return os.fsencode(name).decode("utf-8", "replace")


def reading_order(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts "2 b" before "10 a" and ignores case."""
    pieces = [piece for piece in re.split(r"(\d+)", name.casefold()) if piece]
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces]
