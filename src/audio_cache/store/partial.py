"""A partial: the unfinished file of an entry. Whoever holds its lock is its only encoder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import logging
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ..encoding import mp3
from ..encoding.ffmpeg import FFmpegRun
from ..encoding.rendition import Rendition
from ..errors import EncodeError
from .entry import PARTIAL_FOLDER, PARTIAL_SUFFIX, PRIVATE_FILE, count_intact_frames, read_entry
from .objects import LocalObjects, hash_open_file, sync_directory

_COPY_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Growing:
    """A partial file.

    Args:
        path: of the file.
        size_bytes: that it has now.
        whole_bytes: that it will have, where an encoder is at it; else what it has.
    """

    path: Path
    size_bytes: int
    whole_bytes: int
    is_locked: bool


def partial_path(entry: Path, rendition: Rendition) -> Path:
    """Return where the file of a rendition grows before it gets an entry's name."""
    name = f"{entry.name}.{rendition.token}{PARTIAL_SUFFIX}"
    return entry.parent / PARTIAL_FOLDER / name


class Partial:
    """A partial file, locked by this object until it is published, discarded or closed.

    The lock is the kernel's (flock) on the partial itself: it works across threads and processes,
    a killed encoder releases it at once, and it leaves no lock file behind.
    """

    def __init__(self, fd: int, entry: Path, rendition: Rendition) -> None:
        self._fd = fd
        self.entry = entry
        self._path = partial_path(entry, rendition)
        self.rendition = rendition
        self.size = os.fstat(fd).st_size
        self.is_resumed = False

    @classmethod
    def lock(cls, entry: Path, rendition: Rendition, *, wait: bool) -> Partial | None:
        """Return the locked partial of an entry, creating it if there is none.

        Without `wait`, return None if another thread or process holds it. A partial of another
        rendition (older source, other encoder) is unlinked, so that its readers aren't misled.

        Raises:
            OSError: the cache directory can't be written to.
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
        """Cut the file after its last whole group of intact frames; return how many frames stay.

        The last intact frame doesn't count, since only the next one shows that it is whole. So the
        very last group goes too, and encoding it again shows whether the source is sound.
        """
        rendition = self.rendition
        header = len(rendition.header)
        frames = 0
        if self.size >= header:
            bitrate = rendition.bitrate_bps
            frames = count_intact_frames(self._fd, header, bitrate, rendition.frames)
            frames = mp3.group_start(max(0, frames - 1))
            self._cut(rendition.offset_of(frames))
        else:
            self._cut(0)
            self.append(rendition.header)
        self.is_resumed = frames > 0
        return frames

    def take_over(self, beginning: bytes) -> int:
        """Write the first bytes of the rendition; return how many frames of them count.

        Raises:
            OSError: the disk is full, or fails.
        """
        self._cut(0)
        self.append(beginning)
        return self.resume()

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

    def checksum(self) -> str:
        """Return the BLAKE3 of the file as it is now."""
        return hash_open_file(self._fd)

    def publish(self, objects: LocalObjects, object_id: str) -> None:
        """Make the complete file an object and give that its final name; then it is an entry.

        Raises:
            RuntimeError: the file isn't as long as its rendition, which would be a bug here.
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
        """Delete the file; none of it can be used."""
        if _is_at(self._fd, self._path):
            os.unlink(self._path)

    def close(self) -> None:
        """Release the lock; what is there stays, and the next encoder resumes it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _cut(self, size: int) -> None:
        os.ftruncate(self._fd, size)
        os.lseek(self._fd, 0, os.SEEK_END)
        self.size = size


def growing_files(cache_dir: Path) -> list[Growing]:
    """Return the partial files, with the sizes that those will have that are being made."""
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(cache_dir / PARTIAL_FOLDER) as listing:
        for item in listing:
            if item.name.endswith(PARTIAL_SUFFIX):
                with contextlib.suppress(OSError):
                    found.append(_growing(Path(item.path)))
    return found


def is_locked(path: Path) -> bool:
    """Say whether an encoder holds a partial file; nobody holds a missing one."""
    try:
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
    """Delete a partial file unless it is young or an encoder holds it; say whether it was."""
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
    """Lock those partials of several entries that nobody holds; release them at the end.

    This never waits, so two callers with the same entries cannot wait for each other.

    Args:
        renditions: by the path of the entry.

    Raises:
        OSError: the cache directory can't be written to.
    """
    with contextlib.ExitStack() as stack:
        partials = []
        for entry in sorted(renditions):
            partial = Partial.lock(entry, renditions[entry], wait=False)
            if partial is not None:
                partials.append(stack.enter_context(partial))
        yield partials


MakeRoom = Callable[[Sequence[Partial]], None]
OnStart = Callable[[FFmpegRun], None]


class Encode(Protocol):
    """Give the bytes of the frames from a frame on, as `Rendition.encode` does."""

    def __call__(self, first: int, /, *, on_start: OnStart) -> Generator[bytes]:
        """Give them.

        Args:
            first: that frame.
            on_start: is given each ffmpeg as soon as it runs.
        """


def fill(
    partial: Partial,
    encode: Encode,
    publish: Callable[[Partial], None],
    on_growth: Callable[[int], None] = lambda size: None,
    make_room: MakeRoom | None = None,
    head: bytes = b"",
    on_start: OnStart = lambda run: None,
) -> None:
    """Make the entry of a locked partial, from where that ends.

    Args:
        partial: the locked partial of the entry.
        encode: gives the bytes of the frames from a frame on.
        publish: makes an entry of the complete file.
        on_growth: is told the size in bytes whenever the file has grown.
        make_room: makes room for what is still missing; else the disk must have that.
        head: the first bytes, if they are at hand.
        on_start: is given each ffmpeg as soon as it runs.

    Raises:
        EncodeError: the source or ffmpeg failed; the partial was deleted.
        OSError: the disk is full or fails; the partial is gone, so that its space is free again.
    """
    # Once, however many ffmpegs it takes.
    room = functools.cache(functools.partial(make_room or require_space, [partial]))

    def start(run: FFmpegRun) -> None:
        on_start(run)
        room()

    try:
        frames = partial.resume()
        # Else while ffmpeg starts, which takes longer.
        if head or frames == partial.rendition.frames:
            room()
        if head and not frames:
            frames = partial.take_over(head)
        on_growth(partial.size)
        if frames < partial.rendition.frames:
            with contextlib.closing(encode(frames, on_start=start)) as pieces:
                for data in pieces:
                    partial.append(data)
                    on_growth(partial.size)
        publish(partial)
    except (EncodeError, OSError):
        partial.discard()
        raise


def require_space(partials: Sequence[Partial]) -> None:
    """Raise OSError if the disk has no room for what these partials still need."""
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
    """Open a partial file; create its directory if somebody has deleted it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, PRIVATE_FILE)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, PRIVATE_FILE)


def _is_at(fd: int, path: Path) -> bool:
    """Say whether a path still names the open file, rather than a later one or none."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(fd), there)


def _belongs(fd: int, rendition: Rendition) -> bool:
    """Say whether a partial is of this rendition: as far as it has a header, it is this one."""
    start = os.pread(fd, len(rendition.header), 0)
    return rendition.header.startswith(start)


def _growing(path: Path) -> Growing:
    size = os.stat(path).st_size
    if not is_locked(path):
        return Growing(path, size, size, is_locked=False)
    entry = read_entry(path)
    whole = entry.expected_size() if entry is not None else size
    return Growing(path, size, max(size, whole), is_locked=True)


def log_made(logger: logging.Logger, rendition: Rendition, started: float) -> None:
    """Log that a rendition was made, and in which time.

    Args:
        logger: where to.
        rendition: which.
        started: when that began, by the monotonic clock.
    """
    source, took_s = rendition.source, time.monotonic() - started
    words = "cached %r at %s: %d bytes instead of %d, in %.1f s"
    sizes = rendition.length, source.size_bytes
    logger.info(words, str(source.path), rendition.quality, *sizes, took_s)
