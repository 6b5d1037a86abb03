"""ID3v2 tags made plain: their text frames alone, unpacked within limits, for mutagen to read.

mutagen inflates a compressed frame whatever it becomes, and loads pictures that nobody asked for.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .reader import MAX_TEXT_BYTES, DamagedError, Extent, Reader

_HEADER_BYTES: Final = 10
_UNSYNCHRONISED: Final = 0x80
_EXTENDED: Final = 0x40
# Besides those whose names begin with T; the short names are those of ID3v2.2.
_WITH_TEXT: Final = frozenset({b"COMM", b"COM", b"USLT", b"ULT", b"UFID", b"UFI", b"RVA2"})
_FRAME_NAME: Final = re.compile(rb"[A-Z][A-Z0-9]{2}[A-Z0-9\0]")
# What mutagen takes for a frame is some ten times what a look at the file takes.
_STEPS_PER_FRAME: Final = 10
# Bytes that no unsynchronised data holds: some programs set the flag and write plain data.
_NOT_UNSYNCHRONISED: Final = re.compile(rb"\xff(?:[\xe0-\xff]|\Z)")


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the frames of a version of ID3 look: bytes of their header, and bits of its last byte."""

    header: int
    compressed: int
    encrypted: int
    unsynchronised: int = 0
    has_length: int = 0


_LAYOUTS: Final = {
    2: _Layout(6, 0, 0),
    3: _Layout(10, 0x80, 0x40),
    4: _Layout(10, 0x08, 0x04, 0x02, 0x01),
}


def plain_tag(reader: Reader, body: Extent) -> bytes:
    """Return the ID3v2 tag with the text frames of another, nothing in them packed in any way.

    Frames that are longer than any text that is kept, inflated or not, are left out, and so are
    encrypted ones. Of a tag that is cut short the frames before that are there.

    Raises:
        DamagedError: it is no tag of a known version, or causes more work than any real one.
    """
    head = reader.read(body.start, _HEADER_BYTES)
    if len(head) < _HEADER_BYTES or head[:3] != b"ID3" or head[3] not in _LAYOUTS:
        raise DamagedError("not an ID3 tag of version 2.2, 2.3 or 2.4")
    if max(head[6:]) > 0x7F:
        raise DamagedError("the size of an ID3 tag has bytes above 127")
    version, flags = head[3], head[5]
    size = min(_syncsafe_value(head[6:]), body.size - _HEADER_BYTES)
    frames = reader.clip(Extent(body.start + _HEADER_BYTES, max(0, size)))
    all_unsynchronised = bool(flags & _UNSYNCHRONISED)
    if all_unsynchronised and version < 4:
        # Here it is the tag that was changed, sizes and all, where later it is each frame.
        data = _synchronise(reader.read(frames.start, frames.size))
        reader, frames = _Held(reader, data), Extent(0, len(data))
    if flags & _EXTENDED:
        frames = _skip_extended(reader, frames, version)
    plain = b"".join(_iter_plain_frames(reader, frames, version, all_unsynchronised))
    # Footer and experimental stay, as mutagen refuses what else may be set.
    flags &= ~(_UNSYNCHRONISED | _EXTENDED)
    return head[:5] + bytes((flags,)) + _syncsafe(len(plain)) + plain


class _Held(Reader):
    """Bytes in memory, read as a file is, at the cost of the file that they came from."""

    def __init__(self, of: Reader, data: bytes) -> None:
        super().__init__(-1, len(data))
        self._of = of
        self._data = data

    def spend(self, steps: int = 0, text_bytes: int = 0) -> None:
        self._of.spend(steps, text_bytes)

    def read(self, start: int, size: int) -> bytes:
        self.spend(steps=1)
        return self._data[start : start + max(0, size)]


