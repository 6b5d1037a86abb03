"""The one table of the suffixes of audio files, with their media types."""

from __future__ import annotations

from typing import Final, NamedTuple


class AudioSuffix(NamedTuple):
    """What a suffix says about a file; `is_lossless` is None if only the content can tell."""

    media_type: str
    is_lossless: bool | None


AUDIO: Final = {
    ".aac": AudioSuffix("audio/aac", False),
    ".aif": AudioSuffix("audio/aiff", True),
    ".aifc": AudioSuffix("audio/aiff", True),
    ".aiff": AudioSuffix("audio/aiff", True),
    ".alac": AudioSuffix("audio/mp4", True),
    ".ape": AudioSuffix("audio/x-ape", True),
    ".au": AudioSuffix("audio/basic", False),
    ".dff": AudioSuffix("audio/x-dff", True),
    ".dsf": AudioSuffix("audio/x-dsf", True),
    ".flac": AudioSuffix("audio/flac", True),
    ".m4a": AudioSuffix("audio/mp4", None),
    ".m4b": AudioSuffix("audio/mp4", None),
    ".mp2": AudioSuffix("audio/mpeg", False),
    ".mp3": AudioSuffix("audio/mpeg", False),
    ".mp4": AudioSuffix("audio/mp4", None),
    ".mpc": AudioSuffix("audio/x-musepack", False),
    ".oga": AudioSuffix("audio/ogg", False),
    ".ogg": AudioSuffix("audio/ogg", False),
    ".opus": AudioSuffix("audio/ogg", False),
    ".spx": AudioSuffix("audio/ogg", False),
    ".tta": AudioSuffix("audio/x-tta", True),
    ".wav": AudioSuffix("audio/wav", True),
    ".webm": AudioSuffix("audio/webm", False),
    ".wma": AudioSuffix("audio/x-ms-wma", False),
    ".wv": AudioSuffix("audio/x-wavpack", True),
}
AUDIO_SUFFIXES: Final = frozenset(AUDIO)
SHEET_SUFFIX: Final = ".cue"
# Of the files whose tracks have paths as if they were folders: CUE sheets, and what may hold one.
TRACKS_IN: Final = (
    SHEET_SUFFIX,
    *(name for name, kind in AUDIO.items() if kind.is_lossless is not False),
)
LOSSLESS_SUFFIXES: Final = frozenset(name for name, kind in AUDIO.items() if kind.is_lossless)
