"""Surveys in the background: they set the index right, and nobody who plays waits for one."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .facts import Facts
from .ledger import Ledger
from .objects import HEADS_FOLDER, LocalObjects
from .pins import Pins
from .survey import survey

# A survey of a huge cache takes seconds; at most one part in fifty of the time goes into it.
_REST_PER_SURVEY: Final = 50


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
