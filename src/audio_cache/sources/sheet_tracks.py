"""Tracks of CUE sheets: parts of a file, each with a path as if the sheet were a folder of them.

`Album/Album.cue/03.flac` is the third track of `Album/Album.cue`, cut from a FLAC file. The file
has to lie beside its sheet: of what a sheet names, only the last part is looked at. Where the sheet
is in the file itself, as a tag, the file stands for it: `Album/Album.flac/03.flac`.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import stat
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from ..errors import CueSheetError
from .cue_sheet import (
    FRAMES_PER_S,
    MAX_SHEET_BYTES,
    CueFile,
    CueSheet,
    CueTrack,
    parse_cue_sheet,
)
from .own_sheets import read_own_sheet
from .reader import FileVersion, open_file, version_of
from .sheet_folder import SheetFolder
from .sheet_tags import merge_tags, sheet_tags
from .source import Name, Source, may_be_lossless, read_source, suffix_of
from .suffixes import SHEET_SUFFIX

# A CD begins with so much silence, which rips leave in some images and out of most.
_LEAD_IN_FRAMES: Final = 2 * FRAMES_PER_S
_HIDDEN: Final = "Hidden track"
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SheetTrack:
    """One track of a sheet.

    Attributes:
        path: names it: that of the sheet, then its number with the suffix of its file.
        sheet: the path of the sheet, which is that of the file where that holds it.
        file: the path of the file that it is a part of.
        number: as the sheet counts; 0 for what is hidden before the first.
        start: the first CD frame (1/75 s) of it.
        stop: the one after its last; None where it lasts to the end of the file.
        count: how many tracks the sheet cuts out of the file.
        tags: what the sheet says of it, under our names.
    """

    path: str
    sheet: str
    file: str
    number: int
    start: int | Fraction
    stop: int | Fraction | None
    count: int
    tags: tuple[tuple[str, str], ...]

    def samples_in(self, whole: Source) -> tuple[int, int]:
        """Return the first sample of it, and how many there are, in its file as that is now."""
        end = whole.samples or 0
        first = _sample(self.start, whole)
        stop = end if self.stop is None else _sample(self.stop, whole)
        return first, min(stop, end) - first


def _sample(place: int | Fraction, whole: Source) -> int:
    """Return the sample at a place in CD frames."""
    return int(place * whole.rate_hz // FRAMES_PER_S)


def is_sheet_name(name: Name) -> bool:
    """Say whether a file is a CUE sheet, going by its name."""
    return suffix_of(name) == SHEET_SUFFIX


def is_sheet_track(path: str | os.PathLike[str]) -> bool:
    """Say whether a path is of a track in a sheet, and not of a file in a folder of such a name."""
    holder = os.path.dirname(os.fspath(path))
    if not (is_sheet_name(holder) or may_be_lossless(holder)) or not os.path.isfile(holder):
        return False
    return is_sheet_name(holder) or _has_own_sheet(holder)


def _has_own_sheet(file: str) -> bool:
    try:
        return bool(_parse(file, version_of(os.stat(file))).files)
    except CueSheetError:
        return True
    except OSError:
        return False


def file_of(path: str | os.PathLike[str]) -> str:
    """Return the path of the file to open for a source: its own, unless it is part of another.

    Raises:
        OSError: there is no such track in a sheet.
    """
    return find_sheet_track(path).file if is_sheet_track(path) else os.fspath(path)


def read_sheet(path: str | os.PathLike[str]) -> tuple[SheetTrack, ...]:
    """Return the tracks that a sheet cuts out of the files beside it, or out of the file it is in.

    None are of a file that holds a single track, which needs no cutting, or that is not there.

    Args:
        path: of the sheet, or of a file that may hold one.

    Raises:
        CueSheetError: the sheet is wrong, or does not fit its files.
        OSError: the sheet or a file cannot be read.
    """
    name = os.path.abspath(path)
    version = version_of(os.stat(name))
    folder = SheetFolder(name)
    places = range(len(_parse(name, version).files))
    return tuple(track for place in places for track in _tracks(name, version, place, folder))


def cut_files(
    folder: str, names: Collection[str]
) -> tuple[list[SheetTrack], dict[str, CueSheetError | OSError]]:
    """Return the tracks that the sheets of a folder cut out of its files, and what is wrong.

    Of several sheets that cut the same file the first counts, and before the one in the file.

    Args:
        folder: its path.
        names: of sheets in it, and of files that are opened to see whether they hold one.

    Returns:
        The tracks, and the errors of sheets by their names, or by those of the files they are in.
    """
    tracks: list[SheetTrack] = []
    errors: dict[str, CueSheetError | OSError] = {}
    cut: dict[str, str] = {}
    beside = sorted(filter(is_sheet_name, names), key=os.fsencode)
    for name in (*beside, *sorted(filter(may_be_lossless, names), key=os.fsencode)):
        if os.path.join(os.path.abspath(folder), name) in cut:
            continue
        try:
            found = read_sheet(os.path.join(folder, name))
        except (CueSheetError, OSError) as error:
            errors[name] = error
            continue
        tracks += [track for track in found if cut.setdefault(track.file, name) == name]
    return tracks, errors


def find_sheet_track(path: str | os.PathLike[str]) -> SheetTrack:
    """Return the track that a path names.

    Raises:
        FileNotFoundError: the sheet has no such track, or is wrong.
        NotADirectoryError: the path is of something else in something that is no folder.
        OSError: the sheet or the file cannot be read.
    """
    name = os.path.abspath(path)
    folder, last = os.path.split(name)
    if not is_sheet_track(name):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
    try:
        version = version_of(os.stat(folder))
        number = int(os.path.splitext(last)[0])
        beside = SheetFolder(folder)
        for place, file in enumerate(_parse(folder, version).files):
            # Of a hidden track, which is before all others, the number is stated nowhere.
            if (place == number == 0) or any(track.number == number for track in file.tracks):
                for found in _tracks(folder, version, place, beside):
                    if found.path == name:
                        return found
    except ValueError as error:
        raise FileNotFoundError(
            errno.ENOENT, f"Its CUE sheet cannot be used: {error}", name
        ) from error
    raise FileNotFoundError(errno.ENOENT, "Its CUE sheet has no such track", name)


def read_sheet_track(path: str | os.PathLike[str]) -> Source:
    """Return a track of a sheet as a source of its own, part of another.

    Raises:
        OSError: as `find_sheet_track`.
    """
    track = find_sheet_track(path)
    whole = _header(track.file)
    first, samples = track.samples_in(whole)
    version = _version(track, whole, whole.version)
    return replace(
        whole,
        path=Path(track.path),
        size_bytes=version[2],
        mtime_ns=version[3],
        samples=samples,
        tags=merge_tags(whole.tags, track.tags),
        version=version,
        audio="",
        has_sheet=False,
        whole=whole,
        first_sample=first,
    )


def stat_sheet_track(
    path: str | os.PathLike[str], file: os.stat_result | None = None
) -> os.stat_result:
    """Return what the file system would say of a track if it were a file.

    It changes whenever the sheet or the file does.

    Args:
        path: of the track.
        file: what the file system says of its file, where that is known already.

    Raises:
        OSError: as `find_sheet_track`.
    """
    track = find_sheet_track(path)
    status = file or os.stat(track.file)
    whole = _header(track.file)
    dev, inode, size, mtime_ns, ctime_ns = _version(track, whole, version_of(status))
    owner = (status.st_uid, status.st_gid)
    times = (status.st_atime, mtime_ns // 10**9, ctime_ns // 10**9)
    values = (status.st_mode, inode, dev, status.st_nlink, *owner, size, *times)
    return os.stat_result(values, {"st_mtime_ns": mtime_ns, "st_ctime_ns": ctime_ns})


def _version(track: SheetTrack, whole: Source, file: FileVersion) -> FileVersion:
    _, samples = track.samples_in(whole)
    size_bytes = file[2] * samples // (whole.samples or 1)
    if track.sheet == track.file:
        sheet, mtime_ns = file, own_track_mtime_ns(*file[2:4], track.number, track.count)
    else:
        sheet = version_of(os.stat(track.sheet))
        # The date of the newer alone would not show that the older one was exchanged.
        mtime_ns = _dated(max(file[3], sheet[3]), file[2:4], sheet[2:4], track.number)
    return (*file[:2], size_bytes, mtime_ns, _digest(file, sheet, track.number))


def own_track_mtime_ns(size_bytes: int, mtime_ns: int, number: int, count: int) -> int:
    """Return the date of a track that a file cuts out of itself, which tells whether it still does.

    Args:
        size_bytes: of the file.
        mtime_ns: of the file.
        number: of the track.
        count: how many tracks there are.
    """
    return _dated(mtime_ns, size_bytes, mtime_ns, number, count)


def _dated(mtime_ns: int, *values: object) -> int:
    """Return a date in the same millisecond, another one for other values."""
    return mtime_ns - mtime_ns % _NS_PER_MS + _digest(*values) % _NS_PER_MS


def _digest(*values: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(values).encode(), digest_size=7).digest(), "big")


@functools.lru_cache(maxsize=256)
def _parse(path: str, _version: FileVersion) -> CueSheet:
    if not is_sheet_name(path):
        return read_own_sheet(path)
    with open_file(path) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", path)
        return parse_cue_sheet(os.pread(descriptor, MAX_SHEET_BYTES + 1, 0))


def _header(file: str) -> Source:
    return _read_header(file, version_of(os.stat(file)))


@functools.lru_cache(maxsize=64)
def _read_header(file: str, _version: FileVersion) -> Source:
    return read_source(file)


def _tracks(
    path: str, version: FileVersion, place: int, folder: SheetFolder
) -> tuple[SheetTrack, ...]:
    """Return the tracks that are cut from one of the files that a sheet names, by its place."""
    sheet = _parse(path, version)
    if len(sheet.files[place].tracks) < 2:
        return ()
    file: str | None = path
    if is_sheet_name(path):
        file = folder.find(sheet.files[place].name, is_only=len(sheet.files) == 1)
    return _cut_file(path, version, place, file, version_of(os.stat(file))) if file else ()


@functools.lru_cache(maxsize=64)
def _cut_file(
    path: str, version: FileVersion, place: int, file: str, _version: FileVersion
) -> tuple[SheetTrack, ...]:
    sheet = _parse(path, version)
    named = sheet.files[place]
    _require_fit(file, named)
    starts: list[int | Fraction] = [track.start or 0 for track in named.tracks]
    stops = [*starts[1:], None]
    tracks = list(zip(named.tracks, starts, stops, strict=True))
    first = named.tracks[0]
    # There is one track 0 at most: of two with one path, nothing could tell them apart.
    can_hide = place == 0 and all(track.number for each in sheet.files for track in each.tracks)
    if can_hide and starts[0] > _LEAD_IN_FRAMES and first.is_audio:
        hidden = CueTrack(0, words={"TITLE": _HIDDEN})
        tracks.insert(0, (hidden, 0, starts[0]))
    else:
        tracks[0] = (first, 0, stops[0])
    suffix, total = suffix_of(file), sheet.track_count
    count = sum(track.is_audio for track, _, _ in tracks)
    return tuple(
        SheetTrack(
            path=f"{path}/{track.number:02}{suffix}",
            sheet=path,
            file=file,
            number=track.number,
            start=start,
            stop=stop,
            count=count,
            tags=sheet_tags(sheet, track, total),
        )
        for track, start, stop in tracks
        if track.is_audio
    )


def _require_fit(file: str, named: CueFile) -> None:
    whole = _header(file)
    shown = os.fsencode(os.path.basename(file)).decode("utf-8", "replace")
    if not (whole.lossless and whole.demuxer and whole.rate_hz):
        raise CueSheetError(f"it is of {shown!r}, and only lossless files are cut into tracks")
    if whole.samples is None:
        raise CueSheetError(
            f"it is of {shown!r}, which does not state its length: write it anew, with flac for one"
        )
    last = named.tracks[-1]
    if _sample(last.start or 0, whole) >= whole.samples:
        begins_s = float((last.start or 0) / FRAMES_PER_S)
        raise CueSheetError(
            f"it says that track {last.number} begins at {begins_s:.1f} s, "
            f"and {shown!r} ends at {whole.duration_s:.1f} s"
        )
