"""Playing what is still being encoded: one encoder, many followers, and seeks ahead of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final

from .audio_cache import AudioCache
from .entry import Verdict
from .errors import EncodeError, EncodeInterruptedError, LiveUnavailableError
from .growth import Growth
from .partial import Partial, is_locked, partial_path
from .rendition import Rendition
from .seeks import Failures, Seeks
from .watch import FileWatch, Notice

# A seek costs a start of ffmpeg and two groups: what the encoder reaches sooner is waited for.
_WORTH_A_SEEK_S: Final = 0.2
_LOOK_AROUND_S: Final = 1.0
_START_WITHIN_S: Final = 30.0


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
        self._slots = threading.BoundedSemaphore(max_encoders)
        self._wait_s = wait_s
        self._finish_abandoned = finish_abandoned
        self._failures = Failures(retry_after_s)
        self._lock = threading.Lock()
        self._growths: dict[tuple[Path, str], Growth] = {}
        self._threads: set[threading.Thread] = set()
        self._seeks = Seeks()
        self._stopping = False

    def play(
        self,
        rendition: Rendition,
        start: int,
        stop: int,
        *,
        listener: str = "",
        is_gone: Callable[[], bool] = lambda: False,
    ) -> Iterator[bytes]:
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
            growth = self.start(rendition, listened=True)
            try:
                key = (listener, growth.entry)
                return _Stream(self, growth, start, stop, key, is_gone).primed()
            except Exception as error:
                growth.leave()
                # The encode may have been given up, unheard, in the moment that this one came.
                if may_try_again and isinstance(error, EncodeInterruptedError):
                    continue
                raise LiveUnavailableError(f"cannot play live: {error}") from error
        raise AssertionError("unreachable")

    def start(self, rendition: Rendition, *, listened: bool = False, nice: int = 0) -> Growth:
        """Start making a rendition's entry unless that is under way; return its growth.

        Args:
            listened: count the caller among the readers; it must call `leave` on the growth.
            nice: CPU niceness of the encoder.

        Raises:
            LiveUnavailableError: all encoders are busy, or the same source failed a while ago.
        """
        entry = self.cache.get_cache_path(rendition.source.path, rendition.quality)
        key = (entry, rendition.etag)
        growth = self._join(key, listened)
        if growth is not None:
            return growth
        self._failures.check(key)
        if not self._slots.acquire(timeout=self._wait_s if listened else 0):
            raise LiveUnavailableError("all encoders for listeners are busy")
        with self._lock:
            growth = self._growths.get(key)
            if growth is None and not self._stopping:
                growth = self._growths[key] = Growth(rendition, entry)
                if listened:
                    growth.join()
                thread = threading.Thread(
                    target=self._make, args=(key, growth, nice), name="encoder", daemon=True
                )
                self._threads.add(thread)
                thread.start()
                return growth
        self._slots.release()
        joined = self._join(key, listened)
        if joined is None:
            raise LiveUnavailableError("the server is shutting down")
        return joined

    def growing(self) -> list[Growth]:
        """Return what is being made at the moment."""
        with self._lock:
            return list(self._growths.values())

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the encodes of this process; their partial files stay to be resumed."""
        with self._lock:
            self._stopping = True
            threads = list(self._threads)
        self._seeks.end_all()
        deadline = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _join(self, key: tuple[Path, str], listened: bool) -> Growth | None:
        with self._lock:
            growth = self._growths.get(key)
            if growth is not None and listened:
                growth.join()
            return growth

    def _make(self, key: tuple[Path, str], growth: Growth, nice: int) -> None:
        """Bring a growth to its end: encode, or watch another process that does, or take over."""
        error: Exception | None = None
        try:
            while not self._make_or_watch(growth, nice):
                self._require_interest(growth)
        except EncodeInterruptedError as interrupted:
            error = interrupted
        except (EncodeError, OSError) as failure:
            error = failure
            if isinstance(failure, EncodeError):
                self._failures.add(key, failure)
            self._logger.warning("live encode failed: %s", failure)
        except Exception as defect:
            error = defect
            self._logger.exception("live encode of %s failed", growth.entry)
        finally:
            with self._lock:
                self._growths.pop(key, None)
                self._threads.discard(threading.current_thread())
            growth.end(error)
            self._slots.release()

    def _make_or_watch(self, growth: Growth, nice: int) -> bool:
        """Return True when the entry is complete; False when it is worth another look."""
        rendition, entry = growth.rendition, growth.entry
        if self._is_complete(growth):
            return True
        partial = Partial.lock(entry, rendition, wait=False)
        if partial is None:
            self._watch(growth)
            return False
        with partial:
            if self._is_complete(growth):
                partial.discard()
                return True

            attached = False

            def on_growth(size: int) -> None:
                nonlocal attached
                attached = attached or growth.attach(partial_path(entry))
                growth.grow(size)
                self._require_interest(growth)

            self.cache.make(partial, entry, nice=nice, on_growth=on_growth)
            return True

    def _is_complete(self, growth: Growth) -> bool:
        rendition = growth.rendition
        if self.cache.examine(rendition.source.path, rendition.quality) is not Verdict.VALID:
            return False
        return growth.attach(growth.entry)

    def _watch(self, growth: Growth) -> None:
        """Follow a file that another encoder writes, until that has published, failed or died."""
        path = partial_path(growth.entry)
        attached = False
        with FileWatch(path) as watch:
            while is_locked(path):
                notice = Notice.GREW
                while notice is Notice.GREW:
                    attached = attached or growth.attach(path)
                    if attached:
                        growth.measure_size()
                    self._require_interest(growth)
                    notice = watch.wait(_LOOK_AROUND_S)

    def _require_interest(self, growth: Growth) -> None:
        if self._stopping:
            raise EncodeInterruptedError("the server is shutting down")
        if not self._finish_abandoned and growth.readers == 0:
            raise EncodeInterruptedError("nobody listens any more")


