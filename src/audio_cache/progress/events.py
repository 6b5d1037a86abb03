"""Events that a run emits, and the log that keeps them for listeners who join late."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

TRACK_STEPS: Final = frozenset({"track_started", "track_cached", "track_skipped", "track_failed"})
"""The steps of events about a single track; whatever its status, such an event never ends a run."""


# A detail may be a Path or an error; what it says is worth more than a TypeError.
_JSON: Final = json.JSONEncoder(default=str)


class ProgressStatus(StrEnum):
    """How a run, or one of its tracks, stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """One thing that happened in a run.

    Args:
        task_id: the task that it happened to, such as the slug of a mixtape.
        step: what the run was doing; one of TRACK_STEPS if the event is about one track.
        status: a ProgressStatus or its text.
        message: a sentence for people.
        current: how far the run is, in tracks.
        total: how many tracks the run has.
        timestamp: local time in ISO 8601 without a zone; now by default.
        details: more fields for the JSON; they never replace one of the above.

    Raises:
        ValueError: the status is none of ProgressStatus.
    """

    task_id: str
    step: str
    status: ProgressStatus
    message: str
    current: int = 0
    total: int = 0
    timestamp: str = field(
        default_factory=lambda: datetime.now().isoformat(timespec="microseconds")
    )
    details: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", ProgressStatus(self.status))

    @property
    def is_end(self) -> bool:
        """Say whether this event ends the run.

        It does if the status is completed or failed, unless the event is about one track: a
        track that fails must not end the stream for the tracks after it.
        """
        ends = self.status in (ProgressStatus.COMPLETED, ProgressStatus.FAILED)
        return ends and not self.is_of_track

    @property
    def is_of_track(self) -> bool:
        """Say whether the event is about one track."""
        return self.step in TRACK_STEPS

    @property
    def subject(self) -> tuple[str, str]:
        """Return what the event is about: a track, or a step of the run.

        If its emitter did not name the track, only its message distinguishes it from others.
        """
        track = str(self.details.get("track", ""))
        return ("track", track or self.message) if self.is_of_track else (self.step, track)

    def to_sse(self) -> str:
        """Return the event as one message of a text/event-stream."""
        fields: dict[str, object] = {
            "task_id": self.task_id,
            "step": self.step,
            "status": self.status.value,
            "message": self.message,
            "current": self.current,
            "total": self.total,
            "timestamp": self.timestamp,
        }
        return f"data: {_JSON.encode(fields | dict(self.details) | fields)}\n\n"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An event as the log keeps it: its text, written once for however many listeners.

    Args:
        number: its place in the run, from 1 on.
        frame: what `ProgressEvent.to_sse` gave.
        subject: events of one subject supersede each other.
    """

    number: int
    frame: str
    subject: tuple[str, str]


class EventLog:
    """The events of one run, bounded.

    The newest events are all kept. Of those before them only the last of each subject (a track,
    or a step of the run) is, so that a listener who asks for an event that is gone can still be
    told how every track stands. Twice `max_events` entries are the most it holds.
    """

    def __init__(self, max_events: int) -> None:
        if max_events < 1:
            raise ValueError(f"max_events is {max_events}, but a log keeps at least one event")
        self._max_events = max_events
        self._recent: deque[LogEntry] = deque()
        self._superseding: dict[tuple[str, str], LogEntry] = {}
        self.last_number = 0
        self.is_ended = False

    def append(self, event: ProgressEvent) -> None:
        """Keep an event as the newest one."""
        entry = LogEntry(self.last_number + 1, event.to_sse(), event.subject)
        self.keep(entry, is_end=event.is_end)

    def keep(self, entry: LogEntry, *, is_end: bool) -> None:
        """Keep the next entry, where it was written by somebody else."""
        self.last_number = entry.number
        self._recent.append(entry)
        self.is_ended = self.is_ended or is_end
        if len(self._recent) > self._max_events:
            self._compact(self._recent.popleft())

    def restore(self, superseding: Iterable[LogEntry], last_number: int) -> None:
        """Begin with what is left of earlier events, in order, and the number of the last."""
        self._recent.clear()
        self._superseding = {entry.subject: entry for entry in superseding}
        self.last_number = last_number

    def has_all_after(self, number: int) -> bool:
        """Say whether every event after that number is still there."""
        return number >= self.last_number - len(self._recent)

    def get_after(self, number: int) -> list[LogEntry]:
        """Return every event after that number, in order; all must be there."""
        # From the right, where listeners are: a deque is slow to index in its middle only.
        return [self._recent[index] for index in range(number - self.last_number, 0)]

    def get_state(self) -> list[LogEntry]:
        """Return what is kept, in order: the last event of each subject, then all recent ones."""
        return [*self._superseding.values(), *self._recent]

    def _compact(self, entry: LogEntry) -> None:
        self._superseding.pop(entry.subject, None)  # so that the dict stays in order of number
        self._superseding[entry.subject] = entry
        if len(self._superseding) > self._max_events:
            del self._superseding[next(iter(self._superseding))]
