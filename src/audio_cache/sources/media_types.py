"""The one table of audio files: their suffixes, media types, and whether they can be lossless."""

from __future__ import annotations

import mimetypes
import os
from typing import Final, NamedTuple

Name = str | bytes | os.PathLike[str]


class _AudioSuffix(NamedTuple):
    """What a suffix says of a file; `is_lossless` is None where only the content tells."""

    media_type: str
    is_lossless: bool | None


_AUDIO: Final = {
    ".aac": _AudioSuffix("audio/aac", False),
    ".aif": _AudioSuffix("audio/aiff", True),
    ".aifc": _AudioSuffix("audio/aiff", True),
    ".aiff": _AudioSuffix("audio/aiff", True),
    ".alac": _AudioSuffix("audio/mp4", True),
    ".ape": _AudioSuffix("audio/x-ape", True),
    ".au": _AudioSuffix("audio/basic", False),
    ".dff": _AudioSuffix("audio/x-dff", True),
    ".dsf": _AudioSuffix("audio/x-dsf", True),
    ".flac": _AudioSuffix("audio/flac", True),
    ".m4a": _AudioSuffix("audio/mp4", None),
    ".m4b": _AudioSuffix("audio/mp4", None),
    ".mp2": _AudioSuffix("audio/mpeg", False),
    ".mp3": _AudioSuffix("audio/mpeg", False),
    ".mp4": _AudioSuffix("audio/mp4", None),
    ".mpc": _AudioSuffix("audio/x-musepack", False),
    ".oga": _AudioSuffix("audio/ogg", False),
    ".ogg": _AudioSuffix("audio/ogg", False),
    ".opus": _AudioSuffix("audio/ogg", False),
    ".spx": _AudioSuffix("audio/ogg", False),
    ".tta": _AudioSuffix("audio/x-tta", True),
    ".wav": _AudioSuffix("audio/wav", True),
    ".webm": _AudioSuffix("audio/webm", False),
    ".wma": _AudioSuffix("audio/x-ms-wma", False),
    ".wv": _AudioSuffix("audio/x-wavpack", True),
}
AUDIO_SUFFIXES: Final = frozenset(_AUDIO)
LOSSLESS_SUFFIXES: Final = frozenset(name for name, kind in _AUDIO.items() if kind.is_lossless)


def suffix_of(name: Name) -> str:
    """Return the suffix of a file's name in lower case, with its dot; "" where it has none."""
    return os.path.splitext(os.fsdecode(name))[1].lower()


def media_type(name: Name) -> str:
    """Return the media type of an original, by its suffix."""
    known = _AUDIO.get(suffix_of(name))
    if known is not None:
        return known.media_type
    return mimetypes.guess_type(os.fsdecode(name))[0] or "application/octet-stream"


def is_audio_name(name: Name) -> bool:
    """Say whether a file is one to be played, by its suffix: a music folder holds others, too."""
    return suffix_of(name) in AUDIO_SUFFIXES


def may_be_lossless(name: Name) -> bool:
    """Tell by its name alone whether a file can be lossless; only a look into it makes sure."""
    kind = _AUDIO.get(suffix_of(name))
    return kind is not None and kind.is_lossless is not False


def is_either(name: Name) -> bool:
    """Say whether files of this name hold lossless audio or other, as MP4 does."""
    kind = _AUDIO.get(suffix_of(name))
    return kind is not None and kind.is_lossless is None
