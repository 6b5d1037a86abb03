"""An object on its way from the object store to this disk, read by its listeners as it arrives."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Final

# Whoever reads from further ahead is quicker there by himself.
_NEAR_BYTES: Final = 1 << 20
_READ_BYTES: Final = 1 << 16


class Arrival:
    """What has arrived of an object so far, in the file that becomes it.

    A listener who reads along costs the store nothing: without this, a first play took each byte
    from it twice, once for him and once for the disk.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._descriptor: int | None = None
        self._size_bytes = 0
        self._has_ended = False

    def begin(self, path: str) -> None:
        """Let what arrives be read from a file, whatever becomes of its name."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def grow(self, size_bytes: int) -> None:
        """Tell that so many bytes are in the file."""
        with self._changed:
            self._size_bytes = size_bytes
            self._changed.notify_all()

    def end(self) -> None:
        """Tell that no more comes: all is there, or the rest never arrives."""
        with self._changed:
            self._has_ended = True
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
            self._changed.notify_all()

    def follow(self, start: int, stop: int) -> Iterator[bytes] | None:
        """Return the bytes [start, stop) as they arrive, once the first of them has.

        Returns:
            The bytes, fewer where the rest never arrives; None where not even the first comes, or
            not soon.
        """
        with self._changed:
            if start >= stop or start > self._size_bytes + _NEAR_BYTES:
                return None
            self._wait_beyond(start)
            if self._descriptor is None:
                return None
            pieces = self._read(os.dup(self._descriptor), start, stop)
        # A generator that has begun closes its descriptor, even if nobody reads on.
        next(pieces)
        return pieces

    def _read(self, descriptor: int, start: int, stop: int) -> Iterator[bytes]:
        try:
            yield b""
            while start < stop:
                there = min(self._wait_beyond(start), stop)
                if there <= start:
                    return
                while start < there:
                    data = os.pread(descriptor, min(_READ_BYTES, there - start), start)
                    if not data:
                        return
                    start += len(data)
                    yield data
        finally:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _wait_beyond(self, start: int) -> int:
        """Return how much is there, as soon as that is more than so many bytes, or all."""
        with self._changed:
            self._changed.wait_for(lambda: self._size_bytes > start or self._has_ended)
            return self._size_bytes
