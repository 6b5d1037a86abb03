"""Names of files that any system takes: Windows forbids most, and forgets a dot at the end."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Marks of direction are among them: behind one a suffix is shown as another.
_FORBIDDEN: Final = re.compile(
    r'[\x00-\x1f\x7f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+'
)
_SPACES: Final = re.compile(r"\s+")
# A name may have 255 bytes on Linux, where a letter may take four of them.
_MOST_BYTES: Final = 180
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)


def safe_name(text: str, fallback: str = "mixtape") -> str:
    """Return a text as the name of a file without its suffix.

    Args:
        text: any.
        fallback: what it is where nothing is left.
    """
    plain = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", text))
    plain = _shortened(_SPACES.sub(" ", plain).strip(" ."))
    return f"_{plain}" if _RESERVED.match(plain) else plain or fallback


def track_name(place: int, of: int, artist: str, title: str, suffix: str) -> str:
    """Return the name of a track's file: "01 Artist – Title.mp3".

    Args:
        place: of the track, from 1 on.
        of: how many there are, so that names sort as the tracks follow.
        artist: "" where nobody is named.
        title: of the track.
        suffix: with its dot.
    """
    number = str(place).zfill(max(2, len(str(of))))
    words = f"{artist} – {title}" if artist else title
    return f"{number} {safe_name(words, 'Track')}{suffix}"


def _shortened(name: str) -> str:
    short = name.encode()[:_MOST_BYTES].decode("utf-8", "ignore")
    return short.rstrip(" .")
