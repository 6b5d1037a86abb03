"""Evictions: objects that leave the store with all their names, and what goes before them."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .facts import Facts
from .heads import Heads, read_beginning
from .ledger import Holding, Ledger
from .objects import LocalObjects
from .partial import delete_abandoned, growing_files
from .pins import Pins
from .survey import strays

_MOST_AT_ONCE: Final = 256


class Evictions:
    """Takes out of a store what its policy gives up first.

    Args:
        cache_dir: the directory with the entries.
        objects: the objects.
        heads: what stays of them.
        facts: tell the names of objects.
        ledger: tells which go first.
        pins: do not go.
    """

    def __init__(
        self,
        cache_dir: Path,
        objects: LocalObjects,
        heads: Heads,
        facts: Facts,
        ledger: Ledger,
        pins: Pins,
    ) -> None:
        self._cache_dir = cache_dir
        self._prefix = os.path.join(cache_dir, "")
        self._objects = objects
        self._heads = heads
        self._facts = facts
        self._ledger = ledger
        self._pins = pins
        # Filled when names are met that the index does not know, as after it was lost.
        self._names: dict[int, list[str]] = {}

    def next(self, size_bytes: int, unplayed_since_s: float | None = None) -> list[Holding]:
        """Return what would go first to make so much room, pinned objects passed over.

        Args:
            size_bytes: how much room.
            unplayed_since_s: only what was never played and was stored before this time may go.

        Returns:
            Objects that are together as large, or all that may go where those are smaller.
        """
        found, size = [], 0
        for each in self._in_order(unplayed_since_s):
            if size >= size_bytes:
                break
            found.append(each)
            size += each.size_bytes
        return found

    def first(self, count: int) -> list[Holding]:
        """Return the objects that would go first, so many at most."""
        return list(itertools.islice(self._in_order(None), count))

    def _in_order(self, unplayed_since_s: float | None) -> Iterator[Holding]:
        pinned = self._pins.inodes()
        for each in self._ledger.holdings(unplayed_since_s=unplayed_since_s):
            if not self._is_pinned(each.id, pinned):
                yield each

    def free(
        self, size_bytes: int, unplayed_since_s: float | None = None, *, heads_bytes: int = 0
    ) -> int:
        """Make so much room, or none where that much may not go; return how much it was.

        What nobody goes on with goes first, then objects, of which heads stay, then what an earlier
        layout has left, and then heads. A call may make less room than it was asked for, where that
        takes many objects or their heads stay.

        Args:
            size_bytes: how much room.
            unplayed_since_s: as for `next`; nothing but objects makes room for a batch.
            heads_bytes: how much heads may take.
        """
        abandoned = [each for each in growing_files(self._cache_dir) if not each.is_locked]
        gone = sum(each.size_bytes for each in abandoned if delete_abandoned(each.path, 0.0))
        missing = size_bytes - gone
        if missing <= 0:
            return gone
        chosen = self.next(missing, unplayed_since_s)
        missing -= sum(each.size_bytes for each in chosen)
        # Nobody knows when these were played, so no batch takes their place.
        is_short = missing > 0 and unplayed_since_s is None
        left = strays(self._cache_dir) if is_short else []
        held = self._ledger.head_sizes()[1] if is_short else 0
        if missing > held + sum(size for _, size in left):
            # To throw everything away would help nobody.
            return gone
        freed = [self._cut(each, heads_bytes) for each in chosen[:_MOST_AT_ONCE]]
        for path, size in left:
            if missing > 0:
                path.unlink(missing_ok=True)
                self._ledger.note_rest(-size)
                missing -= size
                freed.append(size)
        head_bytes = self._drop_heads(missing)
        evictions = sum(1 for size in freed if size)
        if evictions or head_bytes:
            self._ledger.note_evicted(evictions, sum(freed) + head_bytes)
        return gone + sum(freed) + head_bytes

    def _cut(self, holding: Holding, heads_bytes: int) -> int:
        """Evict an object but for its head, if there is room for heads; return what that frees."""
        beginning = read_beginning(self._objects.path(holding.id))
        if not self.evict(holding.id):
            return 0
        if not beginning or not self._may_keep(len(beginning), holding.worth, heads_bytes):
            return holding.size_bytes
        try:
            self._heads.keep(holding.id, beginning)
        except OSError:
            # A disk that takes no more: then there is no head.
            self._heads.delete(holding.id)
            return holding.size_bytes
        return holding.size_bytes - len(beginning)

    def _may_keep(self, size_bytes: int, worth: float, heads_bytes: int) -> bool:
        """Say whether a head has room among the heads, in place of some that are worth less."""
        over = self._ledger.head_sizes()[1] + size_bytes - heads_bytes
        going = []
        for each in itertools.takewhile(lambda each: each.worth < worth, self._ledger.heads()):
            if over <= 0:
                break
            going.append(each)
            over -= each.size_bytes
        if over > 0:
            # To delete some that are worth less would make no room for it.
            return False
        for each in going:
            self._heads.delete(each.id)
        return True

    def _drop_heads(self, size_bytes: int) -> int:
        """Delete heads, those that are worth least first; return how much that frees."""
        gone = 0
        for each in self._ledger.heads() if size_bytes > 0 else ():
            gone += each.size_bytes if self._heads.delete(each.id) else 0
            if gone >= size_bytes:
                break
        return gone

    def evict(self, object_id: str) -> bool:
        """Delete an object and its names, unless it is just being published; say whether it went.

        Who reads it reads on undisturbed.
        """
        try:
            fd = os.open(self._objects.path(object_id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            # The room that it took is there, whoever has deleted it.
            self._ledger.note_gone([object_id])
            return True
        try:
            # Its encoder holds the lock of the partial file, which is the same file, to the end.
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(fd)
            for name in self._facts.names_of(object_id):
                self._unname(self._prefix + name, object_id, status)
            self._objects.delete(object_id)
            self._unname_unknown(fd)
        except BlockingIOError:
            return False
        finally:
            os.close(fd)
        return True

    def _is_pinned(self, object_id: str, pinned: dict[int, int]) -> bool:
        if pinned:
            with contextlib.suppress(FileNotFoundError):
                return os.stat(self._objects.path(object_id)).st_ino in pinned
        return False

    def _unname(self, name: str, object_id: str, status: os.stat_result) -> None:
        """Delete a name of an object, if it still is one."""
        with contextlib.suppress(FileNotFoundError):
            found = os.lstat(name)
            if stat.S_ISLNK(found.st_mode):
                is_name = os.path.basename(os.readlink(name)) == object_id
            else:
                is_name = os.path.samestat(found, status)
            if is_name:
                os.unlink(name)

    def _unname_unknown(self, fd: int) -> None:
        """Delete names that the index did not know: it was lost, or they came in this moment."""
        for look_again in (False, True):
            status = os.fstat(fd)
            if not status.st_nlink:
                return
            if look_again:
                self._names = _names_by_inode(self._prefix)
            for name in self._names.pop(status.st_ino, ()):
                self._unname(name, "", status)


def _names_by_inode(folder: str) -> dict[int, list[str]]:
    """Return the paths of the files in a folder by their inodes, which takes no look at them."""
    found: dict[int, list[str]] = {}
    with os.scandir(folder) as listing:
        for item in listing:
            found.setdefault(item.inode(), []).append(item.path)
    return found