class _Stream:
    """One listener's way through a growing file, with an encoder of its own where far ahead."""

    def __init__(
        self,
        live: Live,
        growth: Growth,
        start: int,
        stop: int,
        key: tuple[str, Path],
        is_gone: Callable[[], bool],
    ) -> None:
        self._live = live
        self._growth = growth
        self._at = start
        self._stop = stop
        self._key = key
        self._is_gone = is_gone

    def primed(self) -> Iterator[bytes]:
        """Return the bytes as an iterator whose first piece is already made."""
        chunks = self._chunks()
        first = next(chunks, b"")
        if not self._growth.wait_for(lambda: self._growth.has_audio, _START_WITHIN_S):
            chunks.close()
            raise self._growth.error or LiveUnavailableError("the encoder did not start in time")
        return _Primed(first, chunks, self._growth.leave)

    def _chunks(self) -> Generator[bytes]:
        while self._at < self._stop:
            data = self._growth.read_at(self._at, self._stop)
            if data:
                self._at += len(data)
                yield data
            elif self._growth.seconds_until(self._at) > _WORTH_A_SEEK_S and self._may_seek():
                yield from self._ahead()
            else:
                self._wait()

    def _may_seek(self) -> bool:
        return not self._growth.is_over and self._live._slots.acquire(blocking=False)

    def _ahead(self) -> Iterator[bytes]:
        """Yield bytes of an encoder of our own until the file's encoder has come as far."""
        seeks, growth = self._live._seeks, self._growth
        seek = seeks.begin(self._key)
        pieces = growth.rendition.read(self._at, self._stop, on_start=seek.hold)
        try:
            for data in pieces:
                self._at += len(data)
                yield data
                if growth.size > self._at:
                    return
        except EncodeInterruptedError:
            # A later seek of this listener has taken the encoder; the file will get here too.
            self._wait()
        finally:
            pieces.close()
            seeks.finish(self._key, seek)
            self._live._slots.release()

    def _wait(self) -> None:
        growth = self._growth
        if growth.wait_for(lambda: growth.size > self._at, _LOOK_AROUND_S):
            return
        if growth.is_over:
            raise growth.error or RuntimeError(f"{growth.entry} is shorter than its rendition")
        if self._is_gone():
            raise EncodeInterruptedError("the listener has left")


class _Primed(Iterator[bytes]):
    """An iterator with its first item in hand; closing it, once, releases what it held."""

    def __init__(self, first: bytes, rest: Generator[bytes], release: Callable[[], None]) -> None:
        self._first = first
        self._rest = rest
        self._release: Callable[[], None] | None = release

    def __next__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return next(self._rest)

    def close(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            self._rest.close()
            release()

    def __del__(self) -> None:
        self.close()
