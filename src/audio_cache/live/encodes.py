"""Playing what is still being encoded: one encoder, many followers, and seeks ahead of it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..encoding.rendition import Rendition
from ..errors import EncodeError, EncodeInterruptedError, LiveUnavailableError
from ..store.cache import AudioCache
from ..store.entry import Verdict
from ..store.partial import Partial, is_locked, partial_path
from .file_watch import FileWatch, Notice
from .growing_file import FollowedBytes, Follower, GrowingFile
from .seeks import Seeks

_LOOK_AROUND_S: Final = 1.0
# A player that jumps about leaves and is back within the second.
_UNHEARD_S: Final = 1.0
# What a listener waits for is the beginning. A file that has grown by so much runs ahead of any
# listener, and its encoder makes room for those of other starts and of seeks.
_LEAD_S: Final = 2.0
_AHEAD_NICE: Final = 9

_Key = tuple[Path, str]


class Live:
    """The live encodes of one process.

    Args:
        cache: where the renditions go.
        max_encoders: how many ffmpegs may run for listeners at once, files and seeks together.
        wait_s: how long a new listener waits for one of them before the original has to do.
        finish_abandoned: go on with an encode that nobody listens to any more.
        retry_after_s: how long a source that failed is not tried again.
    """

    def __init__(
        self,
        cache: AudioCache,
        *,
        max_encoders: int = 8,
        wait_s: float = 2.0,
        finish_abandoned: bool = True,
        retry_after_s: float = 300.0,
    ) -> None:
        self.cache = cache
        self._logger = cache.logger
        self._max_encoders = max_encoders
        self._wait_s = wait_s
        self._finish_abandoned = finish_abandoned
        self._failures = Failures(retry_after_s)
        # Over all that follows; notified when a place is free or a file begins to grow.
        self._changed = threading.Condition()
        self._busy = 0
        self._growing: dict[_Key, GrowingFile] = {}
        self._threads: set[threading.Thread] = set()
        self._seeks = Seeks(self._take_place, self._free_place)
        self._stopping = False

    @property
    def busy_encoders(self) -> int:
        """Return how many of the places for encoders are taken."""
        return self._busy

    def play(
        self,
        rendition: Rendition,
        start: int,
        stop: int,
        *,
        listener: str = "",
        is_gone: Callable[[], bool] = lambda: False,
    ) -> FollowedBytes:
        """Return the bytes [start, stop) of a rendition as they come to be.

        The first of them are there when this returns, so a failure shows while something else can
        still be answered. Close the iterator when the listener leaves.

        Args:
            listener: who asks; one listener holds at most one seek encoder per rendition.
            is_gone: says whether the listener has left, asked while there is nothing to send.

        Raises:
            LiveUnavailableError: all encoders are busy, or the source or the disk failed.
        """
        for may_try_again in (True, False):
            growing = self.start(rendition, listened=True)
            try:
                return Follower(growing, self._seeks, start, stop, listener, is_gone).begin()
            except Exception as error:
                growing.leave()
                # The encode may have been given up, unheard, in the moment that this one came.
                if may_try_again and isinstance(error, EncodeInterruptedError):
                    continue
                raise LiveUnavailableError(f"cannot play live: {error}") from error
        raise AssertionError("unreachable")

    def start(self, rendition: Rendition, *, listened: bool = False, nice: int = 0) -> GrowingFile:
        """Start making a rendition's entry unless that is under way; return the growing file.

        Args:
            listened: count the caller among the readers; it must call `leave` on the file. Else
                the entry is made for the cache, whether somebody listens or not.
            nice: CPU niceness of the encoder.

        Raises:
            LiveUnavailableError: all encoders are busy, or the same source failed a while ago.
        """
        entry = self.cache.get_cache_path(rendition.source.path, rendition.quality)
        key = (entry, rendition.token)
        with self._changed:
            if key not in self._growing:
                self._failures.check(key)
            self._changed.wait_for(
                lambda: key in self._growing or self._busy < self._max_encoders or self._stopping,
                self._wait_s if listened else 0.0,
            )
            growing = self._growing.get(key) or self._begin(key, rendition, nice)
            if listened:
                growing.join()
            else:
                growing.is_wanted = True
            return growing

    def _begin(self, key: _Key, rendition: Rendition, nice: int) -> GrowingFile:
        growing = GrowingFile(rendition, key[0], lambda: self._give_up_later(key, growing))
        self._failures.check(key)
        if self._stopping:
            raise LiveUnavailableError("the server is shutting down")
        if not self._take_place():
            raise LiveUnavailableError("all encoders for listeners are busy")
        thread = threading.Thread(
            target=self._make, args=(key, growing, nice), name="encoder", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            self._free_place()
            raise LiveUnavailableError(f"cannot start an encoder: {error}") from error
        self._threads.add(thread)
        self._growing[key] = growing
        self._changed.notify_all()
        return growing

    def growing(self) -> list[GrowingFile]:
        """Return what is being made at the moment."""
        with self._changed:
            return list(self._growing.values())

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the encodes of this process; their partial files stay to be resumed."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            threads, growing_files = list(self._threads), list(self._growing.values())
        for growing in growing_files:
            growing.cancellation.set()
        self._seeks.close()
        deadline = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take_place(self) -> bool:
        with self._changed:
            if self._busy >= self._max_encoders:
                return False
            self._busy += 1
            return True

    def _free_place(self) -> None:
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def _make(self, key: _Key, growing: GrowingFile, nice: int) -> None:
        """Bring a file to its end: encode it, or watch another process that does, or take over."""
        error: Exception | None = None
        try:
            while not self._make_or_watch(growing, nice):
                growing.cancellation.pause(0)
        except EncodeInterruptedError as interrupted:
            error = interrupted
        except (EncodeError, OSError) as failure:
            error = failure
            if isinstance(failure, EncodeError):
                self._failures.add(key, failure)
            self._logger.warning("live encode failed: %s", failure)
        except Exception as defect:
            error = defect
            self._logger.exception("live encode of %s failed", growing.entry)
        finally:
            self._forget(key, growing)
            # Before the end is told: where nothing could be stored, its listeners need the place.
            self._free_place()
            growing.end(error)
            with self._changed:
                self._threads.discard(threading.current_thread())

    def _forget(self, key: _Key, growing: GrowingFile) -> None:
        """Let nobody join a growing file any more."""
        with self._changed:
            if self._growing.get(key) is growing:
                del self._growing[key]

    def _make_or_watch(self, growing: GrowingFile, nice: int) -> bool:
        """Return True when the entry is complete; False when it is worth another look."""
        rendition, entry = growing.rendition, growing.entry
        path = partial_path(entry, rendition)
        if self._is_complete(growing):
            return True
        # Opening it for writing would wake those who watch it for its encoder's end.
        partial = None if is_locked(path) else Partial.lock(entry, rendition, wait=False)
        if partial is None:
            self._watch(growing)
            return False
        with partial:
            if self._is_complete(growing):
                partial.discard()
                return True
            attached = False
            lead = partial.size + int(_LEAD_S * rendition.bitrate_bps / 8)

            def on_growth(size: int) -> None:
                nonlocal attached
                attached = attached or growing.attach(path)
                growing.grow(size)
                growing.cancellation.pause(0)
                if size > lead:
                    growing.cancellation.stand_back(_AHEAD_NICE)

            on_start = growing.cancellation.hold
            self.cache.make(partial, nice=nice, on_growth=on_growth, on_start=on_start)
            return True

    def _is_complete(self, growing: GrowingFile) -> bool:
        rendition = growing.rendition
        if self.cache.examine(rendition.source.path, rendition.quality) is not Verdict.VALID:
            return False
        return growing.attach(growing.entry)

    def _watch(self, growing: GrowingFile) -> None:
        """Follow a file that another encoder writes, until that has published, failed or died."""
        path = partial_path(growing.entry, growing.rendition)
        while True:
            # Anew after each event but growth: the name may stand for another file by then.
            with FileWatch(path) as watch:
                if not is_locked(path):
                    return
                attached = False
                notice = Notice.GREW
                while notice is Notice.GREW:
                    attached = attached or growing.attach(path)
                    growing.measure_size()
                    growing.cancellation.pause(0)
                    notice = watch.wait(_LOOK_AROUND_S)

    def _give_up_later(self, key: _Key, growing: GrowingFile) -> None:
        """End an encode that nobody listens to, unless somebody is back by then."""
        if self._finish_abandoned or growing.is_wanted:
            return
        timer = threading.Timer(_UNHEARD_S, self._give_up, (key, growing))
        timer.daemon = True
        # Without a thread to spare the encode goes on, which is no harm.
        with contextlib.suppress(RuntimeError):
            timer.start()

    def _give_up(self, key: _Key, growing: GrowingFile) -> None:
        with self._changed:
            # Who came and left meanwhile has set a timer of his own; none is exact.
            if growing.is_wanted or growing.unheard_s < 0.9 * _UNHEARD_S:
                return
            self._forget(key, growing)
        growing.cancellation.set()


class Failures:
    """Which renditions could not be made a while ago, so that not every listener tries again."""

    def __init__(self, remembered_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._remembered_s = remembered_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[tuple[Path, str], tuple[float, str]] = {}

    def add(self, key: tuple[Path, str], error: Exception) -> None:
        """Remember a failure, and forget those that are over."""
        now = self._clock()
        with self._lock:
            kept = {k: v for k, v in self._failed.items() if now - v[0] < self._remembered_s}
            self._failed = {**kept, key: (now, str(error))}

    def check(self, key: tuple[Path, str]) -> None:
        """Raise LiveUnavailableError where a rendition failed not long ago, with the reason."""
        with self._lock:
            failed = self._failed.get(key)
        if failed is not None and self._clock() - failed[0] < self._remembered_s:
            raise LiveUnavailableError(f"it failed a while ago: {failed[1]}")
