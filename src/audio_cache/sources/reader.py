"""Random access to a file and its parts: chunks, boxes, tags at the end."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

# Real files hold a few dozen; a crafted one could hold a chunk in every eight bytes.
MAX_CHUNKS: Final = 10_000
# Blocks of tags hold pictures too; but a length can be a lie, and then it's a huge one.
_MAX_BLOCK_BYTES: Final = 64 << 20
UNKNOWN_32: Final = 0xFFFFFFFF
Pairs = Iterable[tuple[str, str]]
RIFF: Final = "<4sI"
RIFX: Final = ">4sI"
IFF: Final = ">4sI"
DSDIFF: Final = ">4sQ"


class DamagedError(ValueError):
    """A file is not laid out as its format demands."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A range of bytes in a file: `size` of them from offset `start`."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """Return the offset after the last byte."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Chunk:
    """A named part of a file; `body` is as long as the file says, which may be past its end."""

    name: bytes
    body: Extent


@dataclass(frozen=True, slots=True)
class TagBlock:
    """Where text tags are.

    Attributes:
        form: vorbis, id3, id3v1, ape, info, ilst, or text:<name> for the text of one tag.
        body: the bytes of the tags.
    """

    form: str
    body: Extent


class Reader:
    """Random access to an open file.

    It reads by descriptor and position: a look at 40 places of an MP4 costs a third of what it
    does through a buffered file, which fetches 4 KiB for each.
    """

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self._descriptor = descriptor
        self.size_bytes = size_bytes

    def read(self, start: int, size: int) -> bytes:
        """Return bytes of the file; fewer or none if it ends earlier."""
        size = min(size, self.size_bytes - start)
        if start < 0 or size <= 0:
            return b""
        found = os.pread(self._descriptor, size, start)
        while 0 < len(found) < size:  # a network file system may give less than asked for
            more = os.pread(self._descriptor, size - len(found), start + len(found))
            if not more:
                break
            found += more
        return found

    def unpack(self, form: str, start: int) -> tuple[Any, ...]:
        """Return the fields that `struct` finds at an offset.

        Raises:
            DamagedError: the file ends too early.
        """
        size = struct.calcsize(form)
        found = self.read(start, size)
        if len(found) < size:
            raise DamagedError(f"the file ends before byte {start + size}")
        return struct.unpack(form, found)

    def clip(self, extent: Extent) -> Extent:
        """Return the part of an extent that is within the file."""
        start = min(extent.start, self.size_bytes)
        return Extent(start, max(0, min(extent.size, self.size_bytes - start)))


def iter_chunks(
    reader: Reader, inside: Extent, header: str, long_sizes: Mapping[bytes, int] | None = None
) -> Iterator[Chunk]:
    """Yield the chunks of a RIFF, IFF or DSDIFF file, padded to even sizes.

    Args:
        reader: the file.
        inside: where they are; a chunk may claim to reach further.
        header: `struct` format of name and size; one of the constants of this module.
        long_sizes: sizes by name that stand in for those of the chunks, as RF64 has it; looked
            into when a chunk is met, so that an earlier chunk can fill it.
    """
    width = struct.calcsize(header)
    start = inside.start
    for _ in range(MAX_CHUNKS):
        if start + width > min(inside.end, reader.size_bytes):
            return
        name, size = reader.unpack(header, start)
        size = long_sizes.get(name, size) if long_sizes else size
        yield Chunk(name, Extent(start + width, size))
        start += width + size + size % 2


def iter_boxes(reader: Reader, inside: Extent) -> Iterator[Chunk]:
    """Yield the boxes of an MP4 or QuickTime file (ISO/IEC 14496-12, 4.2), 64-bit sizes too."""
    start = inside.start
    for _ in range(MAX_CHUNKS):
        if start + 8 > min(inside.end, reader.size_bytes):
            return
        size, name = reader.unpack(">I4s", start)
        width = 8
        if size == 1:
            (size,) = reader.unpack(">Q", start + 8)
            width = 16
        elif size == 0:
            size = inside.end - start
        if size < width:
            return
        yield Chunk(name, Extent(start + width, size - width))
        start += size


def strip_trailing_tags(reader: Reader, start: int) -> tuple[Extent, tuple[TagBlock, ...]]:
    """Return what is between an offset and any appended tags, and those tags."""
    end = reader.size_bytes
    blocks: list[TagBlock] = []
    while (block := _find_tag_before(reader, start, end)) is not None:
        blocks.append(block)
        end = block.body.start
    # APEv2 says more than ID3v1, which comes after it.
    blocks.sort(key=lambda block: block.form)
    return Extent(start, max(0, end - start)), tuple(blocks)


def _find_tag_before(reader: Reader, start: int, end: int) -> TagBlock | None:
    if end - 128 >= start and reader.read(end - 128, 3) == b"TAG":
        return TagBlock("id3v1", Extent(end - 128, 128))
    foot = reader.read(max(start, end - 32), min(32, end - start))
    size = 0
    if foot.startswith(b"APETAGEX") and len(foot) == 32:
        size, flags = struct.unpack_from("<I4xI", foot, 12)
        size += 32 if flags & 1 << 31 else 0  # The size leaves the tag's own header out.
        form = "ape"
    elif foot.endswith(b"LYRICS200") and foot[-15:-9].isdigit():
        size = int(foot[-15:-9]) + 15
        form = "lyrics3"
    if not 32 <= size <= end - start:
        return None
    return TagBlock(form, Extent(end - size, size))


def read_some(reader: Reader, body: Extent) -> bytes:
    """Return the bytes of a block of tags, as far as one can sensibly be."""
    return reader.read(body.start, min(body.size, _MAX_BLOCK_BYTES))


def decode_text(text: bytes) -> str:
    """Return text that should be UTF-8 and, in RIFF and AIFF, often is Windows code page 1252."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")
