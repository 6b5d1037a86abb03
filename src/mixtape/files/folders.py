"""The music on disk: its folders and tracks, never anything outside MUSIC_ROOT."""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audio_cache import is_audio_name

from .folder_track import ListedTrack, read_track, unreadable_track
from .names import shown

PAGE_SIZE: Final = 250
_REMEMBERED_TRACKS: Final = 20_000


class NotInLibraryError(FileNotFoundError):
    """A path names nothing in the library, or something outside it."""


@dataclass(frozen=True)
class Folder:
    """A folder as the page shows it."""

    path: str
    name: str


@dataclass(frozen=True)
class Listing:
    """One page of what a folder holds."""

    folder: Folder
    parents: tuple[Folder, ...]
    folders: tuple[Folder, ...]
    tracks: tuple[ListedTrack, ...]
    page: int
    pages: int
    track_count: int
    folder_count: int

    @property
    def artist(self) -> str:
        """Return the artist of all tracks; "" where they differ or one has none."""
        artists = {track.artist for track in self.tracks}
        return artists.pop() if len(artists) == 1 else ""

    @property
    def has_music(self) -> bool:
        """Say whether anything on this page can be played."""
        return any(not track.problem for track in self.tracks)

    @property
    def duration_s(self) -> float:
        """Return how long this page plays."""
        return sum(track.duration_s for track in self.tracks)

    @property
    def size_bytes(self) -> int:
        """Return how much this page weighs."""
        return sum(track.size_bytes for track in self.tracks)


class Library:
    """The folders and tracks under one root."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self._tracks: OrderedDict[tuple[str, int, int], ListedTrack] = OrderedDict()
        self._lock = threading.Lock()

    def resolve(self, path: str) -> Path:
        """Return the file or folder that a path relative to the root names.

        Raises:
            NotInLibraryError: there is none, it is hidden, or it or a link on the way leads out.
        """
        parts = [part for part in path.split("/") if part]
        if "\0" in path or any(part.startswith(".") for part in parts):
            raise NotInLibraryError(path)
        candidate = self.root.joinpath(*parts)
        if not self.contains(candidate):
            raise NotInLibraryError(path)
        return candidate

    def contains(self, path: Path) -> bool:
        """Say whether a path exists and lies under the root when all links are followed."""
        try:
            return Path(os.path.realpath(path, strict=True)).is_relative_to(self.root)
        except OSError:
            return False

    def list_folder(self, path: str, page: int = 1) -> Listing:
        """Return one page of a folder: its folders first, then its tracks, in reading order.

        Raises:
            NotInLibraryError: there is no such folder, or no such page of it.
        """
        folder = self.resolve(path)
        names = self._entries(folder)
        if names is None:
            raise NotInLibraryError(path)
        folders, tracks = names
        pages = max(1, -(-(len(folders) + len(tracks)) // PAGE_SIZE))
        if not 1 <= page <= pages:
            raise NotInLibraryError(f"{path}, page {page} of {pages}")
        start = (page - 1) * PAGE_SIZE
        on_page = [(name, True) for name in folders] + [(name, False) for name in tracks]
        on_page = on_page[start : start + PAGE_SIZE]
        parts = [part for part in path.split("/") if part]
        here = "/".join(parts)
        return Listing(
            folder=_folder(here),
            parents=tuple(_folder("/".join(parts[:depth])) for depth in range(len(parts))),
            folders=tuple(_folder(_join(here, name)) for name, is_dir in on_page if is_dir),
            tracks=tuple(self._read_all(here, [name for name, is_dir in on_page if not is_dir])),
            page=page,
            pages=pages,
            track_count=len(tracks),
            folder_count=len(folders),
        )

    def track_names(self, folder: Path) -> list[str]:
        """Return the names of a folder's tracks in reading order; none if it cannot be read."""
        names = self._entries(folder)
        return names[1] if names else []

    def _entries(self, folder: Path) -> tuple[list[str], list[str]] | None:
        folders, tracks = [], []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_symlink() and not self.contains(Path(entry.path)):
                        continue
                    if entry.is_dir():
                        folders.append(entry.name)
                    elif entry.is_file() and is_audio_name(entry.name):
                        tracks.append(entry.name)
        except OSError:
            return None
        return sorted(folders, key=reading_order), sorted(tracks, key=reading_order)

    def _read_all(self, folder: str, names: list[str]) -> list[ListedTrack]:
        tracks = [self._read(_join(folder, name)) for name in names]
        # An album in its own order, but only where every track has a number to go by.
        if all(track.number is not None for track in tracks):
            tracks.sort(key=lambda track: (track.disc, track.number or 0))
        return tracks

    def _read(self, path: str) -> ListedTrack:
        file = self.root / path
        try:
            status = file.stat()
        except OSError as error:
            return unreadable_track(path, 0, error.strerror or str(error))
        key = (path, status.st_mtime_ns, status.st_size)
        with self._lock:
            known = self._tracks.get(key)
            if known is not None:
                self._tracks.move_to_end(key)
                return known
        track = read_track(file, path, status.st_size)
        with self._lock:
            self._tracks[key] = track
            while len(self._tracks) > _REMEMBERED_TRACKS:
                self._tracks.popitem(last=False)
        return track


def reading_order(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts "2 b" before "10 a" and ignores case."""
    pieces = re.split(r"(\d+)", shown(name).casefold())
    filled = [piece for piece in pieces if piece]
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in filled]


def _folder(path: str) -> Folder:
    return Folder(path, os.path.basename(path))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
