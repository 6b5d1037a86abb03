"""Caches with little room: filling them, and watching what they take."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from pathlib import Path
from typing import Any

from audio_cache import AudioCache
from audio_cache.space import parse_space
from audio_cache.store.entry import entry_name
from audio_cache.store.room import Limits
from tests.helpers.waiting import finish

SAMPLED_EVERY_S = 0.01


def cache_with_room(
    directory: Path, max_size: str = "3MB", min_free: str = "0", **given: Any
) -> AudioCache:
    """Return a cache with a cap, and without a floor unless one is given."""
    cap = parse_space(max_size) if max_size else None
    return AudioCache(directory, limits=Limits(cap, parse_space(min_free)), **given)


def plant(cache: AudioCache, number: int, size_bytes: int = 100_000, at_s: float = 0.0) -> str:
    """Put an object of zeros into a cache, with the name of a source; return its id.

    Args:
        number: tells it from others.
        at_s: when it was stored, in seconds since the epoch; now by default.
    """
    object_id = hashlib.sha256(str(number).encode()).hexdigest()[:48]
    content = cache.cache_dir / f"content {number}"
    content.write_bytes(bytes(size_bytes))
    if at_s:
        cache.ledger.note_held(object_id, size_bytes, at_s)
    cache.objects.put(content, object_id)
    cache.objects.link(object_id, os.fspath(planted_entry(cache, number)))
    return object_id


def fill(cache: AudioCache, size_bytes: int = 100_000) -> list[str]:
    """Plant objects until no more fits, and return their ids."""
    planted: list[str] = []
    while cache.room.usage().short_by(size_bytes) <= 0:
        planted.append(plant(cache, len(planted), size_bytes))
    return planted


def lose_index(cache: AudioCache) -> None:
    """Delete the index as anybody may."""
    for suffix in ("", "-wal", "-shm"):
        (cache.cache_dir / f"index.db{suffix}").unlink(missing_ok=True)


def planted_source(number: int) -> str:
    return f"/music/{number}.flac"


def planted_entry(cache: AudioCache, number: int) -> Path:
    """Return the name that `plant` gives an object."""
    return cache.cache_dir / entry_name(planted_source(number), "low")


def play(cache: AudioCache, object_id: str, listener: str = "somebody") -> None:
    """Play an object as a server does that has written its plays down."""
    cache.plays.note(object_id, 100_000, listener)
    cache.plays.write()


def on_disk(cache: AudioCache) -> dict[str, int]:
    """Return the sizes of the objects by id, as their files have them."""
    return {each.id: each.size_bytes for each in cache.objects.scan()}


def in_index(cache: AudioCache) -> dict[str, int]:
    """Return the same as the index has it."""
    return {each.id: each.size_bytes for each in cache.ledger.holdings()}


def links_of(cache: AudioCache) -> list[str]:
    """Return the names of all entries."""
    return sorted(path.name for path in cache.entries())


def taken_bytes(directory: Path) -> int:
    """Return the size of all files below a directory, each counted once."""
    sizes = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                status = os.lstat(os.path.join(folder, name))
                sizes[status.st_ino] = status.st_size
    return sum(sizes.values())


class Sampler:
    """Looks every 10 ms how much a directory takes, and keeps the most that it has seen."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sampler")
        self.samples = 0
        self.most_bytes = 0

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        finish(self._thread)

    def _watch(self) -> None:
        while not self._over.wait(SAMPLED_EVERY_S):
            self.most_bytes = max(self.most_bytes, taken_bytes(self._directory))
            self.samples += 1
