"""Plays: counted in memory while listeners are answered, and written to the index in batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Final

from .ledger import Ledger, Play

_WRITTEN_EVERY_S: Final = 30.0
# Of one listening a player makes many requests; one who comes back after this listens again.
_ONE_LISTENING_S: Final = 300.0
_MOST_WAITING: Final = 10_000


class Plays:
    """The plays of this process that are not in the index yet.

    Args:
        ledger: where they are recorded.
        clock: gives the seconds since the epoch.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.time) -> None:
        self._ledger = ledger
        self._clock = clock
        # Told of what is written: other nodes count with it.
        self.tell: Callable[[list[Play]], None] = _tell_nobody
        self._lock = threading.Lock()
        self._heard: dict[tuple[str, Hashable], float] = {}
        self._waiting: list[Play] = []
        self._written_at = clock()
        self._is_writing = False

    def note(self, object_id: str, size_bytes: int, listener: Hashable, name: str = "") -> None:
        """Count a play, unless it is a further request of the same listening.

        Args:
            object_id: of the rendition; "" where that is not known yet.
            size_bytes: of the rendition.
            listener: who listens, told from others as well as that can be.
            name: of the entry, by which the id will be found.
        """
        now = self._clock()
        key = (object_id or name, listener)
        heard_at = self._heard.get(key)
        self._heard[key] = now
        if heard_at is not None and now - heard_at < _ONE_LISTENING_S:
            return
        with self._lock:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append(Play(now, object_id, size_bytes, name))
            is_due = now - self._written_at > _WRITTEN_EVERY_S and not self._is_writing
            self._is_writing = self._is_writing or is_due
        if is_due:
            threading.Thread(target=self._write_now, name="plays", daemon=True).start()

    def write(self) -> None:
        """Write what was counted, and forget who listened to what a while ago."""
        now = self._clock()
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._written_at = now
            over = [key for key, at in self._heard.copy().items() if now - at > _ONE_LISTENING_S]
            for key in over:
                self._heard.pop(key, None)
        if not waiting:
            return
        unknown = self._ledger.note_plays(waiting)
        not_known = set(unknown)
        self.tell([play for play in waiting if play not in not_known])
        # Something that could not be stored never gets an entry to be known by.
        kept = [play for play in unknown if now - play.at_s < 10 * _WRITTEN_EVERY_S]
        with self._lock:
            self._waiting = kept + self._waiting

    def _write_now(self) -> None:
        try:
            self.write()
        finally:
            with self._lock:
                self._is_writing = False


def _tell_nobody(plays: list[Play]) -> None:
    """Do nothing: this node is alone."""