def _skip_extended(reader: Reader, frames: Extent, version: int) -> Extent:
    """Return where the frames are behind an extended header; some set its flag and write none."""
    first = reader.read(frames.start, 4)
    if _FRAME_NAME.fullmatch(first):
        return frames
    size = _syncsafe_value(first) if version == 4 else 4 + int.from_bytes(first, "big")
    return Extent(frames.start + size, frames.size - size).within(frames)


def _iter_plain_frames(
    reader: Reader, frames: Extent, version: int, all_unsynchronised: bool
) -> Iterator[bytes]:
    layout = _LAYOUTS[version]
    name_bytes = 3 if version == 2 else 4
    start = frames.start
    while start + layout.header <= frames.end:
        head = reader.read(start, layout.header)
        name = head[:name_bytes]
        if len(head) < layout.header or not name.strip(b"\0"):
            return
        size = _frame_size(reader, head, Extent(start, frames.end - start), version)
        body = Extent(start + layout.header, size).within(frames)
        start += layout.header + size
        is_text = name[:1] == b"T" or name.rstrip(b"\0") in _WITH_TEXT
        if not is_text or not 0 < body.size <= MAX_TEXT_BYTES:
            continue
        flags = 0 if version == 2 else head[9]
        if all_unsynchronised and version == 4:
            flags |= layout.unsynchronised
        text = _unpack(reader.read(body.start, body.size), flags, layout)
        if text:
            # A text may hold as many values as it has separators.
            reader.spend(_STEPS_PER_FRAME + _count_separators(text), len(text))
            yield name + _frame_head(len(text), version) + text


def _frame_size(reader: Reader, head: bytes, rest: Extent, version: int) -> int:
    if version == 2:
        return int.from_bytes(head[3:6], "big")
    plain = int.from_bytes(head[4:8], "big")
    if version == 3 or max(head[4:8]) > 0x7F:
        return plain
    # iTunes wrote the sizes of ID3v2.4 as plain numbers: what leads to another frame is right.
    size = _syncsafe_value(head[4:8])
    if size != plain and not _is_frame_at(reader, rest, size) and _is_frame_at(reader, rest, plain):
        return plain
    return size


def _is_frame_at(reader: Reader, rest: Extent, size: int) -> bool:
    """Say whether after a frame of this size there is another, or padding, or the tag's end."""
    at = rest.start + _HEADER_BYTES + size
    if at >= rest.end:
        return at == rest.end
    name = reader.read(at, min(4, rest.end - at))
    return not name.strip(b"\0") or _FRAME_NAME.fullmatch(name) is not None


def _unpack(data: bytes, flags: int, layout: _Layout) -> bytes:
    """Return the content of a frame; nothing if it is encrypted, damaged or becomes too long."""
    if flags & layout.encrypted:
        return b""
    is_compressed = flags & layout.compressed
    length = data[:4] if is_compressed or flags & layout.has_length else b""
    data = data[len(length) :]
    if flags & layout.unsynchronised:
        data = _synchronise(data)
    if not is_compressed:
        return data
    # Some early files leave the length out.
    return _inflate(data) or _inflate(length + data)


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, MAX_TEXT_BYTES)
    except zlib.error:
        return b""
    return text if inflater.eof else b""


def _synchronise(data: bytes) -> bytes:
    """Return data without the zeros that keep players from taking it for audio (ID3v2.4, 6.1)."""
    return data if _NOT_UNSYNCHRONISED.search(data) else data.replace(b"\xff\0", b"\xff")


def _count_separators(text: bytes) -> int:
    # Of UTF-16, whose first byte is 1 or 2, every other byte may be zero.
    return text.count(b"\0\0" if text[:1] in (b"\1", b"\2") else b"\0")


def _frame_head(size: int, version: int) -> bytes:
    if version == 2:
        return size.to_bytes(3, "big")
    return (_syncsafe(size) if version == 4 else size.to_bytes(4, "big")) + b"\0\0"


def _syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def _syncsafe_value(four: bytes) -> int:
    value = 0
    for byte in four:
        value = value << 7 | byte & 0x7F
    return value
