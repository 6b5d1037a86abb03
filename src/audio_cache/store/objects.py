"""The objects of the store: complete renditions under their ids, in a local directory."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..encoding.rendition import audio_key

_FOLDER: Final = "objects"
_SHARD_DIGITS: Final = 2
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{48}")
# File systems without hard links, or a file that has as many as it can have.
_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the store as its file system describes it."""

    id: str
    size_bytes: int
    mtime_ns: int
    links: int


class LocalObjects:
    """Renditions by id, in a directory of their own below the cache's.

    An object is complete from the moment that it has its name. The names of the contract are hard
    links to objects, where the file system has those, and else symbolic links.
    """

    def __init__(self, cache_dir: Path) -> None:
        self.root = os.path.join(cache_dir, _FOLDER)

    def path(self, object_id: str) -> str:
        """Return where an object lies, or would."""
        return os.path.join(self.root, object_id[:_SHARD_DIGITS], object_id)

    def has(self, object_id: str) -> bool:
        """Say whether an object is there."""
        return os.path.exists(self.path(object_id))

    def put(self, source: str | os.PathLike[str], object_id: str) -> None:
        """Make a complete file on the same disk an object; it is synced and loses its old name.

        Raises:
            OSError: the directory cannot be written.
        """
        path = self.path(object_id)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.replace(source, path)
        sync_directory(os.path.dirname(path))

    def delete(self, object_id: str) -> bool:
        """Delete an object; say whether it was there. Who reads it reads on undisturbed."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(object_id))
            return True
        return False

    def scan(self, prefix: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose ids begin with a prefix, in no particular order."""
        for shard in self._shards(prefix):
            with contextlib.suppress(FileNotFoundError), os.scandir(shard) as listing:
                for item in listing:
                    if item.name.startswith(prefix):
                        with contextlib.suppress(FileNotFoundError):
                            status = item.stat()
                            size, links = status.st_size, status.st_nlink
                            yield StoredObject(item.name, size, status.st_mtime_ns, links)

    def of_audio(self, audio: str) -> list[str]:
        """Return the ids of all that was made of some audio, the newest first."""
        found = sorted(self.scan(audio_key(audio)), key=lambda each: -each.mtime_ns)
        return [each.id for each in found]

    def link(self, object_id: str, name: str) -> None:
        """Give an object a name of the contract, in place of what has that name now.

        Raises:
            OSError: the object is not there, or the directory cannot be written.
        """
        temporary = f"{name}.{os.getpid()}.link"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        try:
            os.link(self.path(object_id), temporary)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._link_symbolically(object_id, temporary)
        os.replace(temporary, name)
        # Where both are links to the same file already, rename leaves the other name alone.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)

    def _link_symbolically(self, object_id: str, name: str) -> None:
        try:
            os.symlink(os.path.relpath(self.path(object_id), os.path.dirname(name)), name)
        except OSError:
            # No links of either kind, as on FAT: the name is a copy.
            shutil.copyfile(self.path(object_id), name)

    def _shards(self, prefix: str) -> list[str]:
        if len(prefix) >= _SHARD_DIGITS:
            return [os.path.join(self.root, prefix[:_SHARD_DIGITS])]
        with contextlib.suppress(FileNotFoundError), os.scandir(self.root) as listing:
            return sorted(item.path for item in listing if item.name.startswith(prefix))
        return []


def is_object_id(text: str) -> bool:
    """Say whether a text has the form of an object's id."""
    return _OBJECT_ID.fullmatch(text) is not None


def sync_directory(path: str | os.PathLike[str]) -> None:
    """Let a directory's entries survive a loss of power."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
