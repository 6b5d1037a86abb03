"""Scans that bring the library up to date with the music folder: all of it, or one folder."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any, Final

from audio_cache import CueSheetError, MusicRoots, Roots, is_sheet_track

from ..database.units_of_work import Database
from ..errors import AudioFileError, RefusalError, ScanError
from ..files.audio_file import read_audio_file
from ..files.names import display_name, reading_order, shown
from ..files.opening import Identity, identity_of
from ..files.walk import FoundFolder, cut_by_own_sheet, get_folder, walk
from ..messages import Message
from .comparison import FolderChanges, UnreadFile, compare_folder
from .inventory import Inventory, ReadFile

LOCK_NAME: Final = "scan.lock"
_FOLDERS_AT_ONCE: Final = 200
_FILES_AT_ONCE: Final = 200
_COMMIT_EVERY_S: Final = 1.0
# What somebody who opens a folder waits for: about a second where no file has been read yet.
_ON_THE_SPOT: Final = 250

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is; the last one's result when none is running.

    Args:
        seen: files that are dealt with.
        added: tracks that are new.
        updated: tracks that were read again, files that only changed their name included.
        removed: tracks whose files are gone.
        failed: files that could not be read; each is listed by its name.
        total_estimate: files there are; exact once all folders have been listed.
        error: why the scan ended early, None where it did not.
    """

    seen: int = 0
    added: int = 0
    updated: int = 0
    removed: int = 0
    failed: int = 0
    total_estimate: int = 0
    running: bool = False
    error: Message | None = None


