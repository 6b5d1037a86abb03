"""Lyrics as tags and files hold them: plain text, or LRC, which says when each line is sung.

LRC is a custom rather than a format: "[mm:ss.xx]" before each line, one or several of them, and
tags such as "[ar:…]" on lines of their own. Marks of single words, "<mm:ss.xx>", are left out.
No I/O.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from .tags import clean_lines

# More is no song.
MAX_TEXT_BYTES: Final = 256 << 10
_MAX_LINES: Final = 5_000
# ISO 639: it is not known which language it is.
UNKNOWN: Final = "und"
_STAMP: Final = re.compile(r"\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]\s*")
_WORD_STAMP: Final = re.compile(r"<\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?>")
_TAG: Final = re.compile(r"\[([A-Za-z]+|#):([^\]]*)\]\s*")
_OFFSET: Final = re.compile(r"[+-]?\d{1,6}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Lyrics:
    """The words of a track.

    Args:
        lines: each with the milliseconds from the start of the track, in their order; None for
            all where that is not known.
        offset_ms: how much earlier the lines are to be shown.
        language: ISO 639; "und" where nothing says.
    """

    lines: tuple[tuple[int | None, str], ...]
    language: str = UNKNOWN
    offset_ms: int = 0
    artist: str = ""
    title: str = ""

    @property
    def is_synced(self) -> bool:
        """Say whether it is known when each line is sung."""
        return bool(self.lines) and self.lines[0][0] is not None

    @property
    def text(self) -> str:
        """Return the words alone."""
        return "\n".join(line for _, line in self.lines)


def read_lyrics(text: str, language: str = UNKNOWN) -> Lyrics | None:
    """Return what a text says, LRC or not; None where it holds no words."""
    timed: list[tuple[int | None, str]] = []
    plain: list[tuple[int | None, str]] = []
    tags: dict[str, str] = {}
    for line in clean_lines(text[:MAX_TEXT_BYTES]).split("\n")[:_MAX_LINES]:
        starts_ms, rest = _cut_stamps(line.strip())
        if starts_ms:
            words = " ".join(_WORD_STAMP.sub("", rest).split())
            timed += [(start_ms, words) for start_ms in starts_ms]
        elif tag := _TAG.fullmatch(line.strip()):
            tags.setdefault(tag[1].lower(), tag[2].strip())
        else:
            plain.append((None, line.strip()))
    # A line without a time, among others that have one, is a note of whoever wrote them down.
    lines = sorted(timed, key=lambda line: line[0] or 0)[:_MAX_LINES] or plain
    if not any(words for _, words in lines):
        return None
    offset = _OFFSET.fullmatch(tags.get("offset", ""))
    return Lyrics(
        lines=tuple(lines),
        language=clean_language(tags.get("la", language)),
        offset_ms=int(offset[0]) if offset and timed else 0,
        artist=tags.get("ar", ""),
        title=tags.get("ti", ""),
    )


def clean_language(language: str) -> str:
    """Return a language as its code, or that of none where it is no code."""
    is_code = _LANGUAGE.fullmatch(language) and language.lower() != "xxx"
    return language.lower() if is_code else UNKNOWN


def decode_text(content: bytes) -> str:
    """Return the text of a file of lyrics, whose encoding nothing else tells."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _cut_stamps(line: str) -> tuple[list[int], str]:
    """Return the times that a line begins with, in milliseconds, and what follows."""
    starts_ms = []
    while stamp := _STAMP.match(line):
        minutes, seconds, fraction = stamp[1], stamp[2], stamp[3] or ""
        starts_ms.append((int(minutes) * 60 + int(seconds)) * 1000 + int(f"{fraction:0<3}"))
        line = line[stamp.end() :]
    return starts_ms, line
