"""Seeks: the encoders of listeners who have jumped ahead of a growing file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..encoding.ffmpeg import FFmpegRun

if TYPE_CHECKING:
    from .growing_file import GrowingFile

# Between the decision to seek and a running ffmpeg, only the system can cause a delay.
_STARTS_WITHIN_S: Final = 5.0
# Who takes nothing for so long makes place for others; a player that is paused, say.
_STALLED_AFTER_S: Final = 5.0
# A proxy that nobody declared may stand for many.
_UNCOUNTED: Final = frozenset({"127.0.0.1", "::1"})


class Seek:
    """The encoder for one listener's jump ahead, until it is done or a newer seek replaces it.

    It takes one of the encoders' places and gives it back exactly once.
    """

    def __init__(self, free_place: Callable[[], None]) -> None:
        self._free_place = free_place
        self._lock = threading.Lock()
        self._started = threading.Event()
        self._over = threading.Event()
        self._run: FFmpegRun | None = None
        self._has_place = False
        self._ended = False
        self.read_at = time.monotonic()

    @property
    def has_ended(self) -> bool:
        """Say whether its encoder was ended, so that it has no place any more."""
        return self._ended

    def take(self, take_place: Callable[[], bool]) -> bool:
        """Take a place for the encoder; say whether one was free and the seek is still wanted."""
        with self._lock:
            self._has_place = not self._ended and take_place()
            return self._has_place

    def hold(self, run: FFmpegRun) -> None:
        """Remember the ffmpeg that encodes for this seek."""
        with self._lock:
            self._run = run
            is_over = self._ended
        if is_over:
            run.kill()
        self._started.set()

    def end(self) -> None:
        """End the ffmpeg; the stream that reads from it goes on from the growing file.

        When this returns, no ffmpeg is running for this seek or for those that it replaced, so a
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
    """The seeks in progress: only the newest per listener and rendition, so that none pile up.

    Args:
        take_place: takes one of the encoders' places and says whether one was free.
        free_place: gives it back.
        most_of_address: how many of them may be of one address at once.
    """

    def __init__(
        self, take_place: Callable[[], bool], free_place: Callable[[], None], most_of_address: int
    ) -> None:
        self._take_place = take_place
        self._most_of_address = most_of_address
        self._free_place = free_place
        self._lock = threading.Lock()
        # By entry: a file that is abandoned and restarted is another object for the same entry.
        self._newest: dict[tuple[str, Path], Seek] = {}
        self._all: dict[Seek, str] = {}
        self._closed = False

    def begin(self, listener: str, growing: GrowingFile) -> Seek | None:
        """Return a new seek of a listener, after ending the previous one; None if no place is free.

        A listener without a name ("") counts as a different one each time. An address that has as
        many seeks as it may gives up the one that was read least lately.
        """
        seek = Seek(self._free_place)
        address = listener.partition(" ")[0]
        if address in _UNCOUNTED:
            address = ""
        with self._lock:
            if self._closed:
                return None
            before = self._newest.get((listener, growing.entry)) if listener else None
            others = [each for each in self._under_way() if address == self._all[each] != ""]
            self._all[seek] = address
            if listener:
                self._newest[listener, growing.entry] = seek
        if before is not None:
            before.end()
        elif len(others) >= self._most_of_address:
            min(others, key=_read_at).end()
        if seek.take(self._take_place) or (self.end_stalled() and seek.take(self._take_place)):
            # Otherwise a listener who pauses could keep an encoder waiting for ever.
            growing.when_complete(seek.end)
            return seek
        self.finish(listener, growing, seek)
        return None

    def finish(self, listener: str, growing: GrowingFile, seek: Seek) -> None:
        """Forget a seek whose encoder has ended, and wake those who waited for it."""
        seek.finish()
        with self._lock:
            self._all.pop(seek, None)
            if self._newest.get((listener, growing.entry)) is seek:
                del self._newest[listener, growing.entry]
        growing.wake()

    def end_stalled(self) -> bool:
        """End a seek whose bytes nobody has taken for a while; say whether there was one."""
        with self._lock:
            seek = min(self._under_way(), key=_read_at, default=None)
        if seek is None or time.monotonic() - seek.read_at < _STALLED_AFTER_S:
            return False
        seek.end()
        return True

    def _under_way(self) -> list[Seek]:
        # One that was ended is forgotten only when its listener asks for more.
        return [each for each in self._all if not each.has_ended]

    def is_seeking(self, listener: str, growing: GrowingFile) -> bool:
        """Say whether a listener has a seek in progress."""
        with self._lock:
            return (listener, growing.entry) in self._newest

    def count(self) -> int:
        """Return how many seeks are in progress."""
        with self._lock:
            return len(self._all)

    def close(self) -> None:
        """End the encoders of all seeks and start no more, for a shutdown."""
        with self._lock:
            self._closed = True
            seeks = list(self._all)
        for seek in seeks:
            seek.end()


def _read_at(seek: Seek) -> float:
    return seek.read_at
