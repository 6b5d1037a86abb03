"""The findings of a scan, compared with what the database holds, then written to it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, delete, func, insert, not_, or_, select, true, update
from sqlalchemy.orm import Session

from ..database.moved_files import move_tracks
from ..database.tables import READ_VERSION, MixtapeTrack, Track
from ..database.units_of_work import Database
from ..files.audio_file import AudioFile
from ..files.names import disc_of, display_name
from ..files.pictures import picture_key
from ..files.tags import TrackTags, clean_text, lead_artist, sort_key
from ..files.walk import FoundFile
from .album_folders import file_albums
from .comparison import FolderChanges, KnownTrack, UnreadFile

# A disk that was away for a month comes back without a file being opened.
FORGET_AFTER: Final = timedelta(days=30)
# No file's date, so that the next scan takes the file for one that has changed.
_TRY_AGAIN: Final = -1
_AT_ONCE: Final = 5_000
# A file of another name that agrees in all of these is the same file.
_IDENTITY: Final = ("size_bytes", "mtime_ns", "duration_s", "title", "artist", "album")
_MEASURES: Final = ("duration_s", "rate_hz", "bits", "channels")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was opened: what it is, or why it could not be read.

    Args:
        is_passing: it may be readable the next time, so it is tried again though nothing changed.
        parts: the tracks that its own CUE sheet cuts it into, which are listed in its place.
    """

    unread: UnreadFile
    audio: AudioFile | None
    problem: str | None
    is_passing: bool = False
    parts: tuple[ReadFile, ...] = ()

    @property
    def listed(self) -> tuple[ReadFile, ...]:
        """Return what the library lists of it: itself, or its tracks."""
        return self.parts or (self,)


@dataclass(frozen=True, slots=True)
class Stored:
    """How many tracks a batch added, brought up to date, and found again under another name."""

    added: int
    updated: int
    moved: int


class Inventory:
    """The tracks in the database, for one scan at a time.

    Args:
        database: where they are.
        now: the clock.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._now = now

    def count(self) -> int:
        """Return how many tracks are there."""
        there = select(func.count()).select_from(Track).where(Track.missing_since.is_(None))
        with self._database.read() as session:
            return session.scalars(there).one()

    def count_kept(self, top: bytes) -> int:
        """Return how many tracks are known in and below a folder, missing ones too."""
        with self._database.read() as session:
            known = select(func.count()).select_from(Track).where(_in_or_below(top))
            return session.scalars(known).one()

    def known_in(self, folders: Sequence[bytes]) -> dict[bytes, dict[bytes, KnownTrack]]:
        """Return the tracks of some folders, missing ones too, by folder and path."""
        columns = select(
            Track.id,
            Track.path,
            Track.size_bytes,
            Track.mtime_ns,
            Track.picture_key,
            Track.cover_key,
            Track.missing_since.is_not(None),
            Track.read_version,
            Track.folder,
        )
        known: dict[bytes, dict[bytes, KnownTrack]] = defaultdict(dict)
        with self._database.read() as session:
            for row in session.execute(columns.where(Track.folder.in_(folders))):
                track = KnownTrack(*row[:-1])
                known[row.folder][track.path] = track
        return known

    def record(self, changes: Sequence[FolderChanges]) -> int:
        """Write down what needs no file to be opened; return how many tracks are gone."""
        back = [track_id for change in changes for track_id in change.back]
        gone = [track_id for change in changes for track_id in change.gone]
        gone += self._let_go([track_id for change in changes for track_id in change.cut])
        covers = [cover for change in changes for cover in change.covers]
        if not (back or gone or covers):
            return 0
        with self._database.write() as session:
            for ids, since in ((back, None), (gone, self._now())):
                for some in _slices(ids):
                    session.execute(
                        update(Track).where(Track.id.in_(some)).values(missing_since=since)
                    )
            if covers:
                rows = [{"id": track_id, "cover_key": key} for track_id, key in covers]
                session.execute(update(Track), rows)
        return len(gone)

    def _let_go(self, ids: Sequence[int]) -> list[int]:
        """Return those of tracks that no mixtape holds; the others stay, whole as they are."""
        if not ids:
            return []
        held = Track.path.in_(select(MixtapeTrack.path))
        with self._database.read() as session:
            kept = set(session.scalars(select(Track.id).where(Track.id.in_(ids), held)))
        return [track_id for track_id in ids if track_id not in kept]

    def find_twins(self, files: Sequence[FoundFile]) -> list[tuple[int, bytes]]:
        """Return (id, path) of the tracks that agree with one of some files in size and date."""
        if not files:
            return []
        identities = {(file.size_bytes, file.mtime_ns) for file in files}
        columns = select(Track.id, Track.path, Track.size_bytes, Track.mtime_ns)
        dates = Track.mtime_ns.in_({mtime_ns for _, mtime_ns in identities})
        with self._database.read() as session:
            rows = session.execute(columns.where(Track.missing_since.is_(None), dates)).all()
        return [(row.id, row.path) for row in rows if tuple(row[2:]) in identities]

    def record_lost_folders(self, listed: set[bytes], unlisted: Sequence[bytes]) -> int:
        """Mark the tracks of folders that no longer exist; return how many those are.

        Args:
            listed: the folders that the scan went through.
            unlisted: those that it could not list. What is in and below them stays as it was.
        """
        with self._database.read() as session:
            there = select(Track.folder).where(Track.missing_since.is_(None)).distinct()
            lost = [
                folder
                for folder in session.scalars(there)
                if folder not in listed and not any(_is_below(folder, top) for top in unlisted)
            ]
        gone = 0
        for some in _slices(lost):
            with self._database.write() as session:
                lost_tracks = Track.folder.in_(some), Track.missing_since.is_(None)
                gone += len(session.scalars(select(Track.id).where(*lost_tracks)).all())
                session.execute(update(Track).where(*lost_tracks).values(missing_since=self._now()))
        return gone

    def store(self, files: Sequence[ReadFile]) -> Stored:
        """Write down files that were read, in one transaction.

        A new file that is in size, date, length and tags a track which is missing is that track
        under another name: it keeps its id, its places in mixtapes, and all that users said of it.
        """
        rows = [_row(each) for file in files for each in file.listed]
        whole = [_row(file) for file in files if file.parts]
        with self._database.write() as session:
            # Asked here and not before: a page and the scan may have read the same file.
            paths = [row["path"] for row in (*rows, *whole)]
            ids = select(Track.path, Track.id).where(Track.path.in_(paths))
            known = dict(session.execute(ids).all())
            rows += self._cut_up(session, [row for row in whole if row["path"] in known])
            new = [row for row in rows if row["path"] not in known]
            changed = [{**row, "id": known[row["path"]]} for row in rows if row["path"] in known]
            moved = _find_moved(session, new)
            _move(session, moved)
            found = {row["path"] for row in moved}
            added = [{**row, "added_at": self._now()} for row in new if row["path"] not in found]
            if changed or moved:
                session.execute(update(Track), changed + moved)
            if added:
                session.execute(insert(Track), added)
            self._lose_parts(session, files, {known.get(row["path"]) for row in rows})
            file_albums(session, {row["folder"] for row in rows})
        return Stored(len(added), len(changed), len(moved))

    def _cut_up(self, session: Session, whole: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows of files that are cut now: gone, but for those that a mixtape holds."""
        paths = [row["path"] for row in whole]
        held = set(session.scalars(select(MixtapeTrack.path).where(MixtapeTrack.path.in_(paths))))
        now = self._now()
        return [{**row, "missing_since": None if row["path"] in held else now} for row in whole]

    def _lose_parts(
        self, session: Session, files: Sequence[ReadFile], stored: set[int | None]
    ) -> None:
        """Mark the tracks that files were cut into and are no longer."""
        former = [part for file in files if not file.is_passing for part in file.unread.parts]
        for some in _slices([part for part in former if part not in stored]):
            lost = update(Track).where(Track.id.in_(some)).values(missing_since=self._now())
            session.execute(lost)

    def forget(self, away: Sequence[bytes] = ()) -> None:
        """Delete tracks that have been missing for long, but for those that a mixtape holds.

        Args:
            away: music folders of which nothing is forgotten.
        """
        with self._database.write() as session:
            session.execute(
                delete(Track).where(
                    Track.missing_since < self._now() - FORGET_AFTER,
                    Track.path.not_in(select(MixtapeTrack.path)),
                    *(not_(_in_or_below(top)) for top in away),
                )
            )