class Scanner:
    """Scans the music folder: first what changed, by listings alone, then the changed files.

    One scan runs at a time, over all threads and processes with the same lock file, and over all
    hosts that share a database. What has been read is visible at once; a scan that was cancelled
    or killed goes on where it was.

    Args:
        database: where the tracks are.
        music_root: the folder with the music, or several.
        lock_file: held while scanning, so that no other process scans; made when missing.
        now: the clock for what is written down.

    Attributes:
        progress: how far the scan is, or what the last one did.
    """

    def __init__(
        self,
        database: Database,
        music_root: Roots,
        lock_file: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._inventory = Inventory(database, now)
        self._database = database
        self._roots = MusicRoots.of(music_root)
        self._lock_file = lock_file
        self._starting = threading.Lock()
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None
        self.progress = ScanProgress()
        self._on_the_spot = 0

    @property
    def version(self) -> tuple[ScanProgress, int]:
        """Return a value that changes whenever a scan of any kind has changed something."""
        return self.progress, self._on_the_spot

    def scan_folder(self, path: bytes) -> tuple[FoundFolder, bool]:
        """Bring one folder, without those below it, up to date while somebody waits for it.

        Of a folder with many new files the first ones are read, and a scan is started for the rest.

        Returns:
            The folder under its own path, which is another one where a link leads to it, and
            whether all files in it have been read.

        Raises:
            NotFoundError: there is no such folder in the library, or it cannot be listed.
        """
        found = get_folder(self._roots, path)
        (changes,) = self._compare([found], reread=False)
        if changes.is_empty:
            return found, True
        names = {file: reading_order(display_name(file.file.path)) for file in changes.unread}
        some = sorted(changes.unread, key=lambda file: names[file])[:_ON_THE_SPOT]
        read = [_read_one(self._roots, file) for file in some]
        new = [file for file in read if file.unread.track_id is None]
        self._inventory.record([changes, FolderChanges(gone=self._find_moved_away(new))])
        self._inventory.store(read)
        self._on_the_spot += 1
        is_complete = len(some) == len(changes.unread)
        if not is_complete:
            self.start()
        return found, is_complete

    def start(self, *, reread: bool = False) -> bool:
        """Start a scan in the background; return False where one is running already.

        Args:
            reread: open every file, not only the changed ones.
        """
        with self._starting:
            if self._thread is not None and self._thread.is_alive():
                return False
            self._cancelled.clear()
            self.progress = ScanProgress(running=True)
            # A daemon: a server that stops does not wait for a scan, and SQLite keeps what was
            # committed.
            self._thread = threading.Thread(
                target=self._run, args=(reread,), name="mixtape-scan", daemon=True
            )
            self._thread.start()
            return True

    def cancel(self) -> None:
        """Ask the scan to stop after the file at hand. What it has read is kept."""
        self._cancelled.set()

    def wait(self, timeout_s: float | None = None) -> ScanProgress:
        """Return the progress when the scan has ended, or as it is after so many seconds."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return self.progress

    def _find_moved_away(self, files: list[ReadFile]) -> tuple[int, ...]:
        """Return the tracks that new files seem to be: alike, and no longer where they were.

        A scan of everything knows what is missing before it reads what is new; here only a look
        at the old place tells a file that was moved from a copy.
        """
        listed = [each.unread.file for file in files for each in file.listed]
        twins = self._inventory.find_twins(listed)
        return tuple(track_id for track_id, path in twins if not _is_there(self._roots.find(path)))

    def _run(self, reread: bool) -> None:
        error = None
        try:
            with self._lock():
                self._scan(reread)
        except RefusalError as reason:
            error = reason.message
            logger.error("scan ended: %s", error)
        except OSError as reason:
            error = Message("the music folder cannot be read: %(reason)s", reason=reason)
            logger.error("scan ended: %s", error)
        except Exception as reason:
            kind = type(reason).__name__
            error = Message("unexpected %(kind)s: %(reason)s", kind=kind, reason=reason)
            logger.exception("scan ended")
        self._update(running=False, error=error)

    def _scan(self, reread: bool) -> None:
        started = time.monotonic()
        unread = self._survey(reread)
        self._read(unread)
        if self._cancelled.is_set():
            logger.info("scan cancelled")
            return
        away = self._find_away()
        self._inventory.forget([top for top, _ in away])
        done = self.progress
        if done.added + done.updated + done.removed:
            self._database.optimize()
        logger.info(
            "scan: %d files, %d added, %d updated, %d removed, %d failed, %.1f s",
            *(done.seen, done.added, done.updated, done.removed, done.failed),
            time.monotonic() - started,
        )
        if away:
            raise ScanError(
                reduce(
                    lambda one, other: Message("%(one)s; %(other)s", one=one, other=other),
                    (said for _, said in away),
                )
            )

    def _find_away(self) -> list[tuple[bytes, Message]]:
        """Return the music folders whose disks seem to be away, and what is to be said of each.

        The folder that a disk is mounted to is empty while it is not, or even gone. Who goes on
        holiday with the disk must not come back to a library that was forgotten after a month.
        """
        away = []
        for name, place in self._roots.places.items():
            try:
                with os.scandir(os.fsencode(place)) as entries:
                    state = Message("is empty") if next(entries, None) is None else None
            except OSError as error:
                state = Message("cannot be listed (%(reason)s)", reason=error.strerror)
            kept = self._inventory.count_kept(os.fsencode(name)) if state else 0
            if kept:
                which = Message("the music folder")
                if name:
                    which = Message("the music folder %(name)s", name=shown(name))
                said = Message(
                    "%(folder)s %(state)s, and the library knows %(count)s of its tracks: is its "
                    "disk mounted? They are kept, and come back with it",
                    folder=which,
                    state=state,
                    count=kept,
                )
                away.append((os.fsencode(name), said))
        return away

    def _survey(self, reread: bool) -> list[UnreadFile]:
        """List all folders and write down what needs no file to be opened; return what does."""
        self._update(total_estimate=self._inventory.count())
        unread: list[UnreadFile] = []
        listed: set[bytes] = set()
        unlisted: list[bytes] = []
        folders = walk(self._roots)
        while some := list(islice(folders, _FOLDERS_AT_ONCE)):
            if self._cancelled.is_set():
                return []
            unlisted += [folder.path for folder in some if self._is_unlisted(folder)]
            listed.update(folder.path for folder in some)
            changes = self._compare([folder for folder in some if not folder.error], reread)
            unread += [file for change in changes for file in change.unread]
            self._count_survey(changes, len(unread))
        gone = self._inventory.record_lost_folders(listed, unlisted)
        found = self.progress.seen + len(unread)
        self._update(removed=self.progress.removed + gone, total_estimate=found)
        return unread

    def _is_unlisted(self, folder: FoundFolder) -> bool:
        if folder.error is None:
            return False
        if not folder.path:
            raise folder.error
        logger.warning("folder %r cannot be listed: %s", folder.path, folder.error.strerror)
        return True

    def _compare(self, folders: list[FoundFolder], reread: bool) -> list[FolderChanges]:
        known = self._inventory.known_in([folder.path for folder in folders])
        return [
            compare_folder(folder, known.get(folder.path, {}), reread=reread) for folder in folders
        ]

    def _count_survey(self, changes: list[FolderChanges], unread: int) -> None:
        gone = self._inventory.record(changes)
        seen = self.progress.seen + sum(change.unchanged for change in changes)
        self._update(
            seen=seen,
            removed=self.progress.removed + gone,
            total_estimate=max(self.progress.total_estimate, seen + unread),
        )

    def _read(self, unread: list[UnreadFile]) -> None:
        """Open the files and write down what they are, a batch at a time."""
        batch: list[ReadFile] = []
        last_commit = time.monotonic()
        for file in unread:
            if self._cancelled.is_set():
                break
            batch.append(_read_one(self._roots, file))
            # By time as well: on a slow disk people want to see the library grow.
            if len(batch) >= _FILES_AT_ONCE or time.monotonic() - last_commit > _COMMIT_EVERY_S:
                self._store(batch)
                batch, last_commit = [], time.monotonic()
        self._store(batch)

    def _store(self, batch: list[ReadFile]) -> None:
        if not batch:
            return
        stored = self._inventory.store(batch)
        done = self.progress
        self._update(
            seen=done.seen + len(batch),
            added=done.added + stored.added,
            updated=done.updated + stored.updated + stored.moved,
            removed=max(0, done.removed - stored.moved),
            failed=done.failed + sum(file.audio is None for file in batch),
        )

    def _update(self, **changes: Any) -> None:
        # Only the scan writes, and readers take the whole object: nothing to lock.
        self.progress = replace(self.progress, **changes)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with self._lock_file.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ScanError(Message("another process is scanning already")) from None
            with self._database.claim_scan() as is_alone:
                if not is_alone:
                    raise ScanError(Message("another host is scanning already"))
                # Closing the file gives the lock back, and so does the end of the process.
                yield


def _is_there(place: Path | None) -> bool:
    return place is not None and (os.path.lexists(place) or is_sheet_track(place))


def _read_one(roots: MusicRoots, unread: UnreadFile) -> ReadFile:
    try:
        with roots.opened(unread.file.path) as (place, descriptor):
            known = identity_of(descriptor)
            audio = read_audio_file(place, known)
            parts = _read_parts(unread, place, known) if audio.has_sheet else ()
            return ReadFile(unread, audio, None, parts=parts)
    except AudioFileError as error:
        said, is_passing = str(error), error.is_passing
    except OSError as error:
        said, is_passing = error.strerror or str(error), True
    logger.warning("%s cannot be read: %s", ascii(os.fsdecode(unread.file.path)), said)
    return ReadFile(unread, None, said, is_passing)


def _read_parts(unread: UnreadFile, place: Path, known: Identity) -> tuple[ReadFile, ...]:
    """Return the tracks that a file is cut into by its own sheet; none where that is wrong."""
    try:
        files = cut_by_own_sheet(place, unread.file)
    except CueSheetError as error:
        name = ascii(os.fsdecode(unread.file.path))
        logger.warning("the CUE sheet in %s is not used: %s", name, error)
        return ()
    parts = []
    for file in files:
        audio = read_audio_file(place / os.fsdecode(os.path.basename(file.path)), known)
        parts.append(ReadFile(UnreadFile(file, None, unread.folder_cover_key), audio, None))
    return tuple(parts)
