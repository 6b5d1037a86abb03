"""What the listing of a folder says against what the database holds of it. No I/O."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audio_cache import may_be_lossless, own_track_mtime_ns

from ..database.tables import READ_VERSION
from ..files.walk import FoundFile, FoundFolder, folder_of


@dataclass(frozen=True, slots=True)
class KnownTrack:
    """What the database holds of a track, as far as a scan compares it."""

    id: int
    path: bytes
    size_bytes: int
    mtime_ns: int
    picture_key: str | None
    cover_key: str | None
    is_missing: bool
    read_version: int = READ_VERSION


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file that is new or changed: its track, if there is one, and the cover of its folder.

    Args:
        parts: the tracks that its own CUE sheet cut it into until now.
    """

    file: FoundFile
    track_id: int | None
    folder_cover_key: str | None
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """What a folder's listing says against the database.

    Args:
        unread: files to open.
        unchanged: how many files need not be opened.
        back: tracks that were missing and are there again as they were.
        covers: tracks whose cover is another now, because the folder's picture is.
        gone: tracks whose files are no longer there.
        cut: tracks whose files are cut by CUE sheets now, or by other ones.
    """

    unread: tuple[UnreadFile, ...] = ()
    unchanged: int = 0
    back: tuple[int, ...] = ()
    covers: tuple[tuple[int, str | None], ...] = ()
    gone: tuple[int, ...] = ()
    cut: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Say whether all is as the database has it."""
        return not any((self.unread, self.back, self.covers, self.gone, self.cut))


def compare_folder(
    folder: FoundFolder, known: Mapping[bytes, KnownTrack], *, reread: bool = False
) -> FolderChanges:
    """Return what is to be done about a folder. A pure function.

    Args:
        folder: as it is on disk.
        known: the tracks that the database has in it, by path.
        reread: open every file, changed or not.
    """
    cover_key = folder_cover_key(folder.cover)
    unread: list[UnreadFile] = []
    back: list[int] = []
    cut: list[int] = []
    unchanged = 0
    parts = _parts_by_file(folder, known)
    kept: list[KnownTrack] = []
    for file in folder.files:
        track, own = known.get(file.path), parts.get(file.path, [])
        there = [part for part in own if not part.is_missing]
        if there and not reread and _is_cut_into(file, there):
            unchanged += 1
            kept += there
            if track and not track.is_missing:
                cut.append(track.id)
            continue
        # Of one that was cut, and changed or was away since, only a look inside tells what it is.
        is_open = bool(there) or (bool(own) and track is not None and track.is_missing)
        if track is None or reread or is_open or not _is_same(file, track):
            of = track.id if track else None
            unread.append(UnreadFile(file, of, cover_key, tuple(part.id for part in there)))
            continue
        unchanged += 1
        kept.append(track)
        if track.is_missing:
            back.append(track.id)
    keys = [(track, track.picture_key or cover_key) for track in kept]
    covers = [(track.id, key) for track, key in keys if track.cover_key != key]
    gone: list[int] = []
    listed = {file.path for file in folder.files}
    for path, track in known.items():
        if not track.is_missing and path not in listed and folder_of(path) not in parts:
            # A sheet beside a file takes the place of the one in it.
            is_cut = path in folder.cut or folder_of(path) in folder.cut
            (cut if is_cut else gone).append(track.id)
    return FolderChanges(
        tuple(unread), unchanged, tuple(back), tuple(covers), tuple(gone), tuple(cut)
    )


def _parts_by_file(
    folder: FoundFolder, known: Mapping[bytes, KnownTrack]
) -> dict[bytes, list[KnownTrack]]:
    """Return the tracks that files of a folder were cut into by their own sheets, by the file."""
    files = {file.path for file in folder.files if may_be_lossless(file.path)}
    parts: dict[bytes, list[KnownTrack]] = defaultdict(list)
    for path, track in known.items():
        if folder_of(path) in files:
            parts[folder_of(path)].append(track)
    return parts


def _is_cut_into(file: FoundFile, parts: Sequence[KnownTrack]) -> bool:
    """Say whether a file is still the one that was cut into these tracks, and they are all."""
    return all(
        part.read_version == READ_VERSION
        and part.mtime_ns
        == own_track_mtime_ns(file.size_bytes, file.mtime_ns, _number_of(part.path), len(parts))
        for part in parts
    )


def _number_of(path: bytes) -> int:
    """Return the number of a track that a CUE sheet cuts, by its path."""
    return int(os.path.splitext(os.path.basename(path))[0])


def _is_same(file: FoundFile, track: KnownTrack) -> bool:
    """Say whether opening a file would tell nothing new."""
    is_unchanged = (track.size_bytes, track.mtime_ns) == (file.size_bytes, file.mtime_ns)
    return is_unchanged and track.read_version == READ_VERSION


def folder_cover_key(cover: FoundFile | None) -> str | None:
    """Return the name of a folder's picture file: another one as soon as the file is changed.

    It is made of path, size and date instead of the content, so that a scan need not open it; and
    of the path in its own music folder, so that it stays where others are added to that.
    """
    if cover is None:
        return None
    identity = b"folder\0%d\0%d\0%b" % (cover.size_bytes, cover.mtime_ns, cover.path_in_root)
    return hashlib.blake2b(identity, digest_size=16).hexdigest()
