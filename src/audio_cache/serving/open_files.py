"""Files of the cache whose parts are asked for thick and fast, open for as long as they are.

Whatever asks the kernel about a file lets another thread have Python's interpreter meanwhile, and
to get it back takes longer than the question. So a file of which two parts are asked for within
a second is opened and looked at once a second, and not with each part.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Hashable
from typing import Final
from weakref import WeakSet

from ..sources.source import read_at
from .ranges import Representation

KEPT_S: Final = 1.0
# More at once are opened for each part.
_MOST: Final = 16
_MOST_NOTED: Final = 1024
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE)
Find = Callable[[], tuple[Representation, int] | None]


class OpenFile:
    """A file that is open until nobody holds this.

    Args:
        what: what it holds.
        fd: its file, which belongs to this.
        until_s: when it has to be opened anew.
    """

    __slots__ = ("fd", "until_s", "what")

    def __init__(self, what: Representation, fd: int, until_s: float) -> None:
        self.what, self.fd, self.until_s = what, fd, until_s

    def __del__(self) -> None:
        os.close(self.fd)

    def read(self, start: int, stop: int) -> bytes | None:
        """Return the bytes [start, stop); None where the file ends before.

        Raises:
            OSError: the file cannot be read.
        """
        data = read_at(self.fd, stop - start, start)
        return data if len(data) == stop - start else None

    def give(self, start: int, stop: int) -> list[bytes]:
        """Return the bytes [start, stop), as a body is made of.

        Raises:
            OSError: they cannot be read, or are no longer there.
        """
        data = self.read(start, stop)
        if data is None:
            raise OSError(errno.EIO, "The file has become shorter")
        return [data]


class OpenFiles:
    """Files, of which those are kept open that are asked for more than once a second.

    What is deleted keeps its room on the disk for one or two seconds, and goes on being given for
    one, where the key still is asked for.

    Args:
        clock: the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begin_anew()
        _all.add(self)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Hashable, OpenFile] = {}
        # When each that is not kept was asked for last.
        self._asked_s: dict[Hashable, float] = {}
        self._has_closer = False
        self._closing = threading.Event()

    def find(self, key: Hashable, find: Find) -> OpenFile | None:
        """Return an open file; None where there is none.

        Args:
            key: names a file and all that is said of it.
            find: opens the file of this key, and says what it holds; None where there is none.

        Raises:
            OSError: it cannot be opened.
        """
        now_s = self._clock()
        kept = self._kept.get(key)
        if kept is not None and now_s < kept.until_s:
            return kept
        try:
            stored = find()
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            self.close()
            stored = find()
        if stored is None:
            return None
        found = OpenFile(*stored, now_s + KEPT_S)
        self._note(key, found, now_s)
        return found

    def close(self) -> None:
        """Close all that nobody reads from at this moment."""
        with self._lock:
            closed = list(self._kept.values())
            self._kept.clear()
            self._closing.set()
        del closed  # here, and not while others wait for the lock

    def _note(self, key: Hashable, found: OpenFile, now_s: float) -> None:
        with self._lock:
            asked_s = self._asked_s.pop(key, -KEPT_S)
            former = self._kept.pop(key, None)
            is_in_use = former is not None or now_s - asked_s < KEPT_S
            if is_in_use and len(self._kept) < _MOST and self._ensure_closer():
                self._kept[key] = found
            else:
                if len(self._asked_s) >= _MOST_NOTED:
                    self._asked_s.clear()
                self._asked_s[key] = now_s
        del former  # here, and not while others wait for the lock

    def _ensure_closer(self) -> bool:
        """Have a thread close what is not in use any more; say whether there is one."""
        if not self._has_closer:
            try:
                threading.Thread(target=self._close_old, name="open-files", daemon=True).start()
            except RuntimeError:  # no more threads, so nothing can be kept
                return False
            self._has_closer = True
        return True

    def _close_old(self) -> None:
        while True:
            self._closing.wait(KEPT_S)
            now_s = self._clock()
            with self._lock:
                self._closing.clear()
                old = [key for key, each in self._kept.items() if each.until_s <= now_s]
                closed = [self._kept.pop(key) for key in old]
                if not self._kept:
                    self._has_closer = False
                    return
            # Whatever somebody still reads from is closed after that.
            del closed

    @classmethod
    def forget_all(cls) -> None:
        """Let go, in a process that was just forked, of what only its parent needs open."""
        for each in list(_all):
            each._begin_anew()


_all: Final[WeakSet[OpenFiles]] = WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=OpenFiles.forget_all)
