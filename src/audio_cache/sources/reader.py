"""Random access to a file and its parts: chunks, boxes, tags at the end."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .suffixes import TRACKS_IN
from .tag_names import MAX_TEXT_CHARACTERS

# Real files hold a few dozen; a crafted one could hold a chunk in every eight bytes.
MAX_CHUNKS: Final = 10_000
# What one file may cost, however it is laid out. Real ones take some hundred steps, a thousand tags
# a few thousand; the bytes leave room for an ID3 tag with pictures that has to be read as a whole.
MAX_STEPS: Final = 50_000
MAX_READ_BYTES: Final = 64 << 20
MAX_TEXTS_BYTES: Final = 1 << 20
# As UTF-8 or UTF-16 at most, with its name; what is longer would be dropped once it was decoded.
MAX_TEXT_BYTES: Final = 4 * MAX_TEXT_CHARACTERS + 1024
# An APEv2, a Lyrics3 and an ID3v1 tag may follow the audio; more than these come from no tagger.
_MAX_TRAILING_TAGS: Final = 16
UNKNOWN_32: Final = 0xFFFFFFFF
Pairs = Iterable[tuple[str, str]]
RIFF: Final = "<4sI"
RIFX: Final = ">4sI"
IFF: Final = ">4sI"
DSDIFF: Final = ">4sQ"
FileVersion = tuple[int, int, int, int, int]
# Where the kernel says what the descriptors of a process lead to, if it does.
DESCRIPTORS: Final = "/proc/self/fd"
HAS_DESCRIPTORS: Final = os.path.isdir(DESCRIPTORS)
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


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

    def within(self, outer: Extent) -> Extent:
        """Return the part of it that is inside another, empty if there is none."""
        start = min(max(self.start, outer.start), max(outer.start, outer.end))
        return Extent(start, max(0, min(self.end, outer.end) - start))


@dataclass(frozen=True, slots=True)
class Chunk:
    """A named part of a file; `body` is as long as the file says, which may be past its end."""

    name: bytes
    body: Extent


@dataclass(frozen=True, slots=True)
class TagBlock:
    """Where text tags are.

    Attributes:
        form: vorbis, id3, id3v1, ape, info, ilst, lyrics3, cuesheet, or text:<name> for the text of
            one tag.
        body: the bytes of the tags.
    """

    form: str
    body: Extent


class Reader:
    """Random access to an open file.

    It reads by descriptor and position: a look at 40 places of an MP4 costs a third of what it
    does through a buffered file, which fetches 4 KiB for each.

    All readers of a file share what it may cost, so that none can be made to work without end.

    Attributes:
        steps: looks at the file, and what else was counted as such, until now.
    """

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self._descriptor = descriptor
        self.size_bytes = size_bytes
        self.steps = 0
        self._read_bytes = 0
        self._texts_bytes = 0

    def spend(self, steps: int = 0, text_bytes: int = 0) -> None:
        """Count work that a file causes.

        Raises:
            DamagedError: it is more than any real file causes.
        """
        self.steps += steps
        self._texts_bytes += text_bytes
        if self.steps > MAX_STEPS:
            raise DamagedError(f"the file is in more pieces than {MAX_STEPS:,} looks can tell")
        if self._texts_bytes > MAX_TEXTS_BYTES:
            raise DamagedError(f"the file has more than {MAX_TEXTS_BYTES:,} bytes of texts")

    def read(self, start: int, size: int) -> bytes:
        """Return bytes of the file; fewer or none if it ends earlier.

        Raises:
            DamagedError: the file has cost all that one may.
        """
        self.spend(steps=1)
        size = min(size, self.size_bytes - start)
        if start < 0 or size <= 0:
            return b""
        self._read_bytes += size
        if self._read_bytes > MAX_READ_BYTES:
            raise DamagedError(f"the file has more than {MAX_READ_BYTES:,} bytes to look at")
        return read_at(self._descriptor, size, start)

    def unpack(self, form: str, start: int) -> tuple[Any, ...]:
        """Return the fields that `struct` finds at an offset.

        Raises:
            DamagedError: the file ends too early, or has cost all that one may.
        """
        size = struct.calcsize(form)
        found = self.read(start, size)
        if len(found) < size:
            raise DamagedError(f"the file ends before byte {start + size}")
        return struct.unpack(form, found)

    def clip(self, extent: Extent) -> Extent:
        """Return the part of an extent that is within the file."""
        return extent.within(Extent(0, self.size_bytes))


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
    """Yield the boxes of an MP4 or QuickTime file (ISO/IEC 14496-12, 4.2), 64-bit sizes too.

    One that claims to reach past what it is in ends there.
    """
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
        yield Chunk(name, Extent(start + width, size - width).within(inside))
        start += size


def strip_trailing_tags(reader: Reader, start: int) -> tuple[Extent, tuple[TagBlock, ...]]:
    """Return what is between an offset and any appended tags, and those tags."""
    end = reader.size_bytes
    blocks: list[TagBlock] = []
    while len(blocks) < _MAX_TRAILING_TAGS:
        block = _find_tag_before(reader, start, end)
        if block is None:
            break
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


def read_at(descriptor: int, size: int, start: int) -> bytes:
    """Return bytes of an open file; fewer or none if it ends earlier.

    Raises:
        OSError: it cannot be read.
    """
    found = os.pread(descriptor, size, start)
    while 0 < len(found) < size:  # a network file system may give less than asked for
        more = os.pread(descriptor, size - len(found), start + len(found))
        if not more:
            break
        found += more
    return found


def read_text(reader: Reader, body: Extent) -> str:
    """Return the text that is at a place; "" if it is longer than any that is kept.

    Raises:
        DamagedError: the file has cost all that one may.
    """
    body = reader.clip(body)
    if body.size > MAX_TEXT_BYTES:
        return ""
    reader.spend(text_bytes=body.size)
    return decode_text(reader.read(body.start, body.size))


def decode_text(text: bytes) -> str:
    """Return text that should be UTF-8 and, in RIFF and AIFF, often is Windows code page 1252."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


