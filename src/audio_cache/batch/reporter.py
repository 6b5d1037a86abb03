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
    `track_skipped(name, reason)` and `track_failed(name, error)`, those are called too;
    `track_cached` with `bytes_saved` and `audio_s` where it takes them.
    """

    def __init__(self, callback: Progress | None, total: int, logger: logging.Logger) -> None:
        self._callback = callback
        self._total = total
        self._logger = logger
        self._done = 0
        self._is_muted = False
        # Reentrant: a callback may cancel the batch, which mutes its reporter.
        self._lock = threading.RLock()

    def mute(self) -> None:
        """Report nothing more once this call returns."""
        with self._lock:
            self._is_muted = True

    def started(self, track: BatchTrack) -> None:
        """Report that a track is being encoded."""
        self._tell("track_started", track.name)

    def grew(self, track: BatchTrack, size_bytes: int, of_bytes: int) -> None:
        """Tell how far the encode of a track is."""
        self._tell("track_grew", track.name, size_bytes, of_bytes)

    def settled(self, track: BatchTrack, outcome: Outcome) -> None:
        """Report what became of a track."""
        if self._callback is None:
            return
        with self._lock:
            self._done += 1
            if outcome.fate is Fate.CACHED:
                details = {"bytes_saved": outcome.bytes_saved, "audio_s": outcome.audio_s}
                self._tell("track_cached", track.name, **details)
            else:
                self._tell(f"track_{outcome.fate.value}", track.name, outcome.reason)
            self._call(self._callback, self._done, self._total)

    def _tell(self, name: str, *arguments: object, **details: object) -> None:
        method = getattr(self._callback, name, None)
        if method is not None:
            self._call(method, *arguments, **_taken_by(method, details))

    def _call(self, function: Callable[..., Any], *arguments: object, **details: object) -> None:
        with self._lock:
            if self._is_muted:
                return
            try:
                function(*arguments, **details)
            except Exception:
                self._logger.exception("a progress callback failed; the work goes on")


def _taken_by(method: Callable[..., object], details: dict[str, object]) -> dict[str, object]:
    """Return those of the details that an optional method of a callback takes."""
    if not details:
        return details
    try:
        parameters = inspect.signature(method).parameters
    except (TypeError, ValueError):
        return {}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return details
    return {name: details[name] for name in details if name in parameters}
