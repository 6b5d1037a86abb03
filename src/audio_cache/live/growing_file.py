"""A growing file: one writer, any number of readers, each at its own pace."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..encoding.cancellation import Cancellation
from ..encoding.rendition import Rendition

_READ_BYTES: Final = 1 << 15
# Before the encoder's speed is measured: thirty times real time, which slow machines reach too.
_ASSUMED_SPEED: Final = 30.0
_MEASURABLE_S: Final = 0.1


class GrowingFile:
    """What one process knows of a rendition that is being made, by itself or by another process.

    Readers never slow the writer: they read the file, and wait here for it to grow.

    Args:
        rendition: what grows.
        entry: where it will be when it is complete.
        on_unheard: is called whenever the last reader has left a file that still grows.

    Attributes:
        cancellation: ends the encoder from another thread.
        error: why the file grows no more, where that is not because it is complete.
        is_wanted: it is made for the cache too, so it goes on when nobody listens.
    """

    def __init__(
        self, rendition: Rendition, entry: Path, on_unheard: Callable[[], None] = lambda: None
    ) -> None:
        self.rendition = rendition
        self.entry = entry
        self.cancellation = Cancellation()
        self.error: Exception | None = None
        self.is_wanted = False
        self._on_unheard = on_unheard
        self._changed = threading.Condition()
        self._fds: list[int] = []
        self._size = 0
        self._readers = 0
        self._left_at = time.monotonic()
        self._ended = False
        self._began: tuple[float, int] | None = None

    @property
    def size(self) -> int:
        """Return the bytes that can be read."""
        return self._size

    @property
    def readers(self) -> int:
        """Return how many listeners follow the file at the moment."""
        return self._readers

    @property
    def unheard_s(self) -> float:
        """Return for how many seconds nobody has followed the file."""
        with self._changed:
            return 0.0 if self._readers else time.monotonic() - self._left_at

    @property
    def is_over(self) -> bool:
        """Say whether the file grows no more: it is complete or has failed."""
        return self._ended

    @property
    def has_audio(self) -> bool:
        """Say whether the encoder has shown that it can make audio of the source."""
        return self._size > len(self.rendition.header)

    def attach(self, path: Path) -> bool:
        """Read from a file from now on if it is this rendition; say whether it is."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        header = self.rendition.header
        try:
            is_ours = os.pread(fd, len(header), 0) == header
            size = os.fstat(fd).st_size
            # An earlier file stays open: somebody may be reading from it at this moment.
            if is_ours and not self._reads(fd):
                with self._changed:
                    self._fds.append(fd)
                fd = -1
        finally:
            if fd >= 0:
                os.close(fd)
        if is_ours:
            self.grow(size)
        return is_ours

    def grow(self, size: int) -> None:
        """Tell the readers how large the file is now; nothing is there before a file is attached.

        A size may be smaller than the one before: who takes over cuts to the last whole group.
        """
        with self._changed:
            if not self._fds:
                return
            self._size = size
            if self._began is None:
                self._began = (time.monotonic(), size)
            self._changed.notify_all()

    def wake(self) -> None:
        """Let all who wait look again at what they wait for."""
        with self._changed:
            self._changed.notify_all()

    def measure_size(self) -> None:
        """Ask the file system how large the file is, for a file that another process writes."""
        if self._fds:
            self.grow(os.fstat(self._fds[-1]).st_size)

    def _reads(self, fd: int) -> bool:
        """Say whether an open file is the one that is read from already."""
        return bool(self._fds) and os.path.samestat(os.fstat(self._fds[-1]), os.fstat(fd))

    def end(self, error: Exception | None = None) -> None:
        """Tell the readers that the file grows no more, because it is complete or failed."""
        with self._changed:
            self.error = error
            self._ended = True
            self._changed.notify_all()
            self._close_unread()

    def seconds_until(self, offset: int) -> float:
        """Estimate from the measured speed when the byte at an offset will be there."""
        with self._changed:
            missing, began, size = offset - self._size, self._began, self._size
        if missing < 0:
            return 0.0
        speed = self.rendition.bitrate_bps / 8 * _ASSUMED_SPEED
        if began is not None and time.monotonic() - began[0] > _MEASURABLE_S:
            speed = max(1.0, (size - began[1]) / (time.monotonic() - began[0]))
        return missing / speed

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition holds or the file grows no more; say if the condition holds."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._ended, timeout_s)
            return condition()

    def read_at(self, start: int, stop: int) -> bytes:
        """Return bytes from `start` on, as many as are there and convenient; b"" where none are."""
        with self._changed:
            if not self._fds or start >= self._size:
                return b""
            fd, size = self._fds[-1], self._size
        return os.pread(fd, min(_READ_BYTES, stop - start, size - start), start)

    def join(self) -> None:
        """Count one reader more."""
        with self._changed:
            self._readers += 1

    def leave(self) -> None:
        """Count one reader less; the last one closes a file that is done."""
        with self._changed:
            self._readers -= 1
            self._left_at = time.monotonic()
            self._close_unread()
            is_unheard = self._readers == 0 and not self._ended
        if is_unheard:
            self._on_unheard()

    def _close_unread(self) -> None:
        if self._ended and self._readers == 0:
            while self._fds:
                os.close(self._fds.pop())
