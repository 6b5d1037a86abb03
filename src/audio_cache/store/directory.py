"""The cache's directory: what lies in it, how large that is, and clearing it."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from ..quality import QualityLevel
from .backing import BackingStore
from .entry import (
    ENTRY_NAME,
    PARTIAL_FOLDER,
    PARTIAL_SUFFIX,
    PRIVATE_FOLDER,
    SHARED_FOLDER,
    entry_name,
)
from .evictions import Evictions
from .facts import FILE_NAME, Facts
from .heads import Heads
from .held_objects import HeldObjects
from .ledger import Ledger
from .object_store import ObjectStore, StoredObject
from .partial import delete_abandoned
from .pins import Pins
from .plays import Plays
from .policy import DecayingPlays
from .room import Limits, Room
from .survey import Surveys

_DAY_S: Final = 86_400.0
# An abandoned partial is worth keeping for a resume; after this long nobody came back for it.
_PARTIAL_KEPT_S: Final = 7 * _DAY_S


class CacheDirectory:
    """The directory of a cache, made where it does not exist.

    Args:
        cache_dir: the directory.
        logger: where warnings go.
        form: as for `Facts`.
        limits: how large it may be.
        is_shared: whether other users of the system may read what is complete.
        behind: keeps what is made for all nodes, where there are several.
    """

    def __init__(
        self,
        cache_dir: Path,
        logger: logging.Logger,
        form: str,
        limits: Limits,
        *,
        is_shared: bool = False,
        behind: ObjectStore | None = None,
    ) -> None:
        self.cache_dir = Path(os.path.abspath(cache_dir))
        self.logger = logger
        self._make(is_shared)
        self._prefix = os.path.join(self.cache_dir, "")
        self.facts = Facts(self.cache_dir, self.logger, form)
        self.ledger = Ledger(self.facts, DecayingPlays())
        self.objects = HeldObjects(self.cache_dir, self.ledger, is_shared=is_shared)
        self.pins = Pins(self.facts, self.cache_dir)
        self.plays = Plays(self.ledger)
        self.heads = Heads(self.cache_dir, self.facts, self.ledger)
        self.evictions = Evictions(
            self.cache_dir, self.objects, self.heads, self.facts, self.ledger, self.pins
        )
        self.surveys = Surveys(
            self.cache_dir, self.facts, self.ledger, self.pins, self.logger, time.time
        )
        self.room = Room(
            self.cache_dir,
            self.ledger,
            self.pins,
            self.plays,
            self.evictions,
            self.surveys,
            limits,
            self.logger,
        )
        self.backing: BackingStore | None = None
        if behind is not None:
            take = self.room.take_for_copy
            self.backing = BackingStore(behind, self.objects, self.facts, take, self.logger)

    def _make(self, is_shared: bool) -> None:
        """Make the directory; one that is there keeps its mode, which somebody may have chosen."""
        self.cache_dir.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            self.cache_dir.mkdir(PRIVATE_FOLDER)
            if is_shared:
                self.cache_dir.chmod(SHARED_FOLDER)
        # Raises where a file has that name.
        self.cache_dir.mkdir(exist_ok=True)

    def get_cache_size(self) -> int:
        """Return the bytes of all files under the cache directory but its index.

        A file with several names counts once.
        """
        sizes: dict[tuple[int, int], int] = {}
        for directory, _, names in os.walk(self.cache_dir):
            for name in names:
                if name.startswith(FILE_NAME):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    status = os.lstat(os.path.join(directory, name))
                    sizes[status.st_dev, status.st_ino] = status.st_size
        return sum(sizes.values())

    def clear_cache(
        self,
        older_than_days: float | None = None,
        *,
        on_file: Callable[[int, int], None] = lambda done, total: None,
    ) -> int:
        """Delete the MP3s that `mp3_files` yields, all or those older than an age; count them.

        A file that cannot be deleted is logged and skipped. Requests that read a deleted file
        finish undisturbed. Heads, and partial files that nobody encodes, go by the same rule and
        are not counted.

        Args:
            older_than_days: the age; None for all.
            on_file: is called with how many files were looked at, and how many there are.

        Raises:
            ValueError: the age is negative or no number of days; nothing was deleted.
        """
        if older_than_days is not None:
            _require_days(older_than_days)
        age_s = -math.inf if older_than_days is None else older_than_days * _DAY_S
        deleted, paths = [], list(self.mp3_files())
        for done, path in enumerate(paths, 1):
            if self._delete_older(path, age_s):
                deleted.append(path)
            on_file(done, len(paths))
        self.facts.forget(path.name for path in deleted)
        self.sweep_partials(max(age_s, 0.0))
        self.sweep_objects(age_s)
        self.heads.sweep(age_s)
        return len(deleted)

    def close(self) -> None:
        """Close the index, which the next use opens again, and leave the store behind this."""
        if self.backing is not None:
            self.backing.close()
        self.facts.close()

    def pin(self, owner: str, paths: Iterable[Path], qualities: Collection[QualityLevel]) -> None:
        """Keep qualities of files, made or yet to be made, whatever else needs the room.

        Args:
            owner: who wants that; it takes the place of what was pinned for the same owner before.
            paths: the sources.
            qualities: which ones.
        """
        encoded = [quality for quality in qualities if quality != "original"]
        absolute = [os.path.abspath(path) for path in paths]
        names = (entry_name(path, quality) for path in absolute for quality in encoded)
        self.pins.set(owner, names)

    def unpin(self, owner: str) -> None:
        """Let everything go that was pinned for an owner and for nobody else."""
        self.pins.drop(owner)

    def sweep_objects(self, older_than_s: float = 0.0) -> int:
        """Delete objects of at least an age that no entry names any more; return how many."""
        now = time.time()
        old = (each for each in self.unnamed_objects() if now - each.mtime_ns / 1e9 > older_than_s)
        return sum(self.objects.delete(each.id) for each in old)

    def unnamed_objects(self) -> list[StoredObject]:
        """Return the objects that no entry names."""
        alone = [each for each in self.objects.scan() if each.links == 1]
        named = self._named_without_hard_links() if alone else set()
        return [each for each in alone if each.id not in named]

    def _named_without_hard_links(self) -> set[str]:
        """Return the ids of objects whose entries may be symbolic links or copies."""
        entries = self.facts.entries().items()
        copied = {facts.id for name, facts in entries if os.path.lexists(self._prefix + name)}
        links = (path for path in self.entries() if path.is_symlink())
        return copied | {os.path.basename(os.readlink(path)) for path in links}

    def rename_object(self, object_id: str) -> None:
        """Give an object all its names anew, after it was replaced."""
        for name, facts in self.facts.entries().items():
            path = self._prefix + name
            if facts.id == object_id and os.path.lexists(path):
                with contextlib.suppress(FileNotFoundError):
                    self.objects.link(object_id, path)

    def stored_files(self) -> list[Path]:
        """Return all entries by their names, and after them the objects that none of them names."""
        unnamed = sorted(self.objects.path(each.id) for each in self.unnamed_objects())
        return [*sorted(self.entries()), *map(Path, unnamed)]

    def mp3_files(self) -> Iterator[Path]:
        """Yield every `*.mp3` in the cache directory, at any depth and whoever made it."""
        for directory, folders, files in os.walk(self.cache_dir):
            for name in (*folders, *files):
                if name.endswith(".mp3"):
                    yield Path(directory, name)

    def entries(self) -> Iterator[Path]:
        """Yield the files that have an entry's name, in no certain order."""
        with os.scandir(self.cache_dir) as listing:
            for item in listing:
                if ENTRY_NAME.fullmatch(item.name):
                    yield Path(item.path)

    def sweep_partials(self, older_than_s: float = _PARTIAL_KEPT_S) -> int:
        """Delete partial files of at least an age that no encoder holds; return how many."""
        deleted = 0
        for name in self.partials():
            deleted += delete_abandoned(name, older_than_s)
        return deleted

    def partials(self) -> list[Path]:
        """Return the partial files, those of earlier layouts beside the entries among them."""
        return [*_partials_in(self.cache_dir), *_partials_in(self.cache_dir / PARTIAL_FOLDER)]

    def changed_ns(self) -> tuple[int, ...]:
        """Return when entries and partial files last came or went by name; 0 for no folder."""
        times = []
        for folder in (self.cache_dir, self.cache_dir / PARTIAL_FOLDER):
            try:
                times.append(os.stat(folder).st_mtime_ns)
            except OSError:
                times.append(0)
        return tuple(times)

    def _delete_older(self, path: Path, age_s: float) -> bool:
        try:
            status = path.stat() if path.exists() else path.lstat()  # a link may lead nowhere
            if time.time() - status.st_mtime > age_s:
                path.unlink()
                return True
        except FileNotFoundError:
            return False
        except OSError as error:
            self.logger.warning("cannot delete %s: %s", path, error)
        return False


def _partials_in(folder: Path) -> list[Path]:
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as listing:
        return [Path(each.path) for each in listing if each.name.endswith(PARTIAL_SUFFIX)]
    return []


def _require_days(days: float) -> None:
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days < math.inf:
        raise ValueError(
            f"older_than_days is {days!r}: give a number of days, 0 or more, or None for all"
        )
