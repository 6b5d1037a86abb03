"""The growing file of an entry that is being made. Whoever holds its lock is its one encoder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ..encoding import mp3
from ..encoding.rendition import Rendition
from ..errors import EncodeError
from .entry import PARTIAL_FOLDER, PARTIAL_SUFFIX
from .objects import LocalObjects, sync_directory

_COPY_BYTES: Final = 1 << 20


def partial_path(entry: Path, rendition: Rendition) -> Path:
    """Return where the file of a rendition grows before it gets an entry's name."""
    name = f"{entry.name}.{rendition.token}{PARTIAL_SUFFIX}"
    return entry.parent / PARTIAL_FOLDER / name


class Partial:
    """A partial file, locked by this object until it is published, discarded or closed.

    The lock is the kernel's (flock) on the partial itself: it works over threads and processes, a
    killed encoder frees it at once, and it leaves no lock file behind.
    """

    def __init__(self, fd: int, entry: Path, rendition: Rendition) -> None:
        self._fd = fd
        self.entry = entry
        self._path = partial_path(entry, rendition)
        self.rendition = rendition
        self.size = os.fstat(fd).st_size

    @classmethod
    def lock(cls, entry: Path, rendition: Rendition, *, wait: bool) -> Partial | None:
        """Return the locked partial of an entry, created where there is none.

        Without `wait`, return None while another thread or process holds it. A partial of another
        rendition (older source, other encoder) is put aside, so that nobody who reads it is misled.

        Raises:
            OSError: the cache directory cannot be written.
        """
        path = partial_path(entry, rendition)
        while True:
            fd = _open_or_create(path)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(fd, path):
                    if _belongs(fd, rendition):
                        return cls(fd, entry, rendition)
                    os.unlink(path)
            except BlockingIOError:
                os.close(fd)
                return None
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    def __enter__(self) -> Partial:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def resume(self) -> int:
        """Cut the file behind its last whole group of intact frames; return how many stay.

        The last intact frame counts for nothing, since only a next one shows that it is whole.
        So the last group of all goes too, and encoding it again shows whether the source is sound.
        """
        rendition = self.rendition
        header = len(rendition.header)
        frames = 0
        if self.size >= header:
            bitrate = rendition.bitrate_bps
            frames = _intact_frames(self._fd, header, bitrate, rendition.frames)
            frames = mp3.group_start(max(0, frames - 1))
            self._cut(rendition.offset_of(frames))
        else:
            self._cut(0)
            self.append(rendition.header)
        return frames

    def append(self, data: bytes | memoryview) -> None:
        """Write bytes at the end of the file, where followers see them at once.

        Raises:
            OSError: the disk is full, or fails.
        """
        view = memoryview(data)
        while view:
            written = os.write(self._fd, view)
            self.size += written
            view = view[written:]

    def publish(self, objects: LocalObjects, object_id: str) -> None:
        """Make the complete file an object and give that its final name; then it is an entry.

        Raises:
            RuntimeError: the file is not as long as its rendition; this would be a defect of ours.
        """
        if self.size != self.rendition.length:
            raise RuntimeError(
                f"{self._path} has {self.size} bytes, its rendition {self.rendition.length}"
            )
        os.fsync(self._fd)
        objects.put(self._path, object_id)
        objects.link(object_id, os.fspath(self.entry))
        sync_directory(self.entry.parent)

    def discard(self) -> None:
        """Delete the file; nothing of it can be used."""
        if _is_at(self._fd, self._path):
            os.unlink(self._path)

    def close(self) -> None:
        """Free the lock; what is there stays for the next encoder to go on with."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _cut(self, size: int) -> None:
        os.ftruncate(self._fd, size)
        os.lseek(self._fd, 0, os.SEEK_END)
        self.size = size


def is_locked(path: Path) -> bool:
    """Say whether an encoder holds a partial file; a missing one is held by nobody."""
    try:
        # Read-only: closing it must not look like an encoder's close to those who watch the file.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(fd)


def delete_abandoned(path: Path, older_than_s: float) -> bool:
    """Delete a partial file unless it is young or an encoder holds it; say if it was."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_young = time.time() - os.fstat(fd).st_mtime < older_than_s
        if is_young or not _is_at(fd, path):
            return False
        path.unlink(missing_ok=True)
        return True
    except OSError:
        return False
    finally:
        os.close(fd)


