"""A survey of the cache's directory: what its files take, each counted once, links or not."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..encoding.rendition import RENDITION_ID
from .entry import ENTRY_NAME, PARTIAL_FOLDER, PARTIAL_SUFFIX, read_entry
from .facts import FILE_NAME
from .ledger import Measured
from .objects import HEADS_FOLDER, OBJECTS_FOLDER
from .partial import is_locked


@dataclass(frozen=True, slots=True)
class Growing:
    """A partial file.

    Args:
        path: of the file.
        size_bytes: that it has now.
        whole_bytes: that it will have, where an encoder is at it; else what it has.
    """

    path: Path
    size_bytes: int
    whole_bytes: int
    is_locked: bool


@dataclass(slots=True)
class _Found:
    objects: dict[str, tuple[int, float]] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)
    inodes: dict[int, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    strays: list[int] = field(default_factory=list)
    heads: dict[str, tuple[int, float]] = field(default_factory=dict)
    rest_bytes: int = 0


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


def growing_files(cache_dir: Path) -> list[Growing]:
    """Return the partial files, with the sizes that those will have that are being made."""
    found = []
    folder = os.path.join(cache_dir, PARTIAL_FOLDER)
    for item in _files(folder):
        if item.name.endswith(PARTIAL_SUFFIX):
            with contextlib.suppress(OSError):
                found.append(_growing(Path(item.path)))
    return found


def index_bytes(cache_dir: Path) -> int:
    """Return the size of the index, with the files that SQLite has beside it."""
    size = 0
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            size += os.stat(os.path.join(cache_dir, FILE_NAME + suffix)).st_size
    return size


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


def _growing(path: Path) -> Growing:
    size = os.stat(path).st_size
    if not is_locked(path):
        return Growing(path, size, size, is_locked=False)
    entry = read_entry(path)
    whole = entry.expected_size() if entry is not None else size
    return Growing(path, size, max(size, whole), is_locked=True)


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
