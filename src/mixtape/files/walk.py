"""Which audio files a music folder holds: names, sizes and dates, nothing is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from audio_cache import is_audio_name

COVER_STEMS: Final = (b"cover", b"folder", b"front", b"album", b"albumart")
COVER_SUFFIXES: Final = (b".jpg", b".jpeg", b".png", b".webp", b".gif")
# Some file systems hold dates beyond 2262, which no 64-bit column takes.
_LATEST_NS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as the folder's listing shows it; `path` is relative to the root."""

    path: bytes
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class FoundFolder:
    """A folder and the audio files in it.

    Args:
        path: relative to the root, empty for the root itself.
        files: in no particular order.
        cover: the picture file that the folder is shown with.
        error: why the folder could not be listed. What it holds is unknown then, not gone.
    """

    path: bytes
    files: tuple[FoundFile, ...] = ()
    cover: FoundFile | None = None
    error: OSError | None = None


def walk(root: bytes) -> Iterator[FoundFolder]:
    """List a music folder and all folders below it.

    Hidden names are passed over. A link to a folder is not followed: where it leads inside the
    root it would show the same files twice, or for ever. A link to a file counts where the file
    lies inside the root. Pipes, sockets and devices are no files, whatever their names.

    Args:
        root: the music folder, with no link left in its path (`os.path.realpath`).
    """
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            found, below = _list_folder(root, folder)
        except OSError as error:
            yield FoundFolder(folder, error=error)
            continue
        waiting.extend(below)
        yield found


def cover_rank(name: bytes) -> int | None:
    """Return how well a file name names a folder's cover, 0 the best; None where it names none."""
    stem, suffix = os.path.splitext(name.lower())
    if stem not in COVER_STEMS or suffix not in COVER_SUFFIXES:
        return None
    return COVER_STEMS.index(stem) * len(COVER_SUFFIXES) + COVER_SUFFIXES.index(suffix)


def join(folder: bytes, name: bytes) -> bytes:
    """Return the relative path of a name in a folder."""
    return folder + b"/" + name if folder else name


def folder_of(path: bytes) -> bytes:
    """Return the folder of a relative path; empty for the root."""
    return path.rpartition(b"/")[0]


def find_folder_cover(root: bytes, folder: bytes) -> FoundFile | None:
    """Return the picture file that a folder is shown with, as `walk` chooses it."""
    try:
        return _list_folder(root, folder)[0].cover
    except OSError:
        return None


def leads_inside(root: bytes, path: bytes) -> bool:
    """Say whether a path is that of something inside the root once all links are followed."""
    try:
        return os.path.realpath(path, strict=True).startswith(root.rstrip(b"/") + b"/")
    except OSError:
        return False


def _list_folder(root: bytes, folder: bytes) -> tuple[FoundFolder, list[bytes]]:
    files: list[FoundFile] = []
    below: list[bytes] = []
    covers: list[tuple[int, FoundFile]] = []
    with os.scandir(os.path.join(root, folder)) as entries:
        for entry in entries:
            if entry.name.startswith(b"."):
                continue
            path = join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                below.append(path)
                continue
            rank = None
            if not is_audio_name(entry.name):
                rank = cover_rank(entry.name)
                if rank is None:
                    continue
            file = _examine(root, path, entry)
            if file is not None and rank is not None:
                covers.append((rank, file))
            elif file is not None:
                files.append(file)
    cover = min(covers, key=lambda found: (found[0], found[1].path))[1] if covers else None
    return FoundFolder(folder, tuple(files), cover), below


def _examine(root: bytes, path: bytes, entry: os.DirEntry[bytes]) -> FoundFile | None:
    try:
        if entry.is_symlink() and not leads_inside(root, entry.path):
            return None
        status = entry.stat()
    except OSError:
        # Deleted since the folder was listed, or a link that leads nowhere.
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return FoundFile(path, status.st_size, min(status.st_mtime_ns, _LATEST_NS))
