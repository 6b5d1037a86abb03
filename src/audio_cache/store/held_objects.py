"""Objects whose coming and going the ledger is told, whoever puts or deletes them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .ledger import Ledger
from .objects import LocalObjects


class HeldObjects(LocalObjects):
    """Local objects that are entered in a ledger."""

    def __init__(self, cache_dir: Path, ledger: Ledger, *, is_shared: bool = False) -> None:
        super().__init__(cache_dir, is_shared=is_shared)
        self._ledger = ledger

    def put(self, source: str | os.PathLike[str], object_id: str) -> None:
        """Make a file an object, as `LocalObjects.put`.

        The ledger is told before and after: before, so that nobody counts the file neither as
        partial nor as held; and after, in case the index was deleted in between.
        """
        size_bytes = os.stat(source).st_size
        self._ledger.note_held(object_id, size_bytes, time.time())
        super().put(source, object_id)
        self._ledger.note_held(object_id, size_bytes, time.time())

    def delete(self, object_id: str) -> bool:
        """Delete an object, as `LocalObjects.delete`."""
        was_there = super().delete(object_id)
        self._ledger.note_gone([object_id])
        return was_there
