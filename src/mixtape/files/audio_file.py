"""An audio file as the library reads it: how long, of what kind, with which tags and picture."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import mutagen

from audio_cache import (
    ID3_FRAMES,
    MP4_ATOMS,
    cut_files,
    is_sheet_name,
    may_be_lossless,
    read_source,
)

from ..errors import AudioFileError
from .opening import Identity, opened_again, require_identity
from .pictures import embedded_picture, read_picture
from .sandbox import SANDBOXES, SandboxError
from .tags import TrackTags, is_shown, read_track_tags

# A header may claim anything, and what it claims must fit the column.
_MAX_NUMBER: Final = 2**31 - 1
_MAX_DURATION_S: Final = 30 * 24 * 3600.0
# What iTunes and most taggers put before the name of an MP4 atom of their own.
_FREEFORM: Final = "----:com.apple.iTunes:"
NOT_AUDIO: Final = "not readable as audio"
_CODECS: Final = {
    "AAC": "aac",
    "MP3": "mp3",
    "OggFLAC": "flac",
    "OggOpus": "opus",
    "OggSpeex": "speex",
    "OggVorbis": "vorbis",
}


@dataclass(frozen=True, slots=True)
class AudioFile:
    """What a scan reads from one file.

    Args:
        duration_s: None where the file does not say.
        lossless: whether renditions are made of it.
        picture: the front cover inside the file.
        has_sheet: whether a CUE sheet in it may cut it into tracks.
    """

    codec: str
    lossless: bool
    duration_s: float | None
    rate_hz: int | None
    bits: int | None
    channels: int | None
    tags: TrackTags
    picture: bytes | None
    has_sheet: bool = False


def read_audio_file(path: Path, known: Identity | None = None) -> AudioFile:
    """Read a file's properties, tags and picture; its audio is not decoded.

    Args:
        known: of the open file that the path has to stand for, if it has to.

    Raises:
        AudioFileError: it can't be opened or isn't audio that we know; the message says why.
    """
    try:
        if is_sheet_name(path):
            raise AudioFileError(_why_unused(path))
        if may_be_lossless(path):
            found = _read_lossless(path, known)
            if found is not None:
                return found
        return _read_lossy(path, known)
    except AudioFileError:
        raise
    except SandboxError as error:
        raise AudioFileError(f"{NOT_AUDIO}: it {error}") from error
    except OSError as error:
        raise AudioFileError(error.strerror or str(error), is_passing=True) from error
    except Exception as error:
        # Whatever a broken file makes a parser stumble over: one file must not end a scan.
        raise AudioFileError(f"{NOT_AUDIO}: {error or type(error).__name__}") from error


def _why_unused(sheet: Path) -> str:
    """Return what is wrong with a CUE sheet, whose file is then listed as a whole."""
    error = cut_files(os.fspath(sheet.parent), [sheet.name])[1].get(sheet.name)
    if isinstance(error, OSError):
        raise error
    return f"This CUE sheet is not used: {error}" if error else "This CUE sheet cuts no file"


def _read_lossless(path: Path, known: Identity | None) -> AudioFile | None:
    """Return what the file is; None where it is lossy after all, as most .m4a are."""
    source = read_source(path)
    require_identity(source.version[:2], known, path)
    if not source.lossless:
        return None
    if not source.demuxer or not source.rate_hz:
        # Told lossless by the name alone, or by a header that is cut short.
        raise AudioFileError(f"{NOT_AUDIO}: its content is not {path.suffix[1:].upper()}")
    return AudioFile(
        codec=source.codec,
        lossless=True,
        duration_s=_duration(source.duration_s),
        rate_hz=_number(source.rate_hz),
        bits=_number(source.bits),
        channels=_number(source.channels),
        tags=read_track_tags(source.tags),
        picture=read_picture(source.file.path, known),
        has_sheet=source.has_sheet,
    )


def _read_lossy(path: Path, known: Identity | None) -> AudioFile:
    words, picture = SANDBOXES.ask("lossy", {"path": os.fspath(path), "known": known})
    tags = TrackTags(**words.pop("tags"))
    return AudioFile(**words, tags=tags, picture=picture or None)


def without_picture(found: AudioFile) -> dict[str, Any]:
    """Return what was read as values that JSON has, but for the picture."""
    words = asdict(replace(found, picture=None))
    del words["picture"]
    return words


def read_lossy_here(path: Path, known: Identity | None = None) -> AudioFile:
    """Return a lossy file's properties, tags and picture, read by this process.

    The file may harm it: mutagen unpacks and keeps whatever a tag says.
    """
    with opened_again(path, known) as opened:
        file = mutagen.File(opened)
    if file is None:
        raise AudioFileError(f"{NOT_AUDIO}: no format that we know")
    return AudioFile(
        codec=_codec(file, path),
        lossless=False,
        duration_s=_duration(getattr(file.info, "length", None)),
        rate_hz=_number(getattr(file.info, "sample_rate", None)),
        bits=None,
        channels=_number(getattr(file.info, "channels", None)),
        tags=read_track_tags(_tag_pairs(file.tags)),
        picture=embedded_picture(file),
    )


def _codec(file: mutagen.FileType, path: Path) -> str:
    kind = type(file).__name__
    if kind == "MP4":
        # "mp4a.40.2" is AAC; anything else names itself: "alac", "ac-3".
        codec = str(getattr(file.info, "codec", ""))
        return "aac" if codec.startswith("mp4a") else codec.partition(".")[0]
    return _CODECS.get(kind) or os.fsencode(path.suffix[1:]).decode("ascii", "replace").lower()


def _tag_pairs(tags: Any) -> Iterator[tuple[str, str]]:
    """Give the tags of any format as (name, value), one pair for each value."""
    if tags is None:
        return
    if hasattr(tags, "getall"):  # ID3
        for frame_id, name in ID3_FRAMES.items():
            for frame in tags.getall(frame_id) if is_shown(name) else ():
                values = frame.genres if frame_id == "TCON" else frame.text
                yield from ((name, str(value)) for value in values)
        for frame in tags.getall("TXXX"):
            if is_shown(frame.desc):
                yield from ((frame.desc, str(value)) for value in frame.text)
        return
    for key in list(tags.keys()):
        name = MP4_ATOMS.get(key.encode("latin-1", "replace"), key.removeprefix(_FREEFORM))
        # The others may be pictures of megabytes.
        if is_shown(name):
            yield from ((name, value) for value in _values(tags[key]))


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        yield "1" if value else "0"
    elif isinstance(value, str):
        yield value
    else:
        try:
            parts = list(value)
        except TypeError:  # a single number, or a binary APEv2 value
            return
        for part in parts:
            # MP4 numbers are (3, 12): the third of twelve.
            # Freeform MP4 values are bytes of text.
            text = part.decode("utf-8", "replace") if isinstance(part, bytes) else part
            yield str(text[0]) if isinstance(text, tuple) else str(text)


def _duration(length_s: float | None) -> float | None:
    if not length_s or not math.isfinite(length_s) or not 0 < length_s <= _MAX_DURATION_S:
        return None
    return float(length_s)


def _number(value: int | None) -> int | None:
    return value if value and 0 < value <= _MAX_NUMBER else None
