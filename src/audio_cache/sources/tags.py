"""Tags of the forms that many formats share: ID3, ID3v1 and APEv2, as mutagen reads them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

import mutagen.apev2
import mutagen.id3

from .reader import Extent, Reader, decode_text, read_some
from .tag_names import ID3_FRAMES

# mutagen ships types, but not for these.
_id3: Final[Any] = mutagen.id3
_apev2: Final[Any] = mutagen.apev2


def read_id3(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    """Return the texts of an ID3v2 tag."""
    given = io.BytesIO(read_some(reader, body))
    return _iter_frames(_id3.ID3(given, load_v1=False).values())


def read_id3v1(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    """Return the texts of an ID3v1 tag."""
    return _iter_frames((_id3.ParseID3v1(reader.read(body.start, body.size)) or {}).values())


def _iter_frames(frames: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for frame in frames:
        kind = frame.FrameID
        if kind in ID3_FRAMES:
            texts = frame.genres if kind == "TCON" else frame.text
            yield from ((ID3_FRAMES[kind], str(text)) for text in texts)
        elif kind == "TXXX":
            yield from ((frame.desc, str(text)) for text in frame.text)
        elif kind == "COMM" and frame.desc in ("", "ID3v1 Comment"):
            yield from (("comment", str(text)) for text in frame.text)
        elif kind == "USLT":
            yield "lyrics", frame.text
        elif kind == "UFID" and frame.owner == "http://musicbrainz.org":
            yield "musicbrainz_trackid", decode_text(frame.data)
        elif kind == "RVA2" and frame.desc.lower() in ("track", "album"):
            yield f"replaygain_{frame.desc.lower()}_gain", f"{frame.gain:+.2f} dB"
            # Most writers leave the peak out, which is stored as 0.
            yield f"replaygain_{frame.desc.lower()}_peak", f"{frame.peak:.6f}" if frame.peak else ""


def read_ape(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    """Yield the text items of an APEv2 tag."""
    given = io.BytesIO(read_some(reader, body))
    for name, value in _apev2.APEv2(given).items():
        if value.kind == _apev2.TEXT:
            yield from ((name, text) for text in value)