def _find_moved(session: Session, new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of new files that are missing tracks, each with the id of its track."""
    readable = [row for row in new if row["duration_s"]]
    if not readable:
        return []
    dates = [row["mtime_ns"] for row in readable]
    columns = (Track.id, *(getattr(Track, name) for name in _IDENTITY))
    missing = select(*columns).where(Track.missing_since.is_not(None), Track.mtime_ns.in_(dates))
    ids = {tuple(identity): track_id for track_id, *identity in session.execute(missing)}
    moved = []
    for row in readable:
        track_id = ids.pop(tuple(row[name] for name in _IDENTITY), None)
        if track_id is not None:
            moved.append({**row, "id": track_id})
    return moved


def _move(session: Session, moved: Sequence[dict[str, Any]]) -> None:
    """Let all that names a track by its path follow it to the path that its row has now."""
    for some in _slices(moved):
        paths = {row["id"]: row["path"] for row in some}
        known = select(Track.path, Track.id).where(Track.id.in_(paths))
        move_tracks(session, {old: paths[track_id] for old, track_id in session.execute(known)})


def _row(read: ReadFile) -> dict[str, Any]:
    """Return the columns of a track that follow from its file."""
    file, audio = read.unread.file, read.audio
    tags = audio.tags if audio else TrackTags()
    key = picture_key(audio.picture) if audio and audio.picture else None
    folder = file.folder
    return {
        "path": file.path,
        "folder": folder,
        **asdict(tags),
        "title": tags.title or _title_of(file.path),
        "disc_no": tags.disc_no or disc_of(folder),
        "artist_key": sort_key(lead_artist(tags.artist)),
        "album_artist_key": sort_key(tags.album_artist),
        "album_key": sort_key(tags.album),
        "codec": audio.codec if audio else "",
        "lossless": bool(audio and audio.lossless),
        **{name: getattr(audio, name, None) for name in _MEASURES},
        "size_bytes": file.size_bytes,
        "mtime_ns": _TRY_AGAIN if read.is_passing else file.mtime_ns,
        "picture_key": key,
        "cover_key": key or read.unread.folder_cover_key,
        "read_version": READ_VERSION,
        "problem": read.problem and clean_text(read.problem),
        "missing_since": None,
    }


def _title_of(path: bytes) -> str:
    name = clean_text(display_name(path))
    return os.path.splitext(name)[0] or name


def _in_or_below(top: bytes) -> ColumnElement[bool]:
    return or_(Track.folder == top, Track.is_below(top)) if top else true()


def _is_below(folder: bytes, top: bytes) -> bool:
    return not top or folder == top or folder.startswith(top + b"/")


def _slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    # SQLite takes 250,000 values in a statement and Postgres 32,767.
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
