"""Text for people: sizes, durations, counts, and file names of any bytes."""

from __future__ import annotations

import os


def bytes_in_words(size_bytes: float) -> str:
    """Return a size with its decimal unit and two to three significant digits: "8.1 MB"."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while size_bytes >= 999.5 and len(units) > 1:
        size_bytes /= 1000
        del units[0]
    digits = 0 if size_bytes >= 9.95 or units[0] == "B" else 1
    return f"{size_bytes:.{digits}f} {units[0]}"


def seconds_in_words(seconds: float) -> str:
    """Return a duration in its two largest units: "1 h 02 min", "3 min 07 s", "8 s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: "1 track", "1,200 tracks"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def readable(name: str | os.PathLike[str]) -> str:
    """Return a file's name as printable text, whatever bytes it consists of."""
    text = os.fsencode(name).decode("utf-8", "replace")
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )
