"""Room in the cache: made before it is taken, so that cap and floor hold at every moment."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..encoding.ffmpeg_options import name_of
from ..encoding.rendition import Rendition
from ..errors import EncodeError, NoRoomError
from ..settings import DEFAULT_MIN_FREE, AudioCacheSettings
from ..space import Space
from ..text import bytes_in_words, seconds_in_words
from .entry import PARTIAL_FOLDER
from .evictions import Evictions
from .facts import index_bytes
from .heads import SHARE
from .ledger import Ledger
from .partial import Growing, Partial, growing_files
from .pins import Pins
from .plays import Plays
from .policy import DAY_S
from .survey import Surveys, survey

# What the index may grow by until somebody looks again.
_INDEX_GROWTH_BYTES: Final = 1_000_000
_LOOK_AGAIN_AFTER_S: Final = 600.0
_LOOK_AT_MOST_EVERY_S: Final = 30.0
# What a listener waits for a survey. Most take much less, and those of huge caches much more.
_PATIENCE_S: Final = 0.5
# A batch takes the place of what nobody has played for so long; were it sooner, a nightly batch of
# a library larger than the cache would make the same files every night.
_UNPLAYED_S: Final = 30 * DAY_S


@dataclass(frozen=True, slots=True)
class Limits:
    """How large the cache may be, and what goes into it.

    Args:
        max_size: the cap, with all that lies in the directory; None for none.
        min_free: how much of the disk stays free.
        max_duration_s: the longest source that is encoded; 0 for any.
    """

    max_size: Space | None = None
    min_free: Space = DEFAULT_MIN_FREE
    max_duration_s: float = 0.0

    @classmethod
    def of(cls, settings: AudioCacheSettings) -> Limits:
        """Return the limits that settings give."""
        return cls(settings.max_size, settings.min_free, settings.max_duration)


@dataclass(frozen=True, slots=True)
class Usage:
    """What is taken of what there is, in bytes.

    Args:
        cap_bytes: how much the cache may take; None for any.
        used_bytes: how much it takes, with what the encodes under way will take.
        free_bytes: how much of the disk will be left when those are done.
        floor_bytes: how much of the disk is to be left.
    """

    cap_bytes: int | None
    used_bytes: int
    free_bytes: int
    floor_bytes: int

    @property
    def is_capped(self) -> bool:
        """Say whether it is the cap that will be reached first, and not the floor."""
        if self.cap_bytes is None:
            return False
        return self.used_bytes - self.cap_bytes >= self.floor_bytes - self.free_bytes

    def short_by(self, more_bytes: int) -> int:
        """Return how many bytes must go before so many more are taken; 0 or less for none."""
        over = self.floor_bytes - self.free_bytes
        if self.cap_bytes is not None:
            over = max(over, self.used_bytes - self.cap_bytes)
        return over + more_bytes


class Room:
    """What the cache's directory has room for, over all threads and processes that share it.

    The length of a rendition is known before it is encoded. Its partial file tells that length from
    its first bytes on and is locked by its encoder, so what is promised to encodes under way
    follows from the files: there are no reservations that a killed process could leave behind.

    Args:
        cache_dir: the directory.
        ledger: what is held, and what goes first.
        pins: what does not go.
        plays: are written down before anything goes.
        evictions: take objects out of the store.
        surveys: set the ledger right.
        limits: the cap and the floor.
        logger: is told what goes.
        clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        cache_dir: Path,
        ledger: Ledger,
        pins: Pins,
        plays: Plays,
        evictions: Evictions,
        surveys: Surveys,
        limits: Limits,
        logger: logging.Logger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.limits = limits
        self._cache_dir = cache_dir
        self._ledger = ledger
        self._pins = pins
        self._plays = plays
        self._evictions = evictions
        self._surveys = surveys
        self._logger = logger
        self._clock = clock

    def usage(self) -> Usage:
        """Return what is taken at the moment."""
        growing = growing_files(self._cache_dir)
        self._surveys.require(_LOOK_AGAIN_AFTER_S)
        return self._usage(growing)

    def require_short(self, rendition: Rendition) -> None:
        """Raise EncodeError where a source is longer than what is encoded at all."""
        most_s = self.limits.max_duration_s
        if most_s and rendition.duration_s > most_s:
            raise EncodeError(
                f"{name_of(rendition.source)} lasts {seconds_in_words(rendition.duration_s)}, and "
                f"AUDIO_CACHE_MAX_DURATION is {seconds_in_words(most_s)}: it is played as it is"
            )

    def take(self, partials: Sequence[Partial], *, for_batch: bool, is_heard: bool = False) -> None:
        """Make room for what partial files still need; they hold their headers already.

        Args:
            partials: locked.
            for_batch: nobody is listening yet, so nothing that was played has to go.
            is_heard: somebody listens already, who would not wait until it is known what a huge
                cache holds.

        Raises:
            NoRoomError: there is none, and nothing that may go.
            EncodeError: the source is longer than what is encoded.
        """
        for partial in partials:
            self.require_short(partial.rendition)
        need_bytes = sum(partial.rendition.length - partial.size for partial in partials)
        names = [partial.entry.name for partial in partials]
        self._prepare(0, is_heard=is_heard)
        with self._alone():
            # The partials are among the files that grow, so what they need is counted already.
            self._make(0, need_bytes, names, for_batch=for_batch)

    def take_for_listener(self, partials: Sequence[Partial]) -> None:
        """Make room as `take` does, for what somebody is listening to."""
        self.take(partials, for_batch=False, is_heard=True)

    def take_for_copy(self, object_id: str, size_bytes: int, like: str = "") -> None:
        """Make room for an object whose bytes are at hand, and enter it in the ledger.

        Args:
            like: the object whose frames it takes over, with its uses.

        Raises:
            NoRoomError: there is none.
        """
        self._prepare(size_bytes)
        with self._alone():
            self._make(size_bytes, size_bytes, (), for_batch=False)
            self._ledger.note_held(object_id, size_bytes, self._clock(), like)

    def take_for_head(self, object_id: str, size_bytes: int) -> None:
        """Make room for a head, and enter it in the ledger; for that nothing goes that was played.

        Raises:
            NoRoomError: there is none.
        """
        self._prepare(size_bytes)
        with self._alone():
            self._make(size_bytes, size_bytes, (), for_batch=True)
            self._ledger.note_head(object_id, size_bytes, self._clock())

    def batch_bytes(self, usage: Usage, need_bytes: int) -> int:
        """Return how much room a batch would find: what is free, and if need be what may go."""
        short = usage.short_by(need_bytes)
        going = self._evictions.next(short, self._replaceable_since(())) if short > 0 else []
        return need_bytes - short + sum(each.size_bytes for each in going)

    def fit(self) -> int:
        """Evict what is too much, as after a cap was lowered; return how many bytes went.

        Raises:
            NoRoomError: not enough may go.
        """
        self._prepare(0)
        with self._alone():
            return self._make(0, 0, (), for_batch=False)

    def _prepare(self, more_bytes: int, *, is_heard: bool = False) -> None:
        """Find out what is held before others are kept out: in a huge cache that takes long.

        Raises:
            NoRoomError: as `_look`.
        """
        usage = self._look(_LOOK_AGAIN_AFTER_S, is_heard=is_heard)
        if usage.short_by(more_bytes) > 0:
            # What was noted may no longer be so, above all where others delete files.
            self._look(_LOOK_AT_MOST_EVERY_S, is_heard=is_heard)
            self._plays.write()

    def _make(
        self, more_bytes: int, need_bytes: int, names: Collection[str], *, for_batch: bool
    ) -> int:
        """Evict until there is room; return how many bytes went."""
        freed = 0
        usage = self._usage(growing_files(self._cache_dir))
        since_s = self._replaceable_since(names) if for_batch else None
        while (short := usage.short_by(more_bytes)) > 0:
            gone = self._evictions.free(short, since_s, heads_bytes=self._heads_bytes(usage))
            if not gone:
                raise NoRoomError(self._explain(usage, need_bytes, for_batch=for_batch))
            freed += gone
            usage = self._usage(growing_files(self._cache_dir))
        if freed:
            self._logger.info("evicted %s", bytes_in_words(freed))
        return freed

    def _heads_bytes(self, usage: Usage) -> int:
        """Return how much of the cache evictions may leave to heads."""
        return int(SHARE * (usage.used_bytes if usage.cap_bytes is None else usage.cap_bytes))

    def _replaceable_since(self, names: Collection[str]) -> float:
        """Return before when something unplayed must have been made for a batch to replace it."""
        is_pinned = not self._pins.names().isdisjoint(names)
        return self._clock() - (0.0 if is_pinned else _UNPLAYED_S)

    def _look(self, older_than_s: float, *, is_heard: bool) -> Usage:
        """Return what is taken, after a survey where the last one was long ago.

        What grows is looked at first: who publishes enters in the ledger first.

        Raises:
            NoRoomError: what the cache holds is not known yet, and somebody listens.
        """
        growing = growing_files(self._cache_dir)
        is_capped = self.limits.max_size is not None
        # Without a cap nobody has to know what is held, but for evictions below the floor.
        patience_s = _PATIENCE_S if is_capped else 0.0
        is_known = self._surveys.require(older_than_s, patience_s if is_heard else None)
        if not is_known and is_capped:
            raise NoRoomError("what the cache holds is being counted, as its index was lost")
        return self._usage(growing)

    def _usage(self, growing: list[Growing]) -> Usage:
        disk = shutil.disk_usage(self._cache_dir)
        to_come = sum(each.whole_bytes - each.size_bytes for each in growing)
        cap = self.limits.max_size
        return Usage(
            cap_bytes=None if cap is None else cap.of(disk.total),
            used_bytes=self._used_bytes(growing),
            free_bytes=disk.free - to_come,
            floor_bytes=self.limits.min_free.of(disk.total),
        )

    def _used_bytes(self, growing: list[Growing]) -> int:
        held = self._ledger.held_bytes()
        rest = self._ledger.tally("rest")
        if held is None or (rest is None and self.limits.max_size is not None):
            # The index cannot be used at all.
            found = survey(self._cache_dir)
            objects, heads = found.objects.values(), found.heads.values()
            held, rest = sum(size for size, _ in (*objects, *heads)), found.rest_bytes
        index = index_bytes(self._cache_dir) + _INDEX_GROWTH_BYTES
        return held + int(rest or 0) + index + sum(each.whole_bytes for each in growing)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else make room meanwhile, in this process or another."""
        folder = self._cache_dir / PARTIAL_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        # The folder itself, which leaves no lock file behind.
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _explain(self, usage: Usage, need_bytes: int, *, for_batch: bool) -> str:
        need = bytes_in_words(need_bytes)
        kept = "was made or played lately, " if for_batch else ""
        stays = f"nothing may go: all that is there {kept}is pinned, or is being made"
        cure = "delete what nobody needs with `audio-cache clear`"
        if usage.cap_bytes is not None and usage.is_capped:
            return (
                f"the cache may take {bytes_in_words(usage.cap_bytes)} (AUDIO_CACHE_MAX_SIZE), "
                f"this track needs {need} of it, and {stays}. Raise AUDIO_CACHE_MAX_SIZE, or {cure}"
            )
        left = bytes_in_words(max(0, usage.free_bytes + need_bytes))
        return (
            f"the disk has {left} free, of which {bytes_in_words(usage.floor_bytes)} are to stay "
            f"free (AUDIO_CACHE_MIN_FREE), this track needs {need}, and {stays}. "
            f"Free some space, lower AUDIO_CACHE_MIN_FREE, or {cure}"
        )
