"""Tags of the forms that many formats share: ID3 and ID3v1, as mutagen reads them, and APEv2."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final

import mutagen.id3

from .id3 import plain_tag
from .reader import MAX_TEXT_BYTES, DamagedError, Extent, Reader, decode_text
from .tag_names import ID3_FRAMES

# mutagen ships types, but not for these.
_id3: Final[Any] = mutagen.id3
_APE_FOOT_BYTES: Final = 32
_APE_HAS_HEADER: Final = 1 << 31
_APE_MAX_KEY_BYTES: Final = 255


def read_id3(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    """Return the texts of an ID3v2 tag."""
    given = io.BytesIO(plain_tag(reader, body))
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
    """Yield the text items of an APEv2 tag; mutagen reads names a byte at a time, of any length.

    Of a name that comes twice the last one counts, in the place of the first.
    """
    (flags,) = reader.unpack("<I", body.end - _APE_FOOT_BYTES + 20)
    at = body.start + (_APE_FOOT_BYTES if flags & _APE_HAS_HEADER else 0)
    items: dict[str, tuple[str, bytes]] = {}
    while at + 8 < body.end - _APE_FOOT_BYTES:
        name, value, kind = _read_ape_item(reader, at, body.end - _APE_FOOT_BYTES)
        at = value.end
        if kind == 0 and value.size <= MAX_TEXT_BYTES:
            text = reader.read(value.start, value.size)
            reader.spend(text.count(b"\0"), len(text))
            items[name.lower()] = name, text
        else:
            items.pop(name.lower(), None)
    for name, text in items.values():
        yield from ((name, each) for each in text.decode("utf-8").split("\0"))


def _read_ape_item(reader: Reader, start: int, end: int) -> tuple[str, Extent, int]:
    """Return name, place and kind of an item of an APEv2 tag; the kind of texts is 0."""
    head = reader.read(start, 8 + _APE_MAX_KEY_BYTES + 1)
    size, flags = struct.unpack_from("<II", head)
    key, _, _ = head[8:].partition(b"\0")
    value = Extent(start + 8 + len(key) + 1, size)
    if len(key) > _APE_MAX_KEY_BYTES or value.end > end:
        raise DamagedError("an item reaches past its APEv2 tag")
    return key.decode("ascii"), value, flags >> 1 & 3
