"""The reporter that tells a progress callback how a batch goes, by whichever methods it has."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any

from .outcome import BatchTrack, Fate, Outcome

Progress = Callable[[int, int], None]


class Reporter:
    """Call a progress callback, one call at a time, and never let its errors end a batch.

    The callback is called with (settled tracks, all tracks) after each track. Where it has the
    methods `track_started(name)`, `track_grew(name, size_bytes, of_bytes)`, `track_cached(name)`,
    `track_skipped(name, reason)` and `track_failed(name, error)`, those are called too, with
    `bytes_saved` and `audio_s` if they accept them.
    """

    def __init__(self, callback: Progress | None, total: int, logger: logging.Logger) -> None:
        self._callback = callback
        self._total = total
        self._logger = logger
        self._done = 0
        self._is_muted = False
        # Reentrant: a callback may cancel the batch, which mutes its reporter.
        self._lock = threading.RLock()
        self._methods = {
            name: _Method(getattr(callback, name, None))
            for name in (
                "track_started",
                "track_grew",
                *(f"track_{fate.value}" for fate in Fate),
            )
        }

    def mute(self) -> None:
        """Report nothing more once this call returns."""
        with self._lock:
            self._is_muted = True

    def started(self, track: BatchTrack) -> None:
        """Report that a track is being encoded."""
        self._tell("track_started", track.name)

    def grew(self, track: BatchTrack, size_bytes: int, of_bytes: int) -> None:
        """Report how far the encode of a track has got."""
        if self._methods["track_grew"].exists:
            self._tell("track_grew", track.name, size_bytes, of_bytes)

    def settled(self, track: BatchTrack, outcome: Outcome) -> None:
        """Report what became of a track."""
        if self._callback is None:
            return
        reason = () if outcome.fate is Fate.CACHED else (outcome.reason,)
        details = {"bytes_saved": outcome.bytes_saved, "audio_s": outcome.audio_s}
        with self._lock:
            self._done += 1
            self._tell(f"track_{outcome.fate.value}", track.name, *reason, **details)
            self._call(self._callback, self._done, self._total)

    def _tell(self, name: str, *arguments: object, **details: object) -> None:
        with self._lock:
            if self._methods[name].exists:
                self._call(self._methods[name], *arguments, **details)

    def _call(self, function: Callable[..., Any], *arguments: object, **details: object) -> None:
        if self._is_muted:
            return
        try:
            function(*arguments, **details)
        except Exception:
            self._logger.exception("a progress callback failed; the work goes on")


class _Method:
    """An optional method of a callback, called with only those details that it accepts."""

    def __init__(self, method: Callable[..., object] | None) -> None:
        self._method = method
        self._takes: set[str] | None = set()
        if method is not None:
            try:
                parameters = inspect.signature(method).parameters.values()
            except (TypeError, ValueError):
                return
            self._takes = {parameter.name for parameter in parameters}
            if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
                self._takes = None

    @property
    def exists(self) -> bool:
        return self._method is not None

    def __call__(self, *arguments: object, **details: object) -> None:
        assert self._method is not None
        if self._takes is not None:
            details = {name: details[name] for name in details if name in self._takes}
        self._method(*arguments, **details)