@contextlib.contextmanager
def lock_free(renditions: Mapping[Path, Rendition]) -> Iterator[list[Partial]]:
    """Lock the partials of several entries, as far as nobody holds them; free them at the end.

    Nothing is waited for, so two who lock the same entries cannot wait for each other.

    Args:
        renditions: by the path of the entry.

    Raises:
        OSError: the cache directory cannot be written.
    """
    with contextlib.ExitStack() as stack:
        partials = []
        for entry in sorted(renditions):
            # Opening it for writing would wake those who watch it for its encoder's end.
            if not is_locked(partial_path(entry, renditions[entry])):
                partial = Partial.lock(entry, renditions[entry], wait=False)
                if partial is not None:
                    partials.append(stack.enter_context(partial))
        yield partials


MakeRoom = Callable[[Sequence[Partial]], None]


def fill(
    partial: Partial,
    encode: Callable[[int], Generator[bytes]],
    publish: Callable[[Partial], None],
    on_growth: Callable[[int], None] = lambda size: None,
    make_room: MakeRoom | None = None,
) -> None:
    """Make the entry of a locked partial, from where that ends.

    Args:
        partial: the locked partial of the entry.
        encode: gives the bytes of the frames from a frame on.
        publish: makes an entry of the complete file.
        on_growth: is told the size in bytes whenever the file has grown.
        make_room: makes room for what is still missing; else the disk must have that.

    Raises:
        EncodeError: the source or ffmpeg failed; the partial is gone.
        OSError: the disk is full or fails; the partial is gone, so that its space is free again.
    """
    try:
        frames = partial.resume()
        (make_room or require_space)([partial])
        on_growth(partial.size)
        if frames < partial.rendition.frames:
            with contextlib.closing(encode(frames)) as pieces:
                for data in pieces:
                    partial.append(data)
                    on_growth(partial.size)
        publish(partial)
    except (EncodeError, OSError):
        partial.discard()
        raise


def require_space(partials: Sequence[Partial]) -> None:
    """Raise OSError where the disk has no room for what these partials still need."""
    directory = partials[0].entry.parent
    size_bytes = sum(partial.rendition.length - partial.size for partial in partials)
    free = shutil.disk_usage(directory).free
    if free < size_bytes:
        raise OSError(
            errno.ENOSPC,
            f"the cache needs {size_bytes:,} bytes and the disk has {free:,} left: "
            "free some space, or clear the cache with `audio-cache clear`",
            os.fspath(directory),
        )


def _open_or_create(path: Path) -> int:
    """Open a partial file; make its directory where somebody has deleted that meanwhile."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o644)


def _is_at(fd: int, path: Path) -> bool:
    """Say whether a path still names the open file, and not a later one or none."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(fd), there)


def _belongs(fd: int, rendition: Rendition) -> bool:
    """Say whether a partial is of this rendition: all it holds of a header is this header."""
    start = os.pread(fd, len(rendition.header), 0)
    return rendition.header.startswith(start)


def _intact_frames(fd: int, header: int, bitrate_bps: int, frames: int) -> int:
    """Return how many frames behind the header are whole and where they must be."""
    kept = 0
    while kept < frames:
        at = header + mp3.frames_size(bitrate_bps, kept)
        audio = os.pread(fd, _COPY_BYTES, at)
        intact = mp3.intact_frames(bitrate_bps, audio, kept)
        kept += intact
        if not intact:
            break
    return min(kept, frames)
