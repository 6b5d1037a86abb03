"""Tracks of CUE sheets: parts of a file, each with a path as if the sheet were a folder of them.

`Album/Album.cue/03.flac` is the third track of `Album/Album.cue`, cut from a FLAC file. The file
has to lie beside its sheet: of what a sheet names, only the last part is looked at.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
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
from .reader import FileVersion, open_file, version_of
from .source import Name, Source, normalise, read_source, suffix_of
from .suffixes import LOSSLESS_SUFFIXES

SHEET_SUFFIX: Final = ".cue"
# A CD begins with so much silence, which rips leave in some images and out of most.
_LEAD_IN_FRAMES: Final = 2 * FRAMES_PER_S
_HIDDEN: Final = "Hidden track"
_NS_PER_MS: Final = 1_000_000
_SUFFIXES: Final = sorted(LOSSLESS_SUFFIXES)
# No file has a longer name. Marks over one letter are put in order in the square of their number.
_LONGEST_NAME: Final = 255
# Of the tags of the file, these are about something else than one of its tracks.
_OF_WHOLE: Final = frozenset(
    {"title", "tracknumber", "tracktotal", "isrc", "lyrics", "comment", "musicbrainz_trackid"}
    | {"musicbrainz_releasetrackid", "acoustid_id", "acoustid_fingerprint"}
    | {"replaygain_track_gain", "replaygain_track_peak"}
)
# By our names: the words of the track that give a tag, and those of the sheet.
_TAGS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "title": (("TITLE",), ()),
    "artist": (("PERFORMER",), ("PERFORMER",)),
    "composer": (("SONGWRITER", "COMPOSER"), ("SONGWRITER", "COMPOSER")),
    "isrc": (("ISRC",), ()),
    "album": ((), ("TITLE",)),
    "albumartist": ((), ("PERFORMER",)),
    "genre": (("GENRE",), ("GENRE",)),
    "date": (("DATE",), ("DATE",)),
    "discnumber": ((), ("DISCNUMBER",)),
    "disctotal": ((), ("TOTALDISCS",)),
    "replaygain_album_gain": ((), ("REPLAYGAIN_ALBUM_GAIN",)),
    "replaygain_album_peak": ((), ("REPLAYGAIN_ALBUM_PEAK",)),
    "replaygain_track_gain": (("REPLAYGAIN_TRACK_GAIN",), ()),
    "replaygain_track_peak": (("REPLAYGAIN_TRACK_PEAK",), ()),
}


@dataclass(frozen=True, slots=True)
class SheetTrack:
    """One track of a sheet.

    Attributes:
        path: names it: that of the sheet, then its number with the suffix of its file.
        sheet: the path of the sheet.
        file: the path of the file that it is a part of.
        number: as the sheet counts; 0 for what is hidden before the first.
        start: the first CD frame (1/75 s) of it.
        stop: the one after its last; None where it lasts to the end of the file.
        tags: what the sheet says of it, under our names.
    """

    path: str
    sheet: str
    file: str
    number: int
    start: int
    stop: int | None
    tags: tuple[tuple[str, str], ...]

    def samples_in(self, whole: Source) -> tuple[int, int]:
        """Return the first sample of it, and how many there are, in its file as that is now."""
        end = whole.samples or 0
        first = self.start * whole.rate_hz // FRAMES_PER_S
        stop = end if self.stop is None else self.stop * whole.rate_hz // FRAMES_PER_S
        return first, min(stop, end) - first


def is_sheet_name(name: Name) -> bool:
    """Say whether a file is a CUE sheet, going by its name."""
    return suffix_of(name) == SHEET_SUFFIX


def is_sheet_track(path: str | os.PathLike[str]) -> bool:
    """Say whether a path is of a track in a sheet, and not of a file in a folder of such a name."""
    folder = os.path.dirname(os.fspath(path))
    return is_sheet_name(folder) and os.path.isfile(folder)


def file_of(path: str | os.PathLike[str]) -> str:
    """Return the path of the file to open for a source: its own, unless it is part of another.

    Raises:
        OSError: there is no such track in a sheet.
    """
    return find_sheet_track(path).file if is_sheet_track(path) else os.fspath(path)


def read_sheet(path: str | os.PathLike[str]) -> tuple[SheetTrack, ...]:
    """Return the tracks that a sheet cuts out of the files beside it.

    None are of a file that holds a single track, which needs no cutting, or that is not there.

    Raises:
        CueSheetError: the sheet is wrong, or does not fit its files.
        OSError: the sheet or a file cannot be read.
    """
    name = os.path.abspath(path)
    version = version_of(os.stat(name))
    folder = _Folder(name)
    places = range(len(_parse(name, version).files))
    return tuple(track for place in places for track in _tracks(name, version, place, folder))


def cut_files(
    folder: str, names: Iterable[str]
) -> tuple[list[SheetTrack], dict[str, CueSheetError | OSError]]:
    """Return the tracks that the sheets of a folder cut out of its files, and what is wrong.

    Of several sheets that cut the same file the first counts.

    Args:
        folder: its path.
        names: of the files in it, sheets and others.

    Returns:
        The tracks, and the errors of sheets by their names.
    """
    tracks: list[SheetTrack] = []
    errors: dict[str, CueSheetError | OSError] = {}
    cut: dict[str, str] = {}
    for name in sorted(filter(is_sheet_name, names), key=os.fsencode):
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
        beside = _Folder(folder)
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
        tags=_merge(whole.tags, track.tags),
        version=version,
        audio="",
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
    sheet = version_of(os.stat(track.sheet))
    _, samples = track.samples_in(whole)
    size_bytes = file[2] * samples // (whole.samples or 1)
    mtime_ns = max(file[3], sheet[3])
    # The date of the newer alone would not show that the older one was exchanged.
    mtime_ns += _digest(file[2:4], sheet[2:4], track.number) % _NS_PER_MS - mtime_ns % _NS_PER_MS
    return (*file[:2], size_bytes, mtime_ns, _digest(file, sheet, track.number))


def _digest(*values: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(values).encode(), digest_size=7).digest(), "big")


@functools.lru_cache(maxsize=256)
def _parse(path: str, _version: FileVersion) -> CueSheet:
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


def _tracks(path: str, version: FileVersion, place: int, folder: _Folder) -> tuple[SheetTrack, ...]:
    """Return the tracks that are cut from one of the files that a sheet names, by its place."""
    sheet = _parse(path, version)
    if len(sheet.files[place].tracks) < 2:
        return ()
    file = folder.find(sheet.files[place].name, is_only=len(sheet.files) == 1)
    return _cut_file(path, version, place, file, version_of(os.stat(file))) if file else ()


@functools.lru_cache(maxsize=64)
def _cut_file(
    path: str, version: FileVersion, place: int, file: str, _version: FileVersion
) -> tuple[SheetTrack, ...]:
    sheet = _parse(path, version)
    named = sheet.files[place]
    _require_fit(file, named)
    starts = [track.start or 0 for track in named.tracks]
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
    return tuple(
        SheetTrack(
            path=f"{path}/{track.number:02}{suffix}",
            sheet=path,
            file=file,
            number=track.number,
            start=start,
            stop=stop,
            tags=_tags(sheet, track, total),
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
    if (last.start or 0) * whole.rate_hz // FRAMES_PER_S >= whole.samples:
        begins_s = (last.start or 0) / FRAMES_PER_S
        raise CueSheetError(
            f"it says that track {last.number} begins at {begins_s:.1f} s, "
            f"and {shown!r} ends at {whole.duration_s:.1f} s"
        )


class _Folder:
    """The files beside a sheet, listed once where that has to be."""

    def __init__(self, sheet: str) -> None:
        self._path, self._sheet = os.path.split(sheet)
        self._listed: dict[str, str] | None = None

    def find(self, named: str, *, is_only: bool) -> str | None:
        """Return the file that the sheet names, if need be by another case or suffix.

        A rip is often compressed, or renamed together with its sheet, which is left as it was.

        Args:
            named: as the sheet has it.
            is_only: whether the sheet names no other.
        """
        last = named.replace("\\", "/").rpartition("/")[2][:_LONGEST_NAME]
        if not last or last.startswith(".") or "\0" in last:
            return None
        path = os.path.join(self._path, last)
        if os.path.isfile(path):
            return path
        stems = [os.path.splitext(last)[0]]
        if is_only:
            stem = os.path.splitext(self._sheet)[0]
            stems += [stem, os.path.splitext(stem)[0]]
        if self._listed is None:
            self._listed = {_key(name): name for name in os.listdir(self._path)}
        for name in (last, *(stem + suffix for stem in stems for suffix in _SUFFIXES)):
            found = os.path.join(self._path, self._listed.get(_key(name), ""))
            if os.path.isfile(found):
                return found
        return None


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _tags(sheet: CueSheet, track: CueTrack, total: int) -> tuple[tuple[str, str], ...]:
    found = {
        "title": f"Track {track.number:02}",
        "tracknumber": str(track.number),
        "tracktotal": str(total),
    }
    for name, (of_track, of_sheet) in _TAGS.items():
        texts = [track.words.get(word, "") for word in of_track]
        texts += [sheet.words.get(word, "") for word in of_sheet]
        text = next(filter(None, texts), "")
        if text:
            found[name] = text
    return tuple(normalise(sorted(found.items())))


def _merge(
    whole: tuple[tuple[str, str], ...], own: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return the tags of a track: the sheet's, and what the file says of the album."""
    replaced = _OF_WHOLE | {name for name, _ in own}
    return tuple(sorted((*own, *(tag for tag in whole if tag[0] not in replaced))))
