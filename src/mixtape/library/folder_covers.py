"""The picture of a folder or track: found on disk, made small, kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final

from ..errors import PictureError
from ..files.folders import Library
from ..files.pictures import MAX_BYTES, read_picture, shrink
from ..files.walk import cover_rank

SIZES: Final = {"small": 192, "large": 640}
_TRACKS_TRIED: Final = 3


class CoverStore:
    """Small covers, kept in a folder under names that follow from what they were made of.

    The folder may be deleted at any time.
    """

    def __init__(self, folder: Path, library: Library) -> None:
        self.folder = folder
        self.library = library

    def find_cover(self, path: Path, size: str) -> Path | None:
        """Return the file of the cover of a folder or track; None if it has no picture.

        Raises:
            OSError: the folder or track has gone meanwhile.
        """
        source = find_picture(path, self.library)
        if source is None:
            return None
        kept = self.folder / _kept_name(source, size)
        if kept.exists():
            return kept
        try:
            small = shrink(_read(source), SIZES[size])
        except PictureError:
            return None
        _write_whole(kept, small)
        return kept


def find_picture(path: Path, library: Library) -> Path | None:
    """Return the file that holds the picture of a folder or track: a picture, or a track.

    A picture file of the folder comes first, as one place to look is quicker than every track;
    without one a track shows its own picture and a folder that of one of its first tracks.
    """
    is_folder = path.is_dir()
    folder = path if is_folder else path.parent
    cover = find_folder_cover(folder, library)
    if cover is not None:
        return cover
    tracks = [path]
    if is_folder:
        tracks = [folder / name for name in library.track_names(folder)[:_TRACKS_TRIED]]
    return next((track for track in tracks if read_picture(track) is not None), None)


def find_folder_cover(folder: Path, library: Library) -> Path | None:
    """Return the picture file that a folder is shown with: cover.jpg, folder.png and the like."""
    ranked = []
    for name in os.listdir(folder):
        rank = cover_rank(os.fsencode(name))
        if rank is not None and library.contains(folder / name):
            ranked.append((rank, name))
    return folder / min(ranked)[1] if ranked else None


def _read(source: Path) -> bytes:
    if cover_rank(os.fsencode(source.name)) is None:
        return read_picture(source) or b""
    with source.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _kept_name(source: Path, size: str) -> str:
    status = source.stat()
    identity = f"{status.st_mtime_ns}/{status.st_size}/{size}/".encode() + os.fsencode(source)
    return hashlib.sha256(identity).hexdigest() + ".jpg"


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temp = tempfile.mkstemp(prefix=".cover-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temp, path)
    except BaseException:
        Path(temp).unlink(missing_ok=True)
        raise
