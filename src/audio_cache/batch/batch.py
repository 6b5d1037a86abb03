"""A batch: tracks that are to be cached, and what became of each."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ..encoding.cancellation import Cancellation
from ..errors import AudioCacheError, EncodeInterruptedError
from ..quality import QualityLevel
from ..store.assembly import Share
from ..store.cache import AudioCache
from .needs import is_missing, look_up
from .outcome import (
    ALREADY_CACHED,
    MISSING,
    BatchTrack,
    Fate,
    Outcome,
    explain_error,
    name_tracks,
)
from .reporter import Progress, Reporter

Wanted = Mapping[Path, Sequence[QualityLevel]]


class Batch:
    """The tracks of one run. Sifting finds those that need an encoder; any thread may encode them.

    Args:
        cache: where they are kept.
        wanted: the qualities that are wanted of each source.
        progress: receives the progress; see `Reporter`.
        logger: where warnings go; that of the cache by default.
        changed: is notified whenever there is something to do or to know.
        is_urgent: its tracks go before those of batches that are not.
        for_batch: as for `AudioCache.store_together`.
    """

    def __init__(
        self,
        cache: AudioCache,
        wanted: Wanted,
        progress: Progress | None = None,
        *,
        logger: logging.Logger | None = None,
        changed: threading.Condition | None = None,
        is_urgent: bool = True,
        for_batch: bool = True,
    ) -> None:
        self.is_urgent = is_urgent
        self._for_batch = for_batch
        self.tracks = name_tracks(wanted)
        self.outcomes: dict[Path, Outcome] = {}
        self.is_sifted = False
        self.is_cancelled = False
        self._cache = cache
        self._wanted = {path: list(qualities) for path, qualities in wanted.items()}
        self._logger = logger or cache.logger
        self._reporter = Reporter(progress, len(self.tracks), self._logger)
        self._cancellation = Cancellation()
        self.changed = changed or threading.Condition()
        self._queue: deque[BatchTrack] = deque()
        self._active = 0

    @property
    def is_over(self) -> bool:
        """Say whether nothing is left to do, or being done."""
        return (self.is_sifted or self.is_cancelled) and not self._queue and not self._active

    @property
    def has_waiting(self) -> bool:
        """Say whether there are tracks that wait for a thread to encode them."""
        return bool(self._queue)

    @property
    def qualities(self) -> tuple[QualityLevel, ...]:
        """Return the qualities that are wanted of any track."""
        return tuple(dict.fromkeys(chain.from_iterable(self._wanted.values())))

    def wants_same(self, other: Batch) -> bool:
        """Say whether another batch is about the same tracks and qualities."""
        return self.tracks == other.tracks and self._wanted == other._wanted

    def report_to(self, progress: Progress) -> None:
        """Report the progress to a callback; to be called before anything begins."""
        self._reporter = Reporter(progress, len(self.tracks), self._logger)

    def run(self) -> None:
        """Do it all in the calling thread, one track after the other."""
        for track in self._unsettled():
            self._active += 1
            self.encode(track, contextlib.nullcontext)
        self.is_sifted = True

    def sift(self) -> None:
        """Settle the tracks that need no encoder, and put the others into the queue."""
        for track in self._unsettled():
            with self.changed:
                if not self.is_cancelled:
                    self._queue.append(track)
                self.changed.notify()
        with self.changed:
            self.is_sifted = True
            self.changed.notify_all()

    def take(self) -> BatchTrack | None:
        """Take the next track out of the queue; it must be given to `encode`."""
        with self.changed:
            if not self._queue:
                return None
            self._active += 1
            return self._queue.popleft()

    def encode(self, track: BatchTrack, share: Share) -> None:
        """Encode a track that was taken, and settle it."""
        try:
            self._reporter.started(track)
            outcome = self._encode(track, share)
            if outcome is not None:
                self._settle(track, outcome)
        finally:
            with self.changed:
                self._active -= 1
                self.changed.notify_all()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the batch is over; say whether it is."""
        with self.changed:
            return self.changed.wait_for(lambda: self.is_over, timeout_s)

    def in_order(self) -> dict[Path, Outcome]:
        """Return what became of the settled tracks, in the order in which they were given."""
        paths = (track.path for track in self.tracks)
        return {path: self.outcomes[path] for path in paths if path in self.outcomes}

    def cancel(self) -> None:
        """End it and its ffmpegs; what is finished stays, and nothing more is reported."""
        self._reporter.mute()
        with self.changed:
            self.is_cancelled = True
            self._queue.clear()
            self.changed.notify_all()
        self._cancellation.set()

    def _unsettled(self) -> Iterator[BatchTrack]:
        """Look at one track after the other, settle it if that can be, else yield it."""
        for track in self.tracks:
            if self.is_cancelled:
                return
            outcome = look_up(self._cache, track.path, self._wanted[track.path], self._logger)
            if outcome is None:
                yield track
            else:
                self._settle(track, outcome)

    def _encode(self, track: BatchTrack, share: Share) -> Outcome | None:
        """Return what became of a track; None if it was interrupted."""
        path = track.path
        try:
            made = store_each(
                self._cache,
                path,
                self._wanted[path],
                cancellation=self._cancellation,
                share=share,
                on_growth=lambda size, length: self._reporter.grew(track, size, length),
                for_batch=self._for_batch,
            )
            return self._made(path, made)
        except EncodeInterruptedError:
            # By our own cancelling, or by a shutdown that ends all ffmpegs: the rest is not begun.
            self.cancel()
            return None
        except (AudioCacheError, OSError) as error:
            self._logger.error("cannot cache %r: %s", str(path), error)
            return self._failed(path, error)
        except Exception as error:
            self._logger.exception("cannot cache %r", str(path))
            return self._failed(path, error)

    def _made(self, path: Path, made: Sequence[QualityLevel]) -> Outcome:
        qualities = dict.fromkeys(self._wanted[path], True)
        if not made:
            return Outcome(Fate.SKIPPED, ALREADY_CACHED, qualities)
        renditions = [self._cache.get_rendition(path, quality) for quality in made]
        largest = max(rendition.length for rendition in renditions)
        saved = max(0, renditions[0].source.size_bytes - largest)
        return Outcome(Fate.CACHED, "", qualities, saved, renditions[0].duration_s)

    def _failed(self, path: Path, error: Exception) -> Outcome:
        qualities = {each: self._cache.is_cached(path, each) for each in self._wanted[path]}
        if isinstance(error, FileNotFoundError) and is_missing(path):
            return Outcome(Fate.SKIPPED, MISSING, qualities)
        return Outcome(Fate.FAILED, explain_error(error, path), qualities)

    def _settle(self, track: BatchTrack, outcome: Outcome) -> None:
        self.outcomes[track.path] = outcome
        self._reporter.settled(track, outcome)


def store_each(
    cache: AudioCache, path: Path, qualities: Sequence[QualityLevel], **options: Any
) -> list[QualityLevel]:
    """Make several qualities of a source in one decode; where that fails, each that can be made.

    Args:
        cache: where they are kept.
        path: the source.
        qualities: which ones.
        options: as for `AudioCache.store_together`.

    Returns:
        The qualities that were made; the others were valid already.

    Raises:
        EncodeError, EncodeInterruptedError, OSError: as `AudioCache.store_together`; one at least
            was not made.
    """
    try:
        return cache.store_together(path, qualities, **options)
    except OSError:
        # One that has no room, or whose name something else has, keeps none of the others away.
        for quality in qualities if len(qualities) > 1 else ():
            with contextlib.suppress(OSError):
                cache.store_together(path, [quality], **options)
        raise
