"""Backups as their owner makes them, looks into them and restores them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from sqlalchemy.orm import Session

from ..accounts.sealing import Sealer
from ..database.units_of_work import Database
from ..errors import BackupError, PictureError
from ..library.covers import Artwork
from ..messages import Message
from .archive import Archive, write_archive
from .collect import collect, collect_covers
from .people import collect_people
from .people_checks import Person, read_people
from .people_restore import PeoplePlan, RestoredPeople, plan_people, restore_people
from .plan import Plan, make_plan
from .restore import Existing, Restored, carry_out

FOLDER: Final = Path("backups")
_SAFETY: Final = "before-restore-"
_SAFETIES_KEPT: Final = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """What restoring a backup would do.

    Args:
        plan: of the mixtapes.
        people: who of it is not here.
        new_covers: the keys of the covers in it that are not here.
    """

    plan: Plan
    people: PeoplePlan
    new_covers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What restoring a backup has done.

    Args:
        covers: how many were put back.
        safety: the backup of what was there before; None where nothing was replaced.
    """

    restored: Restored
    people: RestoredPeople
    covers: int
    safety: Path | None


class Backups:
    """Makes backups and restores them.

    Args:
        database: where the mixtapes are.
        artwork: where the covers are.
        data_root: below which what was there before a restore is kept.
        sealer: opens the keys of devices that were encrypted on this server.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        artwork: Artwork,
        data_root: Path,
        sealer: Sealer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._artwork = artwork
        self._folder = data_root / FOLDER
        self._sealer = sealer
        self._now = now

    def file_name(self) -> str:
        """Return a name for a backup of today."""
        return f"mixtape-{self._now():%Y-%m-%d}.zip"

    def write(self, file: IO[bytes]) -> int:
        """Write a backup of all that is here, and return how many mixtapes are in it."""
        with self._database.read() as session:
            backup = collect(session, self._now())
            covers = collect_covers(self._artwork, backup)
            write_archive(file, backup, covers, collect_people(session))
        return len(backup.mixtapes)

    def save(self, path: Path, *, replaces: bool = False) -> int:
        """Write a backup to a path, all of it or nothing, readable by its owner alone.

        Args:
            replaces: whether a file may be there already.

        Raises:
            BackupError: a file is there, or it cannot be written.
        """
        try:
            if path.exists() and not replaces:
                raise BackupError(
                    Message("%(path)s is there already: choose another name", path=path)
                )
            with _written_whole(path) as file:
                return self.write(file)
        except OSError as error:
            raise BackupError(
                Message(
                    "%(path)s cannot be written: %(reason)s",
                    path=path,
                    reason=error.strerror or error,
                )
            ) from error

    def preview(self, file: Path | IO[bytes]) -> Preview:
        """Return what restoring a backup would do.

        Raises:
            BackupError: the file is no backup, or damaged.
        """
        with Archive(file) as archive, self._database.read() as session:
            return self._preview(session, archive)

    def restore(
        self, file: Path | IO[bytes], existing: Existing, *, lets_in: bool = False
    ) -> Outcome:
        """Put back what is in a backup: all of its mixtapes, or none where one cannot be.

        Args:
            existing: what becomes of mixtapes that are here already and not the same, see
                `carry_out`. Before any is replaced, a backup of them all is made.
            lets_in: whether people and devices are added that are not here, see `restore_people`.

        Raises:
            BackupError: the file is no backup, or damaged; nothing was changed.
        """
        with Archive(file) as archive:
            with self._database.read() as session:
                preview = self._preview(session, archive)
            is_replacing = existing == "replace" and preview.plan.conflicts
            safety = self._save_what_is_here() if is_replacing else None
            for key in preview.new_covers:
                self._put_back(archive, key)
            # Made again here: what was saved since must not be overwritten unseen.
            with self._database.write() as session:
                # People first, so that mixtapes find whose they are.
                people = restore_people(session, self._people(archive), lets_in=lets_in)
                restored = carry_out(session, make_plan(session, archive.backup), existing)
        return Outcome(restored, people, len(preview.new_covers), safety)

    def _preview(self, session: Session, archive: Archive) -> Preview:
        new = [key for key in sorted(archive.cover_keys) if not self._artwork.is_known(key)]
        plan = make_plan(session, archive.backup)
        return Preview(plan, plan_people(session, self._people(archive)), tuple(new))

    def _people(self, archive: Archive) -> Iterator[Person]:
        return read_people(archive, self._sealer, self._now())

    def _put_back(self, archive: Archive, key: str) -> None:
        try:
            self._artwork.put_back(key, archive.read_cover(key))
        except PictureError as error:
            raise BackupError(
                Message(
                    "covers/%(key)s.jpg in it cannot be shown: %(reason)s", key=key, reason=error
                )
            ) from error
        except OSError as error:
            raise BackupError(
                Message("no picture can be read now: %(reason)s: try again", reason=error)
            ) from error

    def _save_what_is_here(self) -> Path:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{_SAFETY}{self._now():%Y-%m-%d-%H%M%S-%f}.zip"
        self.save(path)
        for old in sorted(self._folder.glob(f"{_SAFETY}*.zip"))[:-_SAFETIES_KEPT]:
            old.unlink(missing_ok=True)
        return path


@contextlib.contextmanager
def _written_whole(path: Path) -> Iterator[IO[bytes]]:
    # mkstemp lets nobody but its owner read it: the links in it are secrets.
    handle, temp = tempfile.mkstemp(prefix=".backup-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, path)
    except BaseException:
        Path(temp).unlink(missing_ok=True)
        raise
