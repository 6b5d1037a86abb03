"""Listening to a tracker, as several tests do it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from audio_cache.progress.tracker import ProgressTracker
from tests.helpers.waiting import LIMIT_S

KEEPALIVE = ": keepalive\n\n"
SETTLED_STEPS = ("track_cached", "track_skipped", "track_failed")


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def parse(frame: str) -> dict[str, Any]:
    """Return the JSON of a frame, read as a client of the contract reads it."""
    [line] = [line for line in frame.splitlines() if line.startswith("data: ")]
    fields = json.loads(line.removeprefix("data: "))
    assert isinstance(fields, dict)
    return fields


def drain(stream: Iterator[str]) -> list[dict[str, Any]]:
    """Return the events that are there, without "connected", up to the first pause or the end."""
    events = []
    for frame in stream:
        if frame == KEEPALIVE:
            break
        events.append(parse(frame))
    assert events[0]["type"] == "connected"
    return events[1:]


def messages(events: list[dict[str, Any]]) -> list[str]:
    return [event["message"] for event in events]


def emit_many(tracker: ProgressTracker, task_id: str, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        tracker.emit(task_id, "caching", "in_progress", f"event {number}", number, count)


def follow_in_thread(
    tracker: ProgressTracker, task_id: str, **options: Any
) -> tuple[threading.Thread, list[str]]:
    """Listen in a thread of its own; return it when it has had its first frame."""
    frames: list[str] = []
    is_connected = threading.Event()

    def follow() -> None:
        for frame in tracker.listen(task_id, timeout=LIMIT_S, **options):
            frames.append(frame)
            is_connected.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert is_connected.wait(LIMIT_S)
    return thread, frames
