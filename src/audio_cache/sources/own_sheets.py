"""CUE sheets inside of music files: the text of a tag, or the CUESHEET block of a FLAC file."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from ..errors import CueSheetError
from .cue_sheet import (
    FRAMES_PER_S,
    MAX_SHEET_BYTES,
    CueFile,
    CueSheet,
    CueTrack,
    parse_cue_sheet,
    require_sense,
)
from .reader import Extent, Reader, open_file
from .source import collect_tags, read_stream
from .stream import Stream
from .tag_names import CUESHEET

# RFC 9639, section 8.7: what stands before the number of tracks, a track, and an index point.
_HEAD_BYTES: Final = 128 + 8 + 1 + 258
_TRACK: Final = struct.Struct(">QB12sB13xB")
_POINT: Final = struct.Struct(">QB3x")
_IS_DATA: Final = 0x80
_START: Final = 1


def read_own_sheet(path: str | os.PathLike[str]) -> CueSheet:
    """Return the sheet inside of a music file; one without files where it has none.

    A tag counts before the block of a FLAC file, which holds no titles. A sheet of several files is
    of an album whose tracks are files, and some programs copy it into each of them: it cuts none.

    Raises:
        CueSheetError: it says something that cannot be.
        OSError: the file cannot be read.
    """
    with open_file(os.fspath(path)) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return CueSheet()
        reader = Reader(descriptor, status.st_size)
        stream = read_stream(reader)
        for text in _texts(reader, stream):
            sheet = parse_cue_sheet(text.encode("utf-8", "replace"))
            return sheet if len(sheet.files) == 1 else CueSheet()
        for block in stream.tags:
            if block.form == CUESHEET and stream.rate_hz:
                return _parse_block(_content(reader, block.body), stream.rate_hz)
    return CueSheet()


def _texts(reader: Reader, stream: Stream) -> Iterator[str]:
    for block in stream.tags:
        if block.form != CUESHEET:
            for name, text in collect_tags(reader, block):
                if name.strip().lower() == CUESHEET and text.strip():
                    yield text


def _content(reader: Reader, body: Extent) -> bytes:
    return reader.read(body.start, min(body.size, MAX_SHEET_BYTES))


def _parse_block(content: bytes, rate_hz: int) -> CueSheet:
    """Return what a CUESHEET block says: places in samples, and ISRCs."""
    file = CueFile("", "WAVE")
    try:
        # The last track is the lead-out, which is none.
        for place, number, isrc, flags, points in list(_iter_tracks(content))[:-1]:
            track = CueTrack(number, is_audio=not flags & _IS_DATA)
            if isrc.strip(b"\0 "):
                track.words["ISRC"] = isrc.strip(b"\0 ").decode("ascii", "replace")
            if _START not in points:
                raise CueSheetError(f"track {number} has no index point 1")
            track.start = Fraction((place + points[_START]) * FRAMES_PER_S, rate_hz)
            file.tracks.append(track)
    except struct.error:
        raise CueSheetError("its CUESHEET block ends too early") from None
    sheet = CueSheet(files=[file])
    require_sense(sheet)
    return sheet


def _iter_tracks(content: bytes) -> Iterator[tuple[int, int, bytes, int, dict[int, int]]]:
    """Yield place, number, ISRC and flags of each track, and the places of its index points."""
    (count,) = struct.unpack_from("B", content, _HEAD_BYTES)
    at = _HEAD_BYTES + 1
    for _ in range(count):
        *track, points = _TRACK.unpack_from(content, at)
        at += _TRACK.size
        places: dict[int, int] = {}
        for _point in range(points):
            place, number = _POINT.unpack_from(content, at)
            places.setdefault(number, place)
            at += _POINT.size
        yield (*track, places)
