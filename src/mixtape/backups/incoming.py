"""Backups that come from a browser, a piece at a time, to be looked into and then restored."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..errors import BackupError, NotFoundError
from ..messages import Message
from .archive import MAX_TOTAL_BYTES
from .backups import FOLDER

# Below what any request may hold.
PIECE_BYTES: Final = 8_000_000
KEPT_S: Final = 3600.0
_KEY: Final = re.compile("[A-Za-z0-9_-]{22}")
_PREFIX: Final = "incoming-"


class Incoming:
    """Keeps what is being uploaded, for an hour.

    Whole backups are larger than any other request. If such were taken, anybody could fill the
    disk before he is asked who he is; pieces are taken from owners alone.

    Args:
        data_root: below which they are kept.
        now_s: the clock, in seconds since 1970.
    """

    def __init__(self, data_root: Path, now_s: Callable[[], float] = time.time) -> None:
        self._folder = data_root / FOLDER
        self._now_s = now_s

    def begin(self) -> str:
        """Return the key of a new upload; old ones are deleted."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for old in self._folder.glob(f"{_PREFIX}*"):
            if old.stat().st_mtime < self._now_s() - KEPT_S:
                old.unlink(missing_ok=True)
        key = secrets.token_urlsafe(16)
        os.close(os.open(self._path(key), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return key

    def add(self, key: str, offset: int, piece: bytes) -> int:
        """Add a piece and return how many bytes there are.

        Args:
            offset: where it belongs; one that was sent twice is written twice to the same place.

        Raises:
            NotFoundError: there is no such upload.
            BackupError: what comes before it is missing, or it is larger than any backup.
        """
        path = self.path(key)
        if not 0 <= offset <= path.stat().st_size:
            raise BackupError(Message("a piece of the backup is missing: choose the file again"))
        if offset + len(piece) > MAX_TOTAL_BYTES:
            raise BackupError(
                Message("the file is larger than %(most)s GB", most=MAX_TOTAL_BYTES // 10**9)
            )
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(piece)
            file.truncate()
        return offset + len(piece)

    def path(self, key: str) -> Path:
        """Return the file of an upload. NotFoundError where there is none."""
        if not _KEY.fullmatch(key) or not self._path(key).exists():
            raise NotFoundError(Message("this upload is no longer there: choose the file again"))
        return self._path(key)

    def discard(self, key: str) -> None:
        """Delete an upload; nothing happens where there is none."""
        if _KEY.fullmatch(key):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{_PREFIX}{key}"