def version_of(status: os.stat_result) -> FileVersion:
    """Return what of a file's status changes whenever its content may have."""
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_dev, status.st_ino, status.st_size, *times)


@contextlib.contextmanager
def open_inside(
    roots: str | os.PathLike[str] | Iterable[str], path: str | os.PathLike[str]
) -> Iterator[int]:
    """Open a file, then see whether it is regular and below a folder, or one of several.

    For a track of a CUE sheet it is the file that the track is a part of.

    Args:
        roots: the folders, by paths that have no links.
        path: of the file.

    Raises:
        OSError: it cannot be opened, lies elsewhere, or is no regular file.
    """
    name = os.fspath(path)
    with open_file(name, may_be_part=True) as descriptor:
        is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if not is_regular or not _is_inside(roots, descriptor, name):
            raise FileNotFoundError(errno.ENOENT, "No file of this folder", name)
        yield descriptor


def _is_inside(roots: str | os.PathLike[str] | Iterable[str], descriptor: int, path: str) -> bool:
    """Say whether an open file lies below a folder, by where the kernel says it is."""
    some = (roots,) if isinstance(roots, str | os.PathLike) else roots
    below = tuple(os.path.join(root, "") for root in some)
    if HAS_DESCRIPTORS:
        return os.readlink(f"{DESCRIPTORS}/{descriptor}").startswith(below)
    # Where the kernel does not say: the file that the path leads to now has to be the same.
    from .sheet_tracks import file_of

    real = os.path.realpath(file_of(path), strict=True)
    return real.startswith(below) and os.path.samestat(os.stat(real), os.fstat(descriptor))


def require_same(
    found: FileVersion, known: FileVersion | os.stat_result, path: str | os.PathLike[str]
) -> None:
    """Make sure that a file which was opened is the one that was looked at before by that path.

    A name can come to stand for another file between two looks, by a link for one that is outside
    of the music.

    Raises:
        FileNotFoundError: it is another file.
    """
    if isinstance(known, os.stat_result):
        known = version_of(known)
    if found[:2] != known[:2]:
        raise FileNotFoundError(errno.ENOENT, "Another file took its place", os.fspath(path))


@contextlib.contextmanager
def open_file(name: str, *, may_be_part: bool = False) -> Iterator[int]:
    """Open a file without blocking on a pipe, which would wait until somebody writes to it.

    Args:
        name: its path.
        may_be_part: for a track of a CUE sheet, open the file that it is a part of.
    """
    try:
        descriptor = os.open(name, _READ)
    except NotADirectoryError:
        if not may_be_part:
            raise
        from .sheet_tracks import file_of

        descriptor = os.open(file_of(name), _READ)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def stat_source(path: str | os.PathLike[str]) -> os.stat_result:
    """Return what the file system says of a source; of a track of a CUE sheet what it would say.

    Raises:
        OSError: there is no such source.
    """
    try:
        return os.stat(path)
    except NotADirectoryError:
        from .sheet_tracks import stat_sheet_track

        return stat_sheet_track(path)


def stat_opened(path: str, descriptor: int) -> os.stat_result:
    """Return what `stat_source` does, of a source whose file is open.

    Raises:
        OSError: there is no such track in a CUE sheet.
    """
    status = os.fstat(descriptor)
    if os.path.dirname(path).lower().endswith(TRACKS_IN):
        from .sheet_tracks import is_sheet_track, stat_sheet_track

        if is_sheet_track(path):
            return stat_sheet_track(path, status)
    return status
