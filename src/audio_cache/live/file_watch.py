"""A watch on a file: the kernel says when it grows, is closed, renamed or deleted."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import struct
import time
from enum import Enum
from pathlib import Path
from typing import Final

# linux/inotify.h
_IN_MODIFY: Final = 0x2
_IN_ATTRIB: Final = 0x4
_IN_CLOSE_WRITE: Final = 0x8
_IN_MOVE_SELF: Final = 0x800
_EVENTS: Final = _IN_MODIFY | _IN_ATTRIB | _IN_CLOSE_WRITE | _IN_MOVE_SELF
_EVENT: Final = struct.Struct("iIII")
_WITHOUT_NOTICE_S: Final = 0.05


class Notice(Enum):
    """What a watch has seen."""

    NOTHING = "the time is up"
    GREW = "the file was written to"
    RELEASED = "a writer closed the file, or it was renamed or deleted"


class FileWatch:
    """A watch on one file by inotify or, if that is unavailable, a look every 50 ms.

    A writer that is killed closes its file, so its watchers find out at once.
    """

    def __init__(self, path: Path) -> None:
        self._fd = -1
        with contextlib.suppress(AttributeError, OSError):
            libc = ctypes.CDLL(None, use_errno=True)
            self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            if self._fd >= 0 and libc.inotify_add_watch(self._fd, os.fsencode(path), _EVENTS) < 0:
                self.close()

    def __enter__(self) -> FileWatch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, timeout_s: float) -> Notice:
        """Wait for an event and return it; without inotify, NOTHING after a short while."""
        if self._fd < 0:
            time.sleep(min(timeout_s, _WITHOUT_NOTICE_S))
            return Notice.NOTHING
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if not poll.poll(timeout_s * 1000):
            return Notice.NOTHING
        with contextlib.suppress(BlockingIOError):
            for _, mask, _, _ in _EVENT.iter_unpack(os.read(self._fd, 256 * _EVENT.size)):
                if mask & ~_IN_MODIFY:
                    return Notice.RELEASED
        return Notice.GREW

    def close(self) -> None:
        """Stop watching."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
