"""The layout of a ZIP archive whose entries are stored as they are. Nothing here reads a track.

Its length follows from the lengths of its entries alone (APPNOTE 6.3.10). The checksums of tracks
stand behind them, in data descriptors, and once more in the directory at the end: nothing before
them waits until they are known.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from audio_cache import Composition, TrackCrc, TrackFile

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_END_64: Final = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR: Final = struct.Struct("<4sIQI")
_MOST_16: Final = 0xFFFF
_MOST_32: Final = 0xFFFFFFFF
_ZIP64_EXTRA: Final = 1
_VERSION: Final = 20
_VERSION_64: Final = 45
_UTF_8: Final = 1 << 11
_DESCRIPTOR_FOLLOWS: Final = 1 << 3
# Made on Unix, so that the mode below counts: a regular file that all may read.
_MADE_BY_UNIX: Final = 3 << 8
_MODE: Final = 0o100644 << 16
_FIRST_YEAR: Final = 1980
_LAST_YEAR: Final = 2107


@dataclass(frozen=True)
class ArchiveEntry:
    """A file of an archive, under a name that is unique in it."""

    name: str
    content: bytes | TrackFile

    @property
    def size_bytes(self) -> int:
        """Return its exact size."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.length


def make_archive(entries: Sequence[ArchiveEntry], changed_at: datetime) -> Composition:
    """Return an archive of files, the same for the same files wherever it is made.

    Args:
        entries: in order.
        changed_at: what the files say when they were changed.
    """
    date = _dos_date(changed_at)
    parts: list[bytes | TrackFile | TrackCrc] = []
    directory: list[bytes | TrackCrc] = []
    offset = 0
    for entry in entries:
        file = _File(entry, offset, date)
        parts += [file.header, entry.content, *file.descriptor]
        directory += file.directory
        offset += sum(map(_length_of, (file.header, *file.descriptor))) + entry.size_bytes
    size = sum(map(_length_of, directory))
    return Composition((*parts, *directory, _end(len(entries), size, offset)))


@dataclass(frozen=True)
class _File:
    """What an archive says of one of its files."""

    entry: ArchiveEntry
    offset: int
    date: tuple[int, int]

    @property
    def _name(self) -> bytes:
        return self.entry.name.encode()

    @property
    def _is_large(self) -> bool:
        return self.entry.size_bytes >= _MOST_32

    @property
    def _flags(self) -> int:
        return _UTF_8 | (0 if isinstance(self.entry.content, bytes) else _DESCRIPTOR_FOLLOWS)

    @property
    def header(self) -> bytes:
        """Return what stands before the file. What the descriptor says is 0 here (4.4.4)."""
        content, size = self.entry.content, self.entry.size_bytes
        crc, length = (zlib.crc32(content), size) if isinstance(content, bytes) else (0, 0)
        extra = struct.pack("<HHQQ", _ZIP64_EXTRA, 16, 0, 0) if self._is_large else b""
        length = _MOST_32 if self._is_large else length
        version = _VERSION_64 if self._is_large else _VERSION
        head = (b"PK\3\4", version, self._flags, 0, *self.date, crc, length, length)
        return _LOCAL.pack(*head, len(self._name), len(extra)) + self._name + extra

    @property
    def descriptor(self) -> tuple[bytes | TrackCrc, ...]:
        """Return what stands behind the file: of a track, its checksum and its sizes."""
        content, size = self.entry.content, self.entry.size_bytes
        if isinstance(content, bytes):
            return ()
        sizes = struct.pack("<QQ" if self._is_large else "<II", size, size)
        return b"PK\7\10", TrackCrc(content), sizes

    @property
    def directory(self) -> tuple[bytes | TrackCrc, ...]:
        """Return the file's entry of the directory."""
        content, size = self.entry.content, self.entry.size_bytes
        large = [size, size] if self._is_large else []
        large += [self.offset] if self.offset >= _MOST_32 else []
        count = len(large)
        extra = struct.pack(f"<HH{count}Q", _ZIP64_EXTRA, 8 * count, *large) if large else b""
        version = _VERSION_64 if large else _VERSION
        crc = zlib.crc32(content) if isinstance(content, bytes) else 0
        size, offset = min(size, _MOST_32), min(self.offset, _MOST_32)
        versions = (_MADE_BY_UNIX | version, version)
        lengths = (len(self._name), len(extra), 0)
        head = (b"PK\1\2", *versions, self._flags, 0, *self.date, crc, size, size, *lengths)
        packed = _CENTRAL.pack(*head, 0, 0, _MODE, offset) + self._name + extra
        if isinstance(content, bytes):
            return (packed,)
        return packed[:16], TrackCrc(content), packed[20:]


def _end(count: int, size: int, offset: int) -> bytes:
    """Return what stands behind the directory."""
    end = b""
    if count >= _MOST_16 or size >= _MOST_32 or offset >= _MOST_32:
        rest = _END_64.size - 12
        versions = (_MADE_BY_UNIX | _VERSION_64, _VERSION_64)
        end += _END_64.pack(b"PK\6\6", rest, *versions, 0, 0, count, count, size, offset)
        end += _LOCATOR.pack(b"PK\6\7", 0, offset + size, 1)
    counts = (min(count, _MOST_16),) * 2
    return end + _END.pack(b"PK\5\6", 0, 0, *counts, min(size, _MOST_32), min(offset, _MOST_32), 0)


def _dos_date(moment: datetime) -> tuple[int, int]:
    """Return time and date as MS-DOS has them, to two seconds."""
    year = min(max(moment.year, _FIRST_YEAR), _LAST_YEAR)
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return time, (year - _FIRST_YEAR) << 9 | moment.month << 5 | moment.day


def _length_of(part: bytes | TrackCrc) -> int:
    return len(part) if isinstance(part, bytes) else part.length
