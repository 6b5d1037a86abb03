"""A growing file: one writer, and any number of followers, each at its own pace."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from ..encoding.cancellation import Cancellation
from ..encoding.rendition import Rendition
from ..errors import EncodeInterruptedError, FFmpegNotFoundError, LiveUnavailableError
from .seeks import Seek, Seeks

_READ_BYTES: Final = 1 << 15
# Until the encoder's speed is measured: thirty times real time, which even slow machines reach.
_ASSUMED_SPEED: Final = 30.0
_MEASURABLE_S: Final = 0.1

# A seek costs a start of ffmpeg and four groups, so it is not worth it for less than this wait.
_WORTH_A_SEEK_S: Final = 0.2
_LOOK_AROUND_S: Final = 1.0
# Players ask for so much before they make a sound.
LEAD_BYTES: Final = 1 << 16
_START_WITHIN_S: Final = 30.0


class GrowingFile:
    """A rendition that is being made by this process or another, as far as this process knows.

    Readers never slow down the writer: they read the file, and wait here for it to grow.

    Args:
        rendition: what is being made.
        entry: where it will be when it is complete.
        on_unheard: called whenever the last reader leaves a file that is still growing.
        head: the first bytes, if they are at hand: they can be read before anything is made.
        explained: is entered where a listener has an encoder of his own, for errors to say more.

    Attributes:
        cancellation: ends the encoder from another thread.
        may_begin: is set once its encoder may begin; a seek goes first.
        error: why the file stopped growing, if it isn't complete.
        is_wanted: it is made for the cache too, so it goes on even if nobody listens.
    """

    def __init__(
        self,
        rendition: Rendition,
        entry: Path,
        on_unheard: Callable[[], None] = lambda: None,
        head: bytes = b"",
        explained: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self.rendition = rendition
        self.entry = entry
        self.head = head
        self.explained = explained
        self.cancellation = Cancellation()
        self.error: Exception | None = None
        self.is_wanted = False
        self._on_unheard = on_unheard
        self.may_begin = threading.Event()
        self._changed = threading.Condition()
        self._fds: list[int] = []
        self._size = 0
        self._readers = 0
        self._left_at = time.monotonic()
        self._ended = False
        self._began: tuple[float, int] | None = None
        self._at_end: list[Callable[[], None]] = []

    @property
    def size(self) -> int:
        """Return the bytes that can be read."""
        return max(self._size, len(self.head))

    @property
    def readers(self) -> int:
        """Return how many listeners are following the file."""
        return self._readers

    @property
    def unheard_s(self) -> float:
        """Return for how many seconds nobody has followed the file."""
        with self._changed:
            return 0.0 if self._readers else time.monotonic() - self._left_at

    @property
    def is_over(self) -> bool:
        """Say whether the file has stopped growing: it is complete or has failed."""
        return self._ended

    @property
    def is_unstored(self) -> bool:
        """Say whether there was no room for the file, so that who listens has to do without it."""
        is_of_disk = isinstance(self.error, OSError) and not isinstance(
            self.error, FFmpegNotFoundError
        )
        return self._ended and is_of_disk

    @property
    def has_audio(self) -> bool:
        """Say whether the encoder has shown that it can decode the source."""
        return self.size > len(self.rendition.header)

    def attach(self, path: Path) -> bool:
        """Read from this file from now on if it is the rendition; say whether it is."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        header = self.rendition.header
        try:
            is_ours = os.pread(fd, len(header), 0) == header
            size = os.fstat(fd).st_size
            # An earlier file stays open: somebody may be reading from it right now.
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
        """Tell the readers how large the file is now; ignored until a file is attached.

        A size may be smaller than the last: a new encoder cuts back to the last whole group.
        """
        with self._changed:
            if not self._fds:
                return
            self._size = size
            if self._began is None:
                self._began = (time.monotonic(), size)
            self._changed.notify_all()

    def wake(self) -> None:
        """Make everybody who is waiting check their condition again."""
        with self._changed:
            self._changed.notify_all()

    def _reads(self, fd: int) -> bool:
        """Say whether an open file is the one that is already being read."""
        return bool(self._fds) and os.path.samestat(os.fstat(self._fds[-1]), os.fstat(fd))

    def end(self, error: Exception | None = None) -> None:
        """Tell the readers that the file has stopped growing: it is complete or has failed."""
        with self._changed:
            self.error = error
            self._ended = True
            self._changed.notify_all()
            self._close_unread()
            at_end = [] if error else self._at_end
        for act in at_end:
            act()

    def when_complete(self, act: Callable[[], None]) -> None:
        """Call a function as soon as the whole file is there, which may be at once."""
        with self._changed:
            self._at_end.append(act)
            is_complete = self._ended and self.error is None
        if is_complete:
            act()

    def seconds_until(self, offset: int) -> float:
        """Estimate from the measured speed when the byte at an offset will be there."""
        with self._changed:
            missing, began, size = offset - self.size, self._began, self.size
        if missing < 0:
            return 0.0
        speed = self.rendition.bitrate_bps / 8 * _ASSUMED_SPEED
        if began is not None and time.monotonic() - began[0] > _MEASURABLE_S:
            speed = max(1.0, (size - began[1]) / (time.monotonic() - began[0]))
        return missing / speed

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition holds or the file stops growing; say whether it holds."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._ended, timeout_s)
            return condition()

    def read_at(self, start: int, stop: int) -> bytes:
        """Return bytes from `start` on, as many as are there and convenient; b"" if none are."""
        if start < len(self.head):
            return self.head[start : min(stop, start + _READ_BYTES)]
        with self._changed:
            if not self._fds or start >= self._size:
                return b""
            fd, size = self._fds[-1], self._size
        return os.pread(fd, min(_READ_BYTES, stop - start, size - start), start)

    def join(self) -> None:
        """Count one more reader."""
        with self._changed:
            self._readers += 1

    def leave(self) -> None:
        """Count one reader fewer; the last one closes a finished file."""
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


