"""The protocol of an object store: where complete renditions are kept under their ids."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as its store describes it.

    `links` counts its names where the store is a directory; elsewhere an object has one.
    """

    id: str
    size_bytes: int
    mtime_ns: int
    links: int = 1


class ObjectStore(Protocol):
    """Complete renditions by id. An id stands for the same bytes for ever, so nothing is changed.

    Every store keeps the suite of `tests/audio_cache/store/test_store_contract.py`.
    """

    def has(self, object_id: str) -> bool:
        """Say whether an object is there."""

    def stat(self, object_id: str) -> StoredObject | None:
        """Return what the store says of an object; None where it is not there."""

    def open_range(self, object_id: str, start: int, stop: int) -> Iterator[bytes]:
        """Return the bytes [start, stop) of an object, in pieces; fewer where it ends before.

        What was opened is read to its end, whatever becomes of the object meanwhile.

        Raises:
            FileNotFoundError: there is no such object; raised by the call itself.
        """

    def put(self, source: str | os.PathLike[str], object_id: str) -> None:
        """Make a complete file an object, at once and as a whole; the file loses its old name.

        An object that is there already is replaced.

        Raises:
            OSError: the store cannot be written; what was there before is there still.
        """

    def put_copy(self, source: str | os.PathLike[str], object_id: str) -> None:
        """Make a copy of a complete file an object, as `put`; the file stays.

        Raises:
            OSError: as `put`.
        """

    def delete(self, object_id: str) -> bool:
        """Delete an object; say whether it was there. Who reads it reads on undisturbed."""

    def scan(self, prefix: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose ids begin with a prefix, in no particular order."""
