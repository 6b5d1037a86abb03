"""Live encodes: tracks played while they are made, by one encoder with many followers."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ..encoding.rendition import Rendition
from ..errors import EncodeError, EncodeInterruptedError, LiveUnavailableError
from ..store.cache import AudioCache
from ..store.entry import Verdict
from ..store.partial import Partial, fill, is_locked, partial_path
from .growing_file import LEAD_BYTES, FollowedBytes, Follower, GrowingFile
from .seeks import Seeks
from .turns import Turn, Turns

_LOOK_EVERY_S: Final = 0.05
# While a listener waits for a place, to see whether he has left.
_LOOK_AROUND_S: Final = 1.0
# A player that jumps about leaves and is back within the second.
_UNHEARD_S: Final = 1.0
# A listener waits only for the beginning. Once a file has grown by this much it is ahead of any
# listener, and its encoder makes way for those of other starts and of seeks.
_LEAD_S: Final = 2.0
_AHEAD_NICE: Final = 9
# As long as a seek takes to give its first bytes, on a small machine.
_HELD_BACK_S: Final = 1.0
# How much is made in a turn while others wait to go on: each costs a start of ffmpeg.
_TURN_S: Final = 40.0

_Key = tuple[Path, str]


class _TurnOver(Exception):
    """Others have waited longer for a place; the partial file is resumed in the next turn."""


class Live:
    """The live encodes of one process.

    Args:
        cache: where the renditions go.
        max_encoders: how many ffmpegs may run for listeners at once, for files and seeks together.
        wait_s: how long a new listener waits for one of them before getting the original.
        finish_abandoned: finish an encode that nobody listens to any more.
        retry_after_s: how long to wait before trying a failed source again.
    """

    def __init__(
        self,
        cache: AudioCache,
        *,
        max_encoders: int = 8,
        wait_s: float = 10.0,
        finish_abandoned: bool = True,
        retry_after_s: float = 300.0,
    ) -> None:
        self.cache = cache
        self._logger = cache.logger
        self._wait_s = wait_s
        self._finish_abandoned = finish_abandoned
        # Called before anything is made; what it raises ends the request. A process that only
        # answers what is stored sets it.
        self.may_make: Callable[[], None] = _always
        self._failures = Failures(retry_after_s)
        self._turns = Turns(max_encoders)
        # Guards everything below; may be taken again by who holds it.
        self._lock = threading.RLock()
        self._growing: dict[_Key, GrowingFile] = {}
        self._threads: set[threading.Thread] = set()
        self._seeks = Seeks(self._turns.take_now, self._turns.free, max(1, max_encoders // 2))
        self._stopping = False

    @property
    def busy_encoders(self) -> int:
        """Return how many of the encoders' places are taken."""
        return self._turns.taken

    def play(
        self,
        rendition: Rendition,
        start: int,
        stop: int,
        *,
        listener: str = "",
        nice: int = 0,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> FollowedBytes:
        """Return the bytes [start, stop) of a rendition as they are made.

        The first of them are there when this returns, so after a failure something else can still
        be sent. Close the iterator when the listener leaves.

        Args:
            listener: who is asking: an address, and behind a blank what else tells him from others.
                Each has at most one seek encoder per rendition, and each address half of all.
            nice: CPU niceness of the encoder, where this listener is the first.
            is_gone: says whether the listener has left; called while there is nothing to send.

        Raises:
            LiveUnavailableError: all encoders are busy, or the source or the disk failed.
        """
        for may_try_again in (True, False):
            growing = self.start(
                rendition, listened=True, begin_at=start, nice=nice, is_gone=is_gone
            )
            try:
                return Follower(growing, self._seeks, start, stop, listener, is_gone).begin()
            except Exception as error:
                growing.leave()
                # The encode may have been abandoned at the very moment that this listener came.
                if may_try_again and isinstance(error, EncodeInterruptedError):
                    continue
                raise LiveUnavailableError(f"cannot play live: {error}") from error
        raise AssertionError("unreachable")

    def start(
        self,
        rendition: Rendition,
        *,
        listened: bool = False,
        begin_at: int = 0,
        nice: int = 0,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> GrowingFile:
        """Start making a rendition's entry unless that has begun; return the growing file.

        Those who listen wait for a place in the order in which they came.

        Args:
            listened: count the caller among the readers; it must call `leave` on the file.
                Otherwise the entry is made for the cache, whether or not anybody listens.
            begin_at: the first byte that is wanted. Where that is a jump, its encoder goes first.
            nice: CPU niceness of the encoder.
            is_gone: says whether the listener has left, who then waits no longer.

        Raises:
            LiveUnavailableError: all encoders are busy, or the same source failed a while ago.
        """
        entry = self.cache.get_cache_path(rendition.source.path, rendition.quality)
        key = (entry, rendition.token)
        growing = self._join(key, listened)
        if growing is not None:
            return growing
        self._failures.check(key)
        head = b"" if rendition.is_best_effort else self.cache.heads.find(rendition)
        turn, is_mine = self._turns.ask(key), False
        try:
            # Somebody may have begun since, who then did not see who waits.
            growing = self._join(key, listened)
            if growing is None:
                self._wait_for(turn, self._wait_s if listened else 0.0, is_gone)
                with self._lock:
                    growing = self._growing.get(key)
                    if growing is None:
                        growing = self._begin(key, rendition, head, begin_at, nice, turn)
                        is_mine = True
                    self._count_in(growing, listened)
        finally:
            # That of an encode is ended by its thread.
            if not is_mine:
                turn.end()
        # Those who wait for the same file need no place any more.
        self._turns.call_off(key)
        return growing

    def _join(self, key: _Key, listened: bool) -> GrowingFile | None:
        with self._lock:
            growing = self._growing.get(key)
            if growing is not None:
                self._count_in(growing, listened)
            return growing

    def _count_in(self, growing: GrowingFile, listened: bool) -> None:
        if listened:
            growing.join()
        else:
            growing.is_wanted = True

    def _wait_for(self, turn: Turn, limit_s: float, is_gone: Callable[[], bool]) -> None:
        deadline = time.monotonic() + limit_s
        while not turn.wait(max(0.0, min(_LOOK_AROUND_S, deadline - time.monotonic()))):
            self._seeks.end_stalled()
            if time.monotonic() >= deadline or is_gone():
                return

    def _begin(
        self, key: _Key, rendition: Rendition, head: bytes, begin_at: int, nice: int, turn: Turn
    ) -> GrowingFile:
        growing = GrowingFile(
            rendition,
            key[0],
            lambda: self._give_up_later(key, growing),
            head,
            functools.partial(self.cache.damages.explained, rendition.source.path),
        )
        if begin_at <= max(len(head), len(rendition.header)):
            growing.may_begin.set()
        self._failures.check(key)
        if self._stopping:
            raise LiveUnavailableError("the server is shutting down")
        if not turn.has_place:
            raise LiveUnavailableError("all encoders for listeners are busy")
        thread = threading.Thread(
            target=self._make, args=(key, growing, turn, nice), name="encoder", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            raise LiveUnavailableError(f"cannot start an encoder: {error}") from error
        self._threads.add(thread)
        self._growing[key] = growing
        return growing

    @contextlib.contextmanager
    def place(self, is_gone: Callable[[], bool]) -> Iterator[None]:
        """Hold a place for an encode of a second or two, once nobody waits who listens.

        Raises:
            LiveUnavailableError: the server is shutting down, or who asked has left meanwhile.
        """
        turn = self._turns.ask_last()
        try:
            while not turn.wait(_LOOK_AROUND_S):
                if self._stopping or is_gone():
                    raise LiveUnavailableError("nobody waits for this encode any more")
            yield
        finally:
            turn.end()

    def growing(self) -> list[GrowingFile]:
        """Return the files that are being made."""
        with self._lock:
            return list(self._growing.values())

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the encodes of this process; their partial files will be resumed."""
        with self._lock:
            self._stopping = True
            threads, growing_files = list(self._threads), list(self._growing.values())
        for growing in growing_files:
            growing.cancellation.set()
        self._turns.call_off()
        self._seeks.close()
        deadline = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _make(self, key: _Key, growing: GrowingFile, turn: Turn, nice: int) -> None:
        """Finish a file: encode it, or watch another process that does, or take over from that."""
        error: Exception | None = None
        try:
            growing.may_begin.wait(_HELD_BACK_S)
            while not self._make_or_watch(growing, turn, nice):
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
            turn.end()
            growing.end(error)
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _forget(self, key: _Key, growing: GrowingFile) -> None:
        """Stop anybody else from joining a growing file."""
        with self._lock:
            if self._growing.get(key) is growing:
                del self._growing[key]

    def _make_or_watch(self, growing: GrowingFile, turn: Turn, nice: int) -> bool:
        """Return True when the entry is complete; False if it is worth another look."""
        rendition, entry = growing.rendition, growing.entry
        partial = Partial.lock(entry, rendition, wait=False)
        if partial is None:
            self._watch(growing)
            return self._is_complete(growing)
        with partial:
            if self._is_complete(growing):
                partial.discard()
                return True
            with contextlib.suppress(_TurnOver):
                self._fill(growing, partial, nice)
                return True
        # The partial is unlocked by now, so another process may go on with it meanwhile.
        turn.wait_again(lambda: growing.cancellation.pause(0), _LOOK_EVERY_S)
        return False

    def _fill(self, growing: GrowingFile, partial: Partial, nice: int) -> None:
        """Encode to the end, or to that of a turn."""
        rendition, path = growing.rendition, partial_path(growing.entry, growing.rendition)
        attached = False
        bytes_per_s = rendition.bitrate_bps / 8
        lead = partial.size + max(LEAD_BYTES, int(_LEAD_S * bytes_per_s))
        turn_ends = partial.size + int(_TURN_S * bytes_per_s)

        def on_growth(size: int) -> None:
            nonlocal attached
            attached = attached or growing.attach(path)
            growing.grow(size)
            growing.cancellation.pause(0)
            if size > lead:
                growing.cancellation.stand_back(_AHEAD_NICE)
                if self._turns.is_awaited or (size > turn_ends and self._turns.is_shared):
                    raise _TurnOver

        on_start = growing.cancellation.hold
        if not rendition.is_best_effort:
            self.cache.make(
                partial, nice=nice, on_growth=on_growth, on_start=on_start, head=growing.head
            )
            return
        # Who listens has the file open; nobody after them may take it for the track.
        encode = functools.partial(rendition.encode, nice=nice)
        room = self.cache.room.take_for_listener
        fill(partial, encode, Partial.discard, on_growth, room, on_start=on_start)

    def _is_complete(self, growing: GrowingFile) -> bool:
        rendition = growing.rendition
        found = self.cache.find(rendition.source.path, rendition.quality)
        if isinstance(found, Verdict):
            return False
        # Audio of the same length that has taken the source's place would have the same header.
        is_same = found.version == rendition.source.version or found.etag == rendition.etag
        return is_same and growing.attach(growing.entry)

    def _watch(self, growing: GrowingFile) -> None:
        """Follow a file that another encoder writes, until that one publishes, fails or dies."""
        path = partial_path(growing.entry, growing.rendition)
        while is_locked(path):
            # Anew each time, as the name may stand for another file by then.
            growing.attach(path)
            growing.cancellation.pause(_LOOK_EVERY_S)

    def _give_up_later(self, key: _Key, growing: GrowingFile) -> None:
        """End an encode that nobody listens to, unless somebody comes back in time."""
        # What is never stored is made for nobody, and may be hours of silence.
        is_kept = self._finish_abandoned and not growing.rendition.is_best_effort
        if is_kept or growing.is_wanted:
            return
        timer = threading.Timer(_UNHEARD_S, self._give_up, (key, growing))
        timer.daemon = True
        # If no thread can be started, the encode goes on, which does no harm.
        with contextlib.suppress(RuntimeError):
            timer.start()

    def _give_up(self, key: _Key, growing: GrowingFile) -> None:
        with self._lock:
            # A listener who came and left since then has set another timer; timers aren't exact.
            if growing.is_wanted or growing.unheard_s < 0.9 * _UNHEARD_S:
                return
            self._forget(key, growing)
        growing.cancellation.set()


class Failures:
    """Renditions that failed recently, so that not every listener tries them again."""

    def __init__(self, remembered_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._remembered_s = remembered_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[tuple[Path, str], tuple[float, str]] = {}

    def add(self, key: tuple[Path, str], error: Exception) -> None:
        """Remember a failure, and forget old ones."""
        now = self._clock()
        with self._lock:
            kept = {k: v for k, v in self._failed.items() if now - v[0] < self._remembered_s}
            self._failed = {**kept, key: (now, str(error))}

    def check(self, key: tuple[Path, str]) -> None:
        """Raise LiveUnavailableError, with the reason, if a rendition failed recently."""
        with self._lock:
            failed = self._failed.get(key)
        if failed is not None and self._clock() - failed[0] < self._remembered_s:
            raise LiveUnavailableError(f"it failed a while ago: {failed[1]}")


def _always() -> None:
    """Let everything be made."""
