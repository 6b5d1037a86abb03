"""One listener's way through a growing file, with an encoder of its own where far ahead."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Generator, Iterator
from typing import Final

from ..errors import EncodeInterruptedError, LiveUnavailableError
from .growing_file import GrowingFile
from .seeks import Seek, Seeks

# A seek costs a start of ffmpeg and two groups: what the encoder reaches sooner is waited for.
_WORTH_A_SEEK_S: Final = 0.2
_LOOK_AROUND_S: Final = 1.0
_START_WITHIN_S: Final = 30.0


class Follower:
    """The bytes [start, stop) of a growing file, as they come to be.

    Args:
        growing: the file; the follower is one of its readers.
        seeks: the seeks of all listeners.
        start, stop: which bytes.
        listener: who asks; "" for somebody unknown.
        is_gone: says whether the listener has left, asked while there is nothing to send.
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
        """Return the bytes as an iterator, as soon as the source has shown that it can be played.

        Raises:
            Exception: whatever the encoder of the file failed with; nothing can be played.
            LiveUnavailableError: it did not start in time.
        """
        chunks = self._chunks()
        try:
            first = next(chunks, b"")
            self._require_audio()
        except BaseException:
            chunks.close()
            raise
        return FollowedBytes(first, chunks, self._growing.leave)

    def _require_audio(self) -> None:
        growing = self._growing
        deadline = time.monotonic() + _START_WITHIN_S
        while not growing.wait_for(lambda: growing.has_audio, _LOOK_AROUND_S):
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
        """Return a seek where the file will not be here soon and an encoder is to be had."""
        growing = self._growing
        if growing.is_over or growing.seconds_until(self._at) <= _WORTH_A_SEEK_S:
            return None
        if self._must_stand_back():
            return None
        # Who drags a seek bar has left most places before anything was encoded for them.
        self._require_listener()
        return self._seeks.begin(self._listener, growing)

    def _must_stand_back(self) -> bool:
        """Say whether another answer for the same listener has taken the encoder and holds it.

        To take it back would be a game of two in which neither gets far.
        """
        return self._was_overtaken and self._seeks.is_seeking(self._listener, self._growing)

    def _ahead(self, seek: Seek) -> Iterator[bytes]:
        """Yield bytes of an encoder of our own until the file's encoder has come as far."""
        growing = self._growing
        try:
            pieces = growing.rendition.read(self._at, self._stop, on_start=seek.hold)
            with contextlib.closing(pieces):
                for data in pieces:
                    self._at += len(data)
                    yield data
                    if growing.size > self._at:
                        return
        except EncodeInterruptedError:
            # A later seek of this listener has taken the encoder; the file will get here too.
            self._was_overtaken = True
        finally:
            self._seeks.finish(self._listener, growing, seek)

    def _wait(self) -> None:
        growing, stands_back = self._growing, self._must_stand_back()
        if growing.wait_for(
            lambda: growing.size > self._at or (stands_back and not self._must_stand_back()),
            _LOOK_AROUND_S,
        ):
            return
        # In this order: a file that is over has its last size.
        if growing.is_over and growing.size <= self._at:
            raise growing.error or RuntimeError(f"{growing.entry} is shorter than its rendition")
        self._require_listener()

    def _require_listener(self) -> None:
        if self._is_gone():
            raise BrokenPipeError(errno.EPIPE, "the listener has left")


class FollowedBytes(Iterator[bytes]):
    """An iterator with its first item in hand; closing it, once, releases what it held.

    Raises:
        BrokenPipeError: the listener has left, or the server is shutting down. Servers end the
            connection then without an entry in their error log.
        Exception: whatever the encoder failed with; what was sent so far is not all.
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
        """End the encoder of a seek where there is one, and stop following."""
        release, self._release = self._release, None
        if release is not None:
            try:
                self._rest.close()
            finally:
                release()

    def __del__(self) -> None:
        self.close()