class Follower:
    """The bytes [start, stop) of a growing file, as they are made.

    Args:
        growing: the file; the follower is one of its readers.
        seeks: the seeks of all listeners.
        start, stop: which bytes.
        listener: who is asking; "" if unknown.
        is_gone: says whether the listener has left; called while there is nothing to send.
    """

    def __init__(
        self,
        growing: GrowingFile,
        seeks: Seeks,
        start: int,
        stop: int,
        listener: str = "",
        is_gone: Callable[[], bool] = lambda: False,
    ) -> None:
        self._growing = growing
        self._seeks = seeks
        self._at = start
        self._stop = stop
        self._listener = listener
        self._is_gone = is_gone
        self._was_overtaken = False

    def begin(self) -> FollowedBytes:
        """Return the bytes as an iterator, once the source has proved playable.

        Raises:
            Exception: the file's encoder failed with this; nothing can be played.
            LiveUnavailableError: it didn't start in time.
        """
        chunks = self._chunks()
        try:
            first = next(chunks, b"")
            if self._at <= len(self._growing.rendition.header):
                self._require_audio()
            if self._growing.is_unstored:
                # The header is known without any encoder.
                first += next(chunks, b"")
        except BaseException:
            chunks.close()
            raise
        return FollowedBytes(first, chunks, self._growing.leave)

    def _require_audio(self) -> None:
        growing = self._growing
        deadline = time.monotonic() + _START_WITHIN_S
        while not growing.wait_for(lambda: growing.has_audio, _LOOK_AROUND_S):
            if growing.is_unstored:
                return
            if growing.is_over and not growing.has_audio:
                raise growing.error or LiveUnavailableError("there is no audio in it")
            if time.monotonic() > deadline:
                raise LiveUnavailableError("the encoder did not start in time")
            self._require_listener()

    def _chunks(self) -> Generator[bytes]:
        header = self._growing.rendition.header
        if self._at < min(len(header), self._stop):
            start, self._at = self._at, min(len(header), self._stop)
            yield header[start : self._at]
        while self._at < self._stop:
            data = self._growing.read_at(self._at, self._stop)
            if data:
                self._at += len(data)
                yield data
            elif (seek := self._begin_seek()) is not None:
                yield from self._ahead(seek)
            else:
                self._wait()

    def _begin_seek(self) -> Seek | None:
        """Return a seek if the file won't get here soon and an encoder is available."""
        growing = self._growing
        if growing.is_unstored:
            # Each answer has an encoder of its own to its end: there is no file to fall back on.
            seek = self._seeks.begin("", growing)
            if seek is None:
                raise LiveUnavailableError("all encoders for listeners are busy")
            return seek
        if growing.is_over or growing.seconds_until(self._at) <= _WORTH_A_SEEK_S:
            return None
        if self._must_stand_back():
            return None
        # Somebody dragging a seek bar leaves most places before anything is encoded for them.
        self._require_listener()
        return self._seeks.begin(self._listener, growing)

    def _must_stand_back(self) -> bool:
        """Say whether another response for the same listener has taken the encoder.

        If both kept taking it back, neither would get far.
        """
        return self._was_overtaken and self._seeks.is_seeking(self._listener, self._growing)

    def _ahead(self, seek: Seek) -> Iterator[bytes]:
        """Yield bytes from an encoder of our own until the file's encoder has caught up."""
        growing, enough = self._growing, self._at + LEAD_BYTES
        try:
            pieces = growing.rendition.read(self._at, self._stop, on_start=seek.hold)
            with growing.explained(), contextlib.closing(pieces):
                for data in pieces:
                    self._at += len(data)
                    seek.read_at = time.monotonic()
                    if self._at >= enough:
                        growing.may_begin.set()
                    yield data
                    if growing.size > self._at:
                        return
        except EncodeInterruptedError:
            # A later seek of this listener has taken the encoder; the file will get here too.
            self._was_overtaken = True
        finally:
            growing.may_begin.set()
            self._seeks.finish(self._listener, growing, seek)

    def _wait(self) -> None:
        growing, stands_back = self._growing, self._must_stand_back()
        growing.may_begin.set()
        if growing.wait_for(
            lambda: growing.size > self._at or (stands_back and not self._must_stand_back()),
            _LOOK_AROUND_S,
        ):
            return
        if growing.is_unstored:
            return
        # In this order: once a file has ended, its size is final.
        if growing.is_over and growing.size <= self._at:
            raise growing.error or RuntimeError(f"{growing.entry} is shorter than its rendition")
        self._require_listener()

    def _require_listener(self) -> None:
        if self._is_gone():
            raise BrokenPipeError(errno.EPIPE, "the listener has left")


class FollowedBytes(Iterator[bytes]):
    """An iterator whose first item is there already; closing it releases its resources, once.

    Raises:
        BrokenPipeError: the listener has left, or the server is shutting down. Servers then
            close the connection without logging an error.
        Exception: the encoder failed with this; what was sent so far is incomplete.
    """

    def __init__(self, first: bytes, rest: Generator[bytes], release: Callable[[], None]) -> None:
        self._first = first
        self._rest = rest
        self._release: Callable[[], None] | None = release

    def __next__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        try:
            return next(self._rest)
        except EncodeInterruptedError as error:
            raise BrokenPipeError(errno.EPIPE, str(error)) from error

    def close(self) -> None:
        """End the encoder of a seek if there is one, and stop following."""
        release, self._release = self._release, None
        if release is not None:
            try:
                self._rest.close()
            finally:
                release()

    def __del__(self) -> None:
        self.close()
