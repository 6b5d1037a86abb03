"""A store of objects in memory: what any other store has to be like, without a disk."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from audio_cache.store.object_store import StoredObject

_PIECE_BYTES = 1 << 16


class MemoryObjects:
    """Objects in a dictionary; the time of an object is the number of those put before it."""

    def __init__(self) -> None:
        self._contents: dict[str, tuple[bytes, int]] = {}
        self._clock = itertools.count()

    def has(self, object_id: str) -> bool:
        return object_id in self._contents

    def stat(self, object_id: str) -> StoredObject | None:
        if object_id not in self._contents:
            return None
        content, mtime_ns = self._contents[object_id]
        return StoredObject(object_id, len(content), mtime_ns)

    def open_range(self, object_id: str, start: int, stop: int) -> Iterator[bytes]:
        if object_id not in self._contents:
            raise FileNotFoundError(object_id)
        part = self._contents[object_id][0][start:stop]
        return (part[at : at + _PIECE_BYTES] for at in range(0, len(part), _PIECE_BYTES))

    def put(self, source: str | os.PathLike[str], object_id: str) -> None:
        self.put_copy(source, object_id)
        Path(source).unlink()

    def put_copy(self, source: str | os.PathLike[str], object_id: str) -> None:
        self._contents[object_id] = Path(source).read_bytes(), next(self._clock)

    def delete(self, object_id: str) -> bool:
        return self._contents.pop(object_id, None) is not None

    def scan(self, prefix: str = "") -> Iterator[StoredObject]:
        for object_id in list(self._contents):
            found = self.stat(object_id) if object_id.startswith(prefix) else None
            if found is not None:
                yield found
