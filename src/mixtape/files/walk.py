"""The folders with the music as they are on disk: names, sizes and dates of their files.

None is opened but CUE sheets, and the files that those cut into tracks.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audio_cache import (
    MusicRoots,
    SheetTrack,
    cut_files,
    is_audio_name,
    is_sheet_name,
    stat_source,
)

from ..errors import NotFoundError
from ..messages import Message
from .names import disc_of

COVER_STEMS: Final = (b"cover", b"folder", b"front", b"album", b"albumart")
COVER_SUFFIXES: Final = (b".jpg", b".jpeg", b".png", b".webp", b".gif")
# Some file systems hold dates beyond 2262, which no 64-bit column takes.
_LATEST_NS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as the folder's listing shows it.

    A track that a CUE sheet cuts out of a file counts as one, and its sheet as its folder's name.

    Args:
        path: in the library.
        root: the name of the music folder that it is in; empty where there is one.
    """

    path: bytes
    size_bytes: int
    mtime_ns: int
    is_sheet_track: bool = False
    root: bytes = b""

    @property
    def path_in_root(self) -> bytes:
        """Return its path in its music folder, whatever others there are."""
        return self.path[len(self.root) + 1 :] if self.root else self.path

    @property
    def folder(self) -> bytes:
        """Return the path of the folder that it is listed in."""
        return folder_of(folder_of(self.path) if self.is_sheet_track else self.path)


@dataclass(frozen=True, slots=True)
class FoundFolder:
    """A folder and the audio files in it.

    Args:
        path: in the library; empty for its top.
        files: in no particular order. Those that CUE sheets cut into tracks are not among them,
            but their tracks are; and sheets that cannot be used, for somebody to see why.
        cut: the paths of the files that are cut.
        folders: the paths of the folders in it.
        links: the paths of links in it that lead to folders of the library.
        cover: the picture file that the folder is shown with: one in it, or of the album that it
            is one disc of.
        error: why the folder could not be listed. What it holds is unknown then, not gone.
    """

    path: bytes
    files: tuple[FoundFile, ...] = ()
    cut: tuple[bytes, ...] = ()
    folders: tuple[bytes, ...] = ()
    links: tuple[bytes, ...] = ()
    cover: FoundFile | None = None
    error: OSError | None = None


def walk(roots: MusicRoots) -> Iterator[FoundFolder]:
    """List the folder at the top of the library and all folders below it.

    Hidden names are passed over. A link to a folder is not followed: where it leads inside the
    library it would show the same files twice, or for ever. A link to a file counts where the file
    lies inside of it. Pipes, sockets and devices aren't files, whatever their names.
    """
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            found = _list_folder(roots, folder)
        except OSError as error:
            yield FoundFolder(folder, error=error)
            continue
        waiting.extend(found.folders)
        yield found


def cover_rank(name: bytes) -> int | None:
    """Return how well a file name names a folder's cover, 0 the best; None where it names none."""
    stem, suffix = os.path.splitext(name.lower())
    if stem not in COVER_STEMS or suffix not in COVER_SUFFIXES:
        return None
    return COVER_STEMS.index(stem) * len(COVER_SUFFIXES) + COVER_SUFFIXES.index(suffix)


def is_shown_name(name: bytes) -> bool:
    """Say by its name whether a file is music, says where music is cut, or is a cover."""
    return is_audio_name(name) or is_sheet_name(name) or cover_rank(name) is not None


def join(folder: bytes, name: bytes) -> bytes:
    """Return the relative path of a name in a folder."""
    return folder + b"/" + name if folder else name


def folder_of(path: bytes) -> bytes:
    """Return the folder of a relative path; empty for the root."""
    return path.rpartition(b"/")[0]


def get_folder(roots: MusicRoots, path: bytes) -> FoundFolder:
    """Return a folder by its path, or by one that links lead from, as `walk` lists it.

    Raises:
        NotFoundError: there is none, it is hidden, it cannot be listed, or it or a link on the way
            leads out of the library.
    """
    try:
        return _list_folder(roots, _resolve_folder(roots, path))
    except OSError as error:
        raise NotFoundError(
            Message("this folder cannot be listed: its disk may be away")
        ) from error


