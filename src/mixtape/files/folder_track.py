"""A track as a folder's page shows it: its words, length and format, read from the file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audio_cache import LOSSLESS_SUFFIXES, suffix_of

from ..errors import AudioFileError
from .audio_file import AudioFile, read_audio_file
from .formats import format_label, mime_type
from .names import shown

NO_MUSIC: Final = "This file holds no music that can be read."
# In shorter files tags and headers weigh too much for a bitrate to mean anything.
_MIN_BITRATE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """A track in the listing of a folder.

    Attributes:
        path: relative to the library, as `os.fsdecode` has it.
        name: of the file, as `os.fsdecode` has it.
        disc, number: its place in the album; a number only where the tags say it.
        duration_s: 0 where the file does not say.
        format: in a few characters, "FLAC 24/96".
        mime: the type that a browser is asked about before it is given the file itself.
        problem: why it cannot be played; "" where it can.
    """

    path: str
    name: str
    title: str
    artist: str
    album: str
    disc: int
    number: int | None
    duration_s: float
    size_bytes: int
    format: str
    mime: str
    is_lossless: bool
    problem: str = ""


def read_track(file: Path, path: str, size_bytes: int) -> ListedTrack:
    """Read a track from its file; what cannot be read becomes a track with a problem."""
    try:
        return _describe(read_audio_file(file), path, size_bytes)
    except AudioFileError as error:
        # What the system says helps to mend it ("Permission denied"); what parsers say does not.
        is_refused = isinstance(error.__cause__, OSError)
        return unreadable_track(path, size_bytes, str(error) if is_refused else NO_MUSIC)


def unreadable_track(path: str, size_bytes: int, problem: str) -> ListedTrack:
    """Return a track that can only be named, with the reason why."""
    name = os.path.basename(path)
    stem, suffix = os.path.splitext(name)
    return ListedTrack(
        path=path,
        name=name,
        title=shown(stem),
        artist="",
        album="",
        disc=1,
        number=None,
        duration_s=0.0,
        size_bytes=size_bytes,
        format=shown(suffix).removeprefix(".").upper(),
        mime="",
        is_lossless=suffix_of(name) in LOSSLESS_SUFFIXES,
        problem=problem,
    )


def _describe(audio: AudioFile, path: str, size_bytes: int) -> ListedTrack:
    name = os.path.basename(path)
    duration_s = audio.duration_s or 0.0
    return ListedTrack(
        path=path,
        name=name,
        title=audio.tags.title or shown(os.path.splitext(name)[0]),
        artist=audio.tags.artist or audio.tags.album_artist,
        album=audio.tags.album,
        disc=audio.tags.disc_no or 1,
        number=audio.tags.track_no,
        duration_s=duration_s,
        size_bytes=size_bytes,
        format=format_label(
            name,
            audio.codec,
            lossless=audio.lossless,
            bits=audio.bits or 0,
            rate_hz=audio.rate_hz or 0,
            kbit_s=_kbit_s(size_bytes, duration_s),
        ),
        mime=mime_type(name, audio.codec),
        is_lossless=audio.lossless,
    )


def _kbit_s(size_bytes: int, duration_s: float) -> int:
    return round(size_bytes * 8 / duration_s / 1000) if duration_s >= _MIN_BITRATE_S else 0
