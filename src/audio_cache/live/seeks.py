"""Seeks: the encoders of listeners who have jumped ahead of a growing file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..encoding.ffmpeg import FFmpegRun

if TYPE_CHECKING:
    from .growing_file import GrowingFile

# Between the decision to seek and a running ffmpeg there is nothing to wait for but the system.
_STARTS_WITHIN_S: Final = 5.0


class Seek:
    """The encoder that one listener's jump ahead may have, until it is done or taken over.

    It holds one of the places for encoders, and gives that back exactly once.
    """

    def __init__(self, free_place: Callable[[], None]) -> None:
        self._free_place = free_place
        self._lock = threading.Lock()
        self._started = threading.Event()
        self._over = threading.Event()
        self._run: FFmpegRun | None = None
        self._has_place = False
        self._ended = False

    def take(self, take_place: Callable[[], bool]) -> bool:
        """Take a place for the encoder; say whether there was one, and the seek still wanted."""
        with self._lock:
            self._has_place = not self._ended and take_place()
            return self._has_place

    def hold(self, run: FFmpegRun) -> None:
        """Take note of the ffmpeg that encodes for this seek."""
        with self._lock:
            self._run = run
            is_over = self._ended
        if is_over:
            run.kill()
        self._started.set()

    def end(self) -> None:
        """End the ffmpeg; the stream that reads it goes on from the growing file.

        When this returns no ffmpeg of this seek runs, nor of one that it was to replace, so that a
        later one may start.
        """
        with self._lock:
            is_first, self._ended = not self._ended, True
            has_place, self._has_place = self._has_place, False
        if not is_first:
            self._over.wait(_STARTS_WITHIN_S)
            return
        self._started.wait(_STARTS_WITHIN_S)
        if self._run is not None:
            self._run.kill()
        if has_place:
            self._free_place()
        self._over.set()

    def finish(self) -> None:
        """Give the place back; the stream has closed the ffmpeg, or never started one."""
        self._started.set()
        self.end()


class Seeks:
    """The seeks under way: one per listener and rendition, the newest, so that none pile up.

    Args:
        take_place: takes one of the places for encoders and says whether there was one.
        free_place: gives it back.
    """

    def __init__(self, take_place: Callable[[], bool], free_place: Callable[[], None]) -> None:
        self._take_place = take_place
        self._free_place = free_place
        self._lock = threading.Lock()
        # By entry: a file that is given up and begun anew is another object of the same entry.
        self._newest: dict[tuple[str, Path], Seek] = {}
        self._all: set[Seek] = set()
        self._closed = False

    def begin(self, listener: str, growing: GrowingFile) -> Seek | None:
        """Return a new seek of a listener, after ending the one before it.

        A listener without a name ("") is taken for a different one each time.

        Returns:
            None where no place for an encoder is free.
        """
        seek = Seek(self._free_place)
        with self._lock:
            if self._closed:
                return None
            before = self._newest.get((listener, growing.entry)) if listener else None
            self._all.add(seek)
            if listener:
                self._newest[listener, growing.entry] = seek
        if before is not None:
            before.end()
        if seek.take(self._take_place):
            # A listener who pauses would else keep an encoder waiting for as long as he likes.
            growing.when_complete(seek.end)
            return seek
        self.finish(listener, growing, seek)
        return None

    def finish(self, listener: str, growing: GrowingFile, seek: Seek) -> None:
        """Forget a seek whose encoder is gone, and wake who stood back for it."""
        seek.finish()
        with self._lock:
            self._all.discard(seek)
            if self._newest.get((listener, growing.entry)) is seek:
                del self._newest[listener, growing.entry]
        growing.wake()

    def is_seeking(self, listener: str, growing: GrowingFile) -> bool:
        """Say whether a listener has a seek under way."""
        with self._lock:
            return (listener, growing.entry) in self._newest

    def count(self) -> int:
        """Return how many seeks are under way."""
        with self._lock:
            return len(self._all)

    def close(self) -> None:
        """End the encoders of all seeks and begin no more, as a shutdown does."""
        with self._lock:
            self._closed = True
            seeks = list(self._all)
        for seek in seeks:
            seek.end()
