"""The objects of the store: complete renditions under their ids, in a local directory."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import blake3

from ..encoding.rendition import RENDITION_ID, audio_key
from .entry import PARTIAL_FOLDER, PARTIAL_SUFFIX, PRIVATE_FILE, SHARED_FILE
from .object_store import StoredObject

OBJECTS_FOLDER: Final = "objects"
HEADS_FOLDER: Final = "heads"
_SHARD_DIGITS: Final = 2
_READ_BYTES: Final = 1 << 16
_HASHED_AT_ONCE: Final = 1 << 20
# File systems without hard links, or a file that has as many as it can have.
_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
)


class LocalObjects:
    """Renditions by id, in a directory of their own below the cache's.

    An object is complete from the moment that it has its name. The names of the contract are hard
    links to objects, where the file system has those, and else symbolic links.

    Args:
        cache_dir: the directory of the cache.
        folder: where in it they lie.
        is_shared: whether other users of the system may read them.
    """

    def __init__(
        self, cache_dir: Path, folder: str = OBJECTS_FOLDER, *, is_shared: bool = False
    ) -> None:
        self._is_shared = is_shared
        self.root = os.path.join(cache_dir, folder)
        self._partials = os.path.join(cache_dir, PARTIAL_FOLDER)

    def path(self, object_id: str) -> str:
        """Return where an object lies, or would."""
        # Not by os.path.join, which takes five times as long: every hit passes here.
        return f"{self.root}{os.sep}{object_id[:_SHARD_DIGITS]}{os.sep}{object_id}"

    def has(self, object_id: str) -> bool:
        """Say whether an object is there."""
        return os.path.exists(self.path(object_id))

    @contextlib.contextmanager
    def new_file(self, object_id: str) -> Iterator[BinaryIO]:
        """Open a file to be written and then `put`; where it is not put, it is deleted."""
        path = self._temporary(object_id)
        with open(path, "wb", opener=_open_privately) as file:
            # As an encoder's, so that nobody deletes it as abandoned.
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield file
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)

    def stat(self, object_id: str) -> StoredObject | None:
        """Return what the file system says of an object; None where it is not there."""
        with contextlib.suppress(FileNotFoundError):
            return _describe(object_id, os.stat(self.path(object_id)))
        return None

    def open_range(self, object_id: str, start: int, stop: int) -> Iterator[bytes]:
        """Return the bytes [start, stop) of an object, in pieces; fewer where it ends before.

        Raises:
            FileNotFoundError: there is no such object.
        """
        pieces = _read_range(self.path(object_id), start, stop)
        # Opens the file; a generator that has begun closes it, even if nobody reads on.
        next(pieces)
        return pieces

    def put(self, source: str | os.PathLike[str], object_id: str) -> None:
        """Make a complete file on the same disk an object; it is synced and loses its old name.

        Raises:
            OSError: the directory cannot be written.
        """
        path = self.path(object_id)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if self._is_shared:
            os.chmod(source, SHARED_FILE)
        os.replace(source, path)
        sync_directory(os.path.dirname(path))

    def put_copy(self, source: str | os.PathLike[str], object_id: str) -> None:
        """Make a copy of a complete file an object, as `put`; the file stays."""
        with self.new_file(object_id) as new, open(source, "rb") as old:
            shutil.copyfileobj(old, new)
            self.put_new(new, object_id)

    def put_new(self, file: BinaryIO, object_id: str) -> None:
        """Make a file of `new_file`, in which all is written, an object."""
        file.flush()
        os.fsync(file.fileno())
        self.put(file.name, object_id)

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
                    # What is still being written there has another name.
                    if item.name.startswith(prefix) and RENDITION_ID.fullmatch(item.name):
                        with contextlib.suppress(FileNotFoundError):
                            yield _describe(item.name, item.stat())

    def of_audio(self, audio: str) -> list[str]:
        """Return the ids of all that was made of some audio, the newest first."""
        found = sorted(self.scan(audio_key(audio)), key=lambda each: -each.mtime_ns)
        return [each.id for each in found]

    def link(self, object_id: str, name: str) -> None:
        """Give an object a name of the contract, in place of what has that name now.

        Raises:
            OSError: the object is not there, or the directory cannot be written.
        """
        temporary = self._temporary(os.path.basename(name))
        try:
            try:
                os.link(self.path(object_id), temporary)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._link_symbolically(object_id, temporary, name)
            os.replace(temporary, name)
        finally:
            # Where both are links to the same file already, rename leaves the other name alone.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    def _temporary(self, name: str) -> str:
        """Return an unused name in the directory of partials, where what is left over is swept."""
        os.makedirs(self._partials, exist_ok=True)
        unique = f"{name}.{os.getpid()}-{threading.get_ident()}{PARTIAL_SUFFIX}"
        path = os.path.join(self._partials, unique)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return path

    def _link_symbolically(self, object_id: str, temporary: str, name: str) -> None:
        try:
            os.symlink(os.path.relpath(self.path(object_id), os.path.dirname(name)), temporary)
        except OSError:
            # No links of either kind, as on FAT: the name is a copy.
            shutil.copyfile(self.path(object_id), temporary)

    def _shards(self, prefix: str) -> list[str]:
        if len(prefix) >= _SHARD_DIGITS:
            return [os.path.join(self.root, prefix[:_SHARD_DIGITS])]
        with contextlib.suppress(FileNotFoundError), os.scandir(self.root) as listing:
            return sorted(item.path for item in listing if item.name.startswith(prefix))
        return []


def _open_privately(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


def _describe(object_id: str, status: os.stat_result) -> StoredObject:
    return StoredObject(object_id, status.st_size, status.st_mtime_ns, status.st_nlink)


def _read_range(path: str, start: int, stop: int) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        file.seek(start)
        yield b""
        while start < stop and (data := file.read(min(_READ_BYTES, stop - start))):
            start += len(data)
            yield data


def sync_directory(path: str | os.PathLike[str]) -> None:
    """Let a directory's entries survive a loss of power."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def hash_open_file(fd: int) -> str:
    """Return the BLAKE3 of all that an open file holds; its position stays where it is."""
    digest = blake3.blake3()
    at = 0
    while data := os.pread(fd, _HASHED_AT_ONCE, at):
        digest.update(data)
        at += len(data)
    return digest.hexdigest()


def hash_file(path: Path | str) -> str:
    """Return the BLAKE3 of a file.

    Raises:
        OSError: it cannot be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return hash_open_file(fd)
    finally:
        os.close(fd)
