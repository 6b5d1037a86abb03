"""Folders as their pages show them, brought up to date when somebody looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..database.tables import Track
from ..errors import NotFoundError
from ..files.names import reading_order
from ..files.walk import join
from ..messages import Message
from .catalogue import Catalogue, Folder
from .scanner import Scanner

PAGE_SIZE: Final = 250


@dataclass(frozen=True, slots=True)
class FolderPage:
    """One page of what a folder holds.

    Args:
        parents: the folders above it, the root first.
        is_complete: whether every file in it has been read; the scan goes on with the others.
    """

    folder: Folder
    parents: tuple[Folder, ...]
    folders: tuple[Folder, ...]
    tracks: tuple[Track, ...]
    page: int
    pages: int
    track_count: int
    folder_count: int
    is_complete: bool

    @property
    def artist(self) -> str:
        """Return the artist of all tracks; "" where they differ or one has none."""
        artists = {track.artist or track.album_artist for track in self.tracks}
        return artists.pop() if len(artists) == 1 else ""

    @property
    def has_music(self) -> bool:
        """Say whether anything on this page can be played."""
        return any(track.problem is None for track in self.tracks)

    @property
    def duration_s(self) -> float:
        """Return how long this page plays."""
        return sum(track.duration_s or 0.0 for track in self.tracks)

    @property
    def size_bytes(self) -> int:
        """Return how much this page weighs."""
        return sum(track.size_bytes for track in self.tracks)


class Folders:
    """The library by its folders.

    Args:
        scanner: looks into a folder that is asked for, so that a new file is seen at once.
        catalogue: what its tracks are taken from.
    """

    def __init__(self, scanner: Scanner, catalogue: Catalogue) -> None:
        self._scanner = scanner
        self._catalogue = catalogue

    def get_page(self, path: bytes, page: int = 1) -> FolderPage:
        """Return one page of a folder: its folders first, then its tracks, in reading order.

        Raises:
            NotFoundError: there is no such folder, or no such page of it.
        """
        parts = [part for part in path.split(b"/") if part]
        here = b"/".join(parts)
        found, is_complete = self._scanner.scan_folder(here)
        view = self._catalogue.folder(found.path)
        counts = {folder.path: folder.tracks for folder in view.folders}
        # A folder behind a link is shown under the name of the link, with the tracks of its own.
        folders = sorted(
            (
                Folder(join(here, name.rpartition(b"/")[2]), counts.get(name, 0))
                for name in (*found.folders, *found.links)
            ),
            key=lambda folder: reading_order(folder.name),
        )
        tracks = in_order(view.tracks)
        pages = max(1, -(-(len(folders) + len(tracks)) // PAGE_SIZE))
        if not 1 <= page <= pages:
            raise NotFoundError(
                Message(
                    "this folder has %(pages)s pages, and no page %(page)s", pages=pages, page=page
                )
            )
        start = (page - 1) * PAGE_SIZE
        tracks_start = max(0, start - len(folders))
        tracks_end = max(0, start + PAGE_SIZE - len(folders))
        return FolderPage(
            folder=Folder(here),
            parents=tuple(Folder(b"/".join(parts[:depth])) for depth in range(len(parts))),
            folders=tuple(folders[start : start + PAGE_SIZE]),
            tracks=tuple(tracks[tracks_start:tracks_end]),
            page=page,
            pages=pages,
            track_count=len(tracks),
            folder_count=len(folders),
            is_complete=is_complete,
        )


def in_order(tracks: tuple[Track, ...]) -> list[Track]:
    """Return the tracks of one folder as somebody would read them."""
    # An album in its own order, but only where every track has a number to go by.
    if all(track.track_no is not None for track in tracks):
        return sorted(tracks, key=lambda track: (track.disc_no or 1, track.track_no))
    return sorted(tracks, key=lambda track: reading_order(track.file_name))
