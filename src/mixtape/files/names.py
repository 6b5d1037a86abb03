"""File names, which may be any bytes, as text that can be shown."""

from __future__ import annotations

import os


def display_name(path: bytes) -> str:
    """Return the last part of a path as text that can be shown and stored, whatever its bytes."""
    return path.rpartition(b"/")[2].decode("utf-8", "replace")


def shown(name: str) -> str:
    """Return a file name as text that any page can hold."""
    return os.fsencode(name).decode("utf-8", "replace")