def _list_folder(roots: MusicRoots, folder: bytes) -> FoundFolder:
    if not folder and not roots.is_single:
        # Those that are away too: they are still of the library, and what is in them unknown.
        return FoundFolder(folder, folders=tuple(map(os.fsencode, roots.places)))
    place = os.fsencode(roots.get(folder))
    root = b"" if roots.is_single else folder.partition(b"/")[0]
    folders: list[bytes] = []
    links: list[bytes] = []
    files: list[FoundFile] = []
    covers: list[FoundFile] = []
    sheets: list[FoundFile] = []
    with os.scandir(place) as entries:
        for entry in entries:
            path = join(folder, entry.name)
            if entry.name.startswith(b"."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif entry.is_symlink() and _is_folder(roots, path):
                links.append(path)
            elif file := _examine(roots, root, path, entry):
                is_sheet = is_sheet_name(entry.name)
                kind = files if is_audio_name(entry.name) else sheets if is_sheet else covers
                kind.append(file)
    cut: tuple[bytes, ...] = ()
    if sheets:
        files, cut = cut_by_sheets(place, folder, files, sheets)
    cover = min(covers, key=_cover_order, default=None)
    cover = cover or _cover_of_discs(roots, root, folder)
    return FoundFolder(folder, tuple(files), cut, tuple(folders), tuple(links), cover)


def _cover_of_discs(roots: MusicRoots, root: bytes, folder: bytes) -> FoundFile | None:
    """Return the cover of the album that a folder is one disc of, which lies beside the discs."""
    album = folder_of(folder)
    # A music folder itself is no album.
    if root in (folder, album) or disc_of(folder) is None:
        return None
    with os.scandir(os.fsencode(roots.get(album))) as entries:
        covers = [
            file
            for entry in entries
            if cover_rank(entry.name) is not None
            and (file := _examine(roots, root, join(album, entry.name), entry))
        ]
    return min(covers, key=_cover_order, default=None)


def _resolve_folder(roots: MusicRoots, path: bytes) -> bytes:
    parts = [part for part in path.split(b"/") if part]
    here = b"/".join(parts)
    if not parts or roots.is_one(here):
        return here
    place = None if b"\0" in path else roots.find(here)
    if place is not None:
        with contextlib.suppress(OSError):
            folder = os.fsencode(roots.path_of_real(place) or "")
            is_hidden = any(part.startswith(b".") for part in (*parts, *folder.split(b"/")))
            if folder and not is_hidden and place.is_dir():
                return folder
    raise NotFoundError(Message("this folder does not exist, or it has been moved"))


def _is_folder(roots: MusicRoots, path: bytes) -> bool:
    try:
        _resolve_folder(roots, path)
    except NotFoundError:
        return False
    return True


def _cover_order(file: FoundFile) -> tuple[int, bytes]:
    return cover_rank(os.path.basename(file.path)) or 0, file.path


def _examine(
    roots: MusicRoots, root: bytes, path: bytes, entry: os.DirEntry[bytes]
) -> FoundFile | None:
    """Return what an entry is, if it is music, a sheet or a cover, and inside the library."""
    if not is_shown_name(entry.name):
        return None
    try:
        if entry.is_symlink() and not roots.path_of_real(os.fsdecode(entry.path)):
            return None
        status = entry.stat()
    except OSError:
        # Deleted since the folder was listed, or a link that leads nowhere.
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return FoundFile(path, status.st_size, min(status.st_mtime_ns, _LATEST_NS), root=root)


def cut_by_sheets(
    place: bytes, folder: bytes, files: list[FoundFile], sheets: list[FoundFile]
) -> tuple[list[FoundFile], tuple[bytes, ...]]:
    """Return the files of a folder as its CUE sheets cut them, and the paths of those cut.

    Args:
        place: where the folder is.
        folder: its path in the library.
        files: the other files in it.
        sheets: the sheets in it.
    """
    by_name = {os.fsdecode(os.path.basename(file.path)): file for file in (*files, *sheets)}
    names = [os.fsdecode(os.path.basename(sheet.path)) for sheet in sheets]
    tracks, errors = cut_files(os.fsdecode(place), names)
    cut: list[FoundFile] = []
    whole: set[str] = set()
    for track in tracks:
        name = os.path.basename(track.file)
        # A link to elsewhere is no file of this folder, whatever a sheet says.
        if name in by_name:
            with contextlib.suppress(OSError):
                sheet = join(folder, os.fsencode(os.path.basename(track.sheet)))
                cut.append(_as_file(track, sheet, by_name[name].root))
                whole.add(name)
    rest = [(name, file) for name, file in by_name.items() if name not in whole]
    kept = [file for name, file in rest if name in errors or not is_sheet_name(name)]
    return [*cut, *kept], tuple(by_name[name].path for name in sorted(whole))


def cut_by_own_sheet(place: Path, file: FoundFile) -> list[FoundFile]:
    """Return the tracks that a file is cut into by the CUE sheet that it holds; none where by none.

    Args:
        place: where the file is.
        file: as its folder's listing shows it.

    Raises:
        CueSheetError: the sheet is wrong.
        OSError: the file cannot be read.
    """
    tracks, errors = cut_files(os.fspath(place.parent), [place.name])
    for error in errors.values():
        raise error
    return [_as_file(track, file.path, file.root) for track in tracks]


def _as_file(track: SheetTrack, sheet: bytes, root: bytes) -> FoundFile:
    """Return a track of a sheet as a file; OSError where its file is gone."""
    status = stat_source(track.path)
    path = join(sheet, os.fsencode(os.path.basename(track.path)))
    size_bytes, mtime_ns = status.st_size, min(status.st_mtime_ns, _LATEST_NS)
    return FoundFile(path, size_bytes, mtime_ns, is_sheet_track=True, root=root)
