from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from audio_cache import Composition, TrackCrc, TrackFile
from mixtape.takeaway.archive import ArchiveEntry, make_archive

WHEN = datetime(2026, 11, 29, 21, 30, 10, tzinfo=UTC)
SMALL = TrackFile(Path("small"), 5, "small", (0, 0, 5, 0, 0))
CRC = 0x3610A686  # of b"hello"


class Read(io.RawIOBase):
    """An archive whose tracks hold nothing but zeros, read without making all of it."""

    def __init__(
        self, archive: Composition, content: Callable[[TrackFile, int, int], bytes]
    ) -> None:
        self._archive = archive
        self._content = content
        self._at = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._archive.length}
        self._at = base[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._archive.length if size < 0 else min(self._at + size, self._archive.length)
        made = bytearray()
        for part, first, last in self._archive.spans(self._at, stop):
            if isinstance(part, bytes):
                made += part[first:last]
            elif isinstance(part, TrackCrc):
                made += CRC.to_bytes(4, "little")[first:last]
            elif isinstance(part, TrackFile):
                made += self._content(part, first, last)
        self._at += len(made)
        return bytes(made)


def hello(_track: TrackFile, first: int, last: int) -> bytes:
    return b"hello"[first:last]


def test_an_archive_holds_its_entries_as_they_are() -> None:
    entries = [ArchiveEntry("01 Ä – b.mp3", SMALL), ArchiveEntry("notes.txt", b"words")]
    with zipfile.ZipFile(Read(make_archive(entries, WHEN), hello)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["01 Ä – b.mp3", "notes.txt"]
        assert [archive.read(name) for name in archive.namelist()] == [b"hello", b"words"]
        track, notes = archive.infolist()
        assert (track.flag_bits, notes.flag_bits) == (0x808, 0x800)
        assert track.date_time == (2026, 11, 29, 21, 30, 10)
        assert track.external_attr >> 16 == 0o100644


def test_files_behind_4_gb_and_files_that_are_larger_are_found() -> None:
    huge = replace(SMALL, length=5 << 30, id="huge")
    entries = [ArchiveEntry("huge", huge), ArchiveEntry("small", SMALL), ArchiveEntry("n", b"n")]
    with zipfile.ZipFile(Read(make_archive(entries, WHEN), hello)) as archive:
        assert [each.file_size for each in archive.infolist()] == [5 << 30, 5, 1]
        assert archive.read("small") == b"hello"
        assert archive.read("n") == b"n"
        assert archive.infolist()[1].header_offset > 5 << 30


def test_more_entries_than_16_bits_count_are_found() -> None:
    entries = [ArchiveEntry(str(number), b"") for number in range(65_600)]
    with zipfile.ZipFile(Read(make_archive(entries, WHEN), hello)) as archive:
        assert len(archive.infolist()) == 65_600


def test_the_length_needs_no_track() -> None:
    entries = [ArchiveEntry("a", SMALL)]
    archive = make_archive(entries, WHEN)
    assert archive.length == len(Read(archive, hello).read())
    assert make_archive(entries, WHEN).etag == archive.etag
    other = [ArchiveEntry("a", replace(SMALL, id="another"))]
    assert make_archive(other, WHEN).etag != archive.etag
