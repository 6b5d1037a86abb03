"""Covers in the sizes that pages show: found by their key, made once, kept; and those uploaded."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Final

from sqlalchemy import delete, select

from audio_cache import MusicRoots, Roots, file_of

from ..database.tables import Track, Upload
from ..database.units_of_work import Database
from ..errors import NotFoundError, PictureError
from ..files.names import display_name, reading_order
from ..files.opening import identity_of
from ..files.pictures import (
    MAX_BYTES,
    accept_upload,
    check_picture,
    make_icon,
    picture_key,
    read_picture,
    shrink,
)
from ..files.walk import FoundFolder, get_folder
from ..messages import Message
from .comparison import folder_cover_key

SIZES: Final = (96, 320, 640)
SMALL, MIDDLE, LARGE = SIZES
SIZES_TEXT: Final = ", ".join(map(str, SIZES))
# App icons: their sizes, and whether a system may cut off their margin.
ICONS: Final = {
    "icon-180": (180, False),
    "icon-192": (192, False),
    "icon-512": (512, False),
    "icon-maskable-512": (512, True),
}
CACHE_FOLDER: Final = Path("cache", "covers")
UPLOAD_FOLDER: Final = Path("covers")
UPLOAD_GRACE_S: Final = 24 * 3600.0
_TRACKS_TRIED: Final = 3
_SWEPT_AT_ONCE: Final = 500
_KEY: Final = re.compile("[0-9a-f]{32}")


class Artwork:
    """Gives covers by key, that of a track (`Track.cover_key`) or an upload, and those of folders.

    A key stands for one picture for ever, so that whoever has a copy never needs to ask again.
    Everything below `cache/covers` may be deleted at any time. Uploads are in the database; those
    of earlier versions are in `covers`, of which there is no other copy.

    Args:
        database: holds the uploads; tracks are looked up there by the key of their cover.
        music_root: the folder with the music, or several.
        data_root: the folder that covers are kept in.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        music_root: Roots,
        data_root: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._now = now
        self._roots = MusicRoots.of(music_root)
        self._cache = data_root / CACHE_FOLDER
        self._uploads = data_root / UPLOAD_FOLDER

    def get_cover(self, key: str, size: int) -> Path:
        """Return a JPEG file of a cover that fits a square of `size` pixels.

        Args:
            key: from a track, a mixtape or `add_upload`.
            size: one of SIZES.

        Raises:
            NotFoundError: no track and no upload has this cover, or its picture is damaged.
            ValueError: the size is none of SIZES.
        """
        if not _KEY.fullmatch(key):
            raise NotFoundError(Message("no cover has such a key"))
        try:
            kept = self._keep(key, size, lambda: self._find_picture(key))
        except (PictureError, OSError) as error:
            raise NotFoundError(
                Message("cover %(key)s cannot be shown: %(reason)s", key=key, reason=error)
            ) from error
        if kept is None:
            raise NotFoundError(Message("there is no cover %(key)s", key=key))
        return kept

    def get_icon(self, cover: Path, name: str) -> Path:
        """Return a PNG file of a cover as an app icon, which is kept beside it.

        Args:
            cover: a file that this or `Collages` gave.
            name: one of ICONS.

        Raises:
            NotFoundError: the file is damaged or gone.
        """
        kept = cover.with_name(f"{cover.stem}_{name}.png")
        if not kept.exists():
            edge, is_maskable = ICONS[name]
            try:
                icon = make_icon(cover.read_bytes(), edge, is_maskable=is_maskable)
            except (PictureError, OSError) as error:
                raise NotFoundError(
                    Message("%(name)s cannot be an icon: %(reason)s", name=cover.name, reason=error)
                ) from error
            _write_whole(kept, icon)
        return kept

    def find_folder_cover(self, path: bytes, size: int) -> Path | None:
        """Return a JPEG file of the cover of a folder, scanned or not; None where it has none.

        That is its picture file, as one place to look is quicker than every track; without one it
        is the picture inside one of its first tracks.

        Raises:
            NotFoundError: there is no such folder.
            ValueError: the size is none of SIZES.
        """
        try:
            folder = get_folder(self._roots, path)
        except NotFoundError:
            if self._roots.is_one(path):
                return None  # its disk is away, and it is listed all the same
            raise
        picture = None if folder.cover else self._first_picture(folder)
        key = picture_key(picture) if picture else folder_cover_key(folder.cover)
        if key is None:
            return None
        try:
            return self._keep(key, size, lambda: picture or self._read_folder_cover(folder))
        except (PictureError, OSError):
            return None

    def keep_made(self, key: str, name: int | str, make: Callable[[], bytes]) -> Path:
        """Return the file of a picture under a key, which is made where it is not there."""
        kept = self._cache / key[:2] / f"{key}_{name}.jpg"
        if not kept.exists():
            _write_whole(kept, make())
        return kept

    def add_upload(self, picture: bytes) -> str:
        """Keep an uploaded picture and return its key.

        Raises:
            PictureError: it is not accepted; the message says why and what is.
        """
        encoded = accept_upload(picture)
        key = picture_key(encoded)
        with self._database.write() as session:
            # Written even if it is there: its new date saves it from being swept as unused.
            session.merge(Upload(key=key, picture=encoded, added_at=self._now()))
        return key

    def upload_keys(self) -> set[str]:
        """Return the keys of all uploads."""
        files = {path.stem for path in self._uploads.glob("*/*.jpg")}
        with self._database.read() as session:
            return files.union(session.scalars(select(Upload.key)))

    def find_upload(self, key: str) -> bytes | None:
        """Return an upload as it is kept, a JPEG; None where there is none with this key."""
        with contextlib.suppress(OSError), self._upload_path(key).open("rb") as file:
            return _read_limited(file)
        with self._database.read() as session:
            return session.scalars(select(Upload.picture).where(Upload.key == key)).one_or_none()

    def is_known(self, key: str) -> bool:
        """Say whether an upload or a track in the library has this key."""
        if not _KEY.fullmatch(key):
            return False
        return self.find_upload(key) is not None or self._find_track(key) is not None

    def put_back(self, key: str, picture: bytes) -> None:
        """Keep a picture of a backup under the key that it had.

        It may be of any origin, so it is decoded before; what is kept is never sent as it is.

        Raises:
            PictureError: it is too large, no JPEG, or damaged.
        """
        check_picture(picture)
        with self._database.write() as session:
            session.merge(Upload(key=key, picture=picture, added_at=self._now()))

    def sweep_uploads(self, in_use: Iterable[str], *, grace_s: float = UPLOAD_GRACE_S) -> int:
        """Delete uploads that nothing uses and return how many.

        Args:
            in_use: the keys to keep, those of `Mixtapes.cover_keys` and `Drafts.cover_keys`.
            grace_s: those younger than this stay: their mixtape may not be saved yet.
        """
        keep, before = set(in_use), self._now() - timedelta(seconds=grace_s)
        old = select(Upload.key).where(Upload.added_at < before)
        with self._database.write() as session:
            unused = [key for key in session.scalars(old) if key not in keep]
            for at in range(0, len(unused), _SWEPT_AT_ONCE):
                some = unused[at : at + _SWEPT_AT_ONCE]
                session.execute(delete(Upload).where(Upload.key.in_(some)))
        swept = len(unused)
        for path in self._uploads.glob("*/*.jpg"):
            if path.stem not in keep and path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
                swept += 1
        return swept

    def _keep(self, key: str, size: int, find: Callable[[], bytes | None]) -> Path | None:
        """Return the file of a cover, made where it is not there of the picture that `find` gives.

        A picture that cannot be made small is noted and not tried again: its key stands for it
        alone, so that a file that was changed has another.

        Raises:
            PictureError: the picture is damaged.
        """
        if size not in SIZES:
            raise ValueError(f"no covers of size {size}: choose one of {SIZES_TEXT}")
        kept = self._cache / key[:2] / f"{key}_{size}.jpg"
        if kept.exists():
            return kept
        failed = kept.with_name(f"{key}.failed")
        if failed.exists():
            raise PictureError(Message.known(failed.read_text("utf-8", "replace")))
        picture = find()
        if picture is None:
            return None
        try:
            small = shrink(picture, size)
        except PictureError as error:
            _write_whole(failed, str(error).encode("utf-8", "replace"))
            raise
        _write_whole(kept, small)
        return kept

    def _upload_path(self, key: str) -> Path:
        return self._uploads / key[:2] / f"{key}.jpg"

    def _find_picture(self, key: str) -> bytes | None:
        upload = self.find_upload(key)
        if upload is not None:
            return upload
        track = self._find_track(key)
        if track is None:
            return None
        if track.picture_key == key:
            return self._read_picture(track.path)
        folder = get_folder(self._roots, track.folder)
        if folder_cover_key(folder.cover) != key:
            return None  # changed since the last scan; the next one gives it its new key
        return self._read_folder_cover(folder)

    def _read_folder_cover(self, folder: FoundFolder) -> bytes | None:
        if folder.cover is not None:
            with (
                contextlib.suppress(OSError),
                self._roots.opened(folder.cover.path) as (_, descriptor),
                open(descriptor, "rb", closefd=False) as file,
            ):
                return _read_limited(file)
        return None

    def _read_picture(self, path: bytes) -> bytes | None:
        """Return the picture in a track, which may have become a link to elsewhere by now."""
        with contextlib.suppress(OSError), self._roots.opened(path) as (place, descriptor):
            return read_picture(Path(file_of(place)), identity_of(descriptor))
        return None

    def _first_picture(self, folder: FoundFolder) -> bytes | None:
        tracks = sorted(folder.files, key=lambda file: reading_order(display_name(file.path)))
        pictures = (self._read_picture(track.path) for track in tracks[:_TRACKS_TRIED])
        return next(filter(None, pictures), None)

    def _find_track(self, key: str) -> Track | None:
        present = select(Track).where(Track.cover_key == key, Track.missing_since.is_(None))
        with self._database.read() as session:
            return session.scalars(present.limit(1)).one_or_none()


def _read_limited(file: IO[bytes]) -> bytes | None:
    content = file.read(MAX_BYTES + 1)
    return content if len(content) <= MAX_BYTES else None


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temp = tempfile.mkstemp(prefix=".cover-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, path)
    except BaseException:
        Path(temp).unlink(missing_ok=True)
        raise
