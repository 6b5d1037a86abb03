"""Surveys of the cache's directory: what its files take, each counted once, links or not."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..encoding.rendition import RENDITION_ID
from .entry import ENTRY_NAME, PARTIAL_SUFFIX, read_entry
from .facts import FILE_NAME, Facts
from .ledger import Ledger, Measured
from .objects import HEADS_FOLDER, OBJECTS_FOLDER, LocalObjects
from .pins import Pins

# A survey of a huge cache takes seconds; at most one part in fifty of the time goes into it.
_REST_PER_SURVEY: Final = 50


@dataclass(slots=True)
class _Found:
    objects: dict[str, tuple[int, float]] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)
    inodes: dict[int, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    strays: list[int] = field(default_factory=list)
    heads: dict[str, tuple[int, float]] = field(default_factory=dict)
    rest_bytes: int = 0


class Surveys:
    """The surveys of this process, one at a time, each in a thread of its own.

    Args:
        cache_dir: the directory.
        facts: are told of entries that they don't know, and of those that are gone.
        ledger: is settled.
        pins: are restored where the index was lost.
        logger: is told where the directory cannot be looked at.
        clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        cache_dir: Path,
        facts: Facts,
        ledger: Ledger,
        pins: Pins,
        logger: logging.Logger,
        clock: Callable[[], float],
    ) -> None:
        self._cache_dir = cache_dir
        self._facts = facts
        self._ledger = ledger
        self._pins = pins
        self._logger = logger
        self._clock = clock
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._took_s = 0.0

    def require(self, older_than_s: float, patience_s: float | None = None) -> bool:
        """Survey the directory where the last time was long ago; say whether that is known now.

        Args:
            older_than_s: how long ago it must be.
            patience_s: how long to wait for it; None for to the end.
        """
        measured_at = self._ledger.tally("measured")
        if measured_at is None:
            self._pins.restore()
        else:
            age_s = self._clock() - measured_at
            if 0 <= age_s < max(older_than_s, _REST_PER_SURVEY * self._took_s):
                return True
        thread = self.begin()
        thread.join(patience_s)
        return measured_at is not None or not thread.is_alive()

    def begin(self) -> threading.Thread:
        """Begin to survey the directory, unless that is going on; return the thread that does."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="survey", daemon=True)
                self._thread.start()
            return self._thread

    def _run(self) -> None:
        began, now = time.monotonic(), self._clock()
        try:
            measured = survey(self._cache_dir)
        except OSError as error:
            self._logger.warning("cannot look at what the cache holds: %s", error)
            return
        objects = LocalObjects(self._cache_dir)
        heads = LocalObjects(self._cache_dir, HEADS_FOLDER)
        prefix = os.path.join(self._cache_dir, "")
        self._facts.settle_names(measured.names, lambda name: os.path.lexists(prefix + name))
        self._ledger.settle(measured, now, objects.has, heads.has)
        self._took_s = time.monotonic() - began


def survey(cache_dir: Path) -> Measured:
    """Return what lies in the directory besides partial files and the index."""
    found = _Found()
    roots = [os.path.join(cache_dir, folder) for folder in (OBJECTS_FOLDER, HEADS_FOLDER)]
    for root, count in zip(roots, (_count_object, _count_head), strict=True):
        for shard in _folders(root):
            for item in _files(shard):
                with contextlib.suppress(FileNotFoundError):
                    count(found, item)
    for item in _files(os.fspath(cache_dir)):
        _count_name(found, item)
    for folder in _folders(os.fspath(cache_dir)):
        if folder not in roots:
            for item in _below(folder):
                if not item.name.endswith(PARTIAL_SUFFIX):
                    _count_rest(found, item)
    return Measured(
        objects=found.objects,
        unnamed=frozenset(found.unnamed),
        heads=found.heads,
        rest_bytes=found.rest_bytes,
        names=found.names,
        strays=found.strays,
    )


def strays(cache_dir: Path) -> list[tuple[Path, int]]:
    """Return entries that are no object's, with their sizes, the oldest first.

    They are of an earlier layout, or were left when somebody was killed. What others have put there
    is not ours to delete.
    """
    found = []
    for item in _files(os.fspath(cache_dir)):
        if ENTRY_NAME.fullmatch(item.name):
            with contextlib.suppress(OSError):
                status = item.stat(follow_symlinks=False)
                entry = read_entry(item.path) if status.st_nlink == 1 else None
                if entry is not None and stat.S_ISREG(status.st_mode) and not entry.is_foreign:
                    found.append((status.st_mtime_ns, Path(item.path), status.st_size))
    return [(path, size) for _, path, size in sorted(found)]


def _count_object(found: _Found, item: os.DirEntry[str]) -> None:
    status = item.stat(follow_symlinks=False)
    is_object = RENDITION_ID.fullmatch(item.name) is not None
    found.inodes[status.st_ino] = item.name if is_object else ""
    if is_object:
        found.objects[item.name] = (status.st_size, status.st_mtime)
        if status.st_nlink == 1:
            found.unnamed.add(item.name)
    else:
        # A copy that somebody is making, or was killed over.
        found.rest_bytes += status.st_size


def _count_head(found: _Found, item: os.DirEntry[str]) -> None:
    status = item.stat(follow_symlinks=False)
    if RENDITION_ID.fullmatch(item.name) and item.name not in found.objects:
        found.heads[item.name] = (status.st_size, status.st_mtime)
    else:
        found.rest_bytes += status.st_size


def _count_name(found: _Found, item: os.DirEntry[str]) -> None:
    # Most are links to objects, which need no look.
    object_id = found.inodes.get(item.inode())
    if object_id is None and not item.name.startswith(FILE_NAME):
        _count_rest(found, item)
    elif object_id and ENTRY_NAME.fullmatch(item.name):
        found.names[item.name] = object_id


def _count_rest(found: _Found, item: os.DirEntry[str]) -> None:
    with contextlib.suppress(FileNotFoundError):
        status = item.stat(follow_symlinks=False)
        if status.st_ino not in found.inodes:
            found.inodes[status.st_ino] = ""
            found.rest_bytes += status.st_size
            if ENTRY_NAME.fullmatch(item.name) and not item.is_symlink():
                found.strays.append(status.st_size)


def _items(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        listing = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with listing:
        yield from listing


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    return (item for item in _items(folder) if not item.is_dir(follow_symlinks=False))


def _folders(folder: str) -> list[str]:
    return [item.path for item in _items(folder) if item.is_dir(follow_symlinks=False)]


def _below(folder: str) -> Iterator[os.DirEntry[str]]:
    yield from _files(folder)
    for inner in _folders(folder):
        yield from _below(inner)
