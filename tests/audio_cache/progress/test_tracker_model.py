"""Listeners that join, leave and reconnect at random see what a model of the tracker says."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from audio_cache.progress.tracker import ProgressTracker

TASK = "t"
KEEP_S = 600
TRACKS = ("", "a", "b", "c")


@dataclass
class ModelRun:
    """What was emitted, as (message, track), and how much of it is still kept in full."""

    limit: int
    emitted: list[tuple[str, str]] = field(default_factory=list)
    is_ended: bool = False

    def after(self, number: int) -> list[str]:
        """Return the messages that a listener must get that has had `number` of them."""
        gone = max(len(self.emitted) - self.limit, 0)
        if number >= gone:
            return [message for message, _ in self.emitted[number:]]
        last_of = {track: place for place, (_, track) in enumerate(self.emitted[:gone])}
        kept = [*sorted(last_of.values())[-self.limit :], *range(gone, len(self.emitted))]
        return ["reset", *(self.emitted[place][0] for place in kept)]


@dataclass
class Listener:
    """A stream, and where the model thinks it is: in which run, after how many events.

    Its generation says how often the task had been forgotten when it joined.
    """

    stream: Generator[str, None, None]
    run: ModelRun | None = None
    number: int = 0
    generation: int | None = None
    asked_for: str = ""
    last_id: str = ""
    is_open: bool = True


class TrackerMachine(RuleBasedStateMachine):
    """One task, its runs, and listeners that are read until they are idle or over."""

    limit = 10_000
    # Whether it forgets by the clock that it is given.
    has_clock = True

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.tracker = self.make_tracker(
            keepalive_s=0,
            max_events=self.limit,
            keep_finished_s=KEEP_S,
            keep_silent_s=1e9,
            clock=lambda: self.now,
        )
        self.run: ModelRun | None = None
        self.runs: dict[str, ModelRun] = {}
        self.forgotten: list[ModelRun] = []
        self.listeners: list[Listener] = []
        self.count = 0
        self.ended_at = 0.0

    def make_tracker(self, **options: Any) -> ProgressTracker:
        return ProgressTracker(**options)

    def begin(self) -> ModelRun:
        self.run = self.runs[self.tracker.get_run(TASK)] = ModelRun(self.limit)
        return self.run

    @rule()
    def create(self) -> None:
        self.tracker.create_task(TASK)
        if self.run is None or self.run.emitted:
            self.begin()

    @rule(count=st.integers(1, 8), track=st.sampled_from(TRACKS))
    def emit(self, count: int, track: str) -> None:
        for _ in range(count):
            self.count += 1
            message = f"event {self.count}"
            before = self.run
            self.tracker.emit(TASK, "caching", "in_progress", message, track=track)
            run = self.begin() if before is None or before.is_ended else before
            run.emitted.append((message, track))

    @precondition(lambda self: self.run is not None and not self.run.is_ended)
    @rule(status=st.sampled_from(["completed", "failed"]))
    def end(self, status: str) -> None:
        assert self.run is not None
        self.count += 1
        # A subject of its own: the last event of a run is never superseded.
        self.tracker.emit(TASK, "caching", status, f"end {self.count}", track="the end")
        self.run.emitted.append((f"end {self.count}", "the end"))
        self.run.is_ended = True
        self.ended_at = self.now

    @precondition(lambda self: self.run is not None and self.run.is_ended)
    @rule(status=st.sampled_from(["completed", "failed", "skipped"]))
    def straggle(self, status: str) -> None:
        self.tracker.emit(TASK, "track_failed", status, "too late")

    @precondition(lambda self: self.has_clock)
    @rule(seconds=st.sampled_from([1, KEEP_S, KEEP_S + 1]))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        is_known = self.tracker.has_task(TASK)
        if self.run is not None and self.run.is_ended:
            assert is_known is (self.now - self.ended_at <= KEEP_S)
            if not is_known:
                self.forget()

    @precondition(lambda self: self.run is not None)
    @rule()
    def clean_up(self) -> None:
        self.tracker.cleanup_task(TASK)
        self.forget()

    def forget(self) -> None:
        assert self.run is not None
        self.forgotten.append(self.run)
        self.run = None

    @precondition(lambda self: len(self.listeners) < 6)
    @rule()
    def join(self) -> None:
        self.listeners.append(self.open(""))

    @precondition(lambda self: self.listeners)
    @rule(which=st.integers(0, 5))
    def leave(self, which: int) -> None:
        self.listeners.pop(which % len(self.listeners)).stream.close()

    @precondition(lambda self: self.listeners)
    @rule(which=st.integers(0, 5), reads_first=st.booleans())
    def reconnect(self, which: int, reads_first: bool) -> None:
        old = self.listeners.pop(which % len(self.listeners))
        if reads_first:
            self.read(old)
        old.stream.close()
        self.listeners.append(self.open(old.last_id))

    @precondition(lambda self: self.listeners)
    @rule(which=st.integers(0, 5))
    def read_one(self, which: int) -> None:
        self.read(self.listeners[which % len(self.listeners)])

    @rule()
    def read_all(self) -> None:
        for listener in self.listeners:
            self.read(listener)

    def read(self, listener: Listener) -> None:
        if not listener.is_open:
            return
        expected = self.expect(listener)
        got = []
        for frame in listener.stream:
            if frame.startswith(":"):
                assert not self.is_over(listener)
                break
            fields = dict(line.split(": ", 1) for line in frame.splitlines() if line)
            listener.last_id = fields.get("id", listener.last_id)
            event = json.loads(fields["data"])
            got.append(event["type"] if "type" in event else event["message"])
        else:
            listener.is_open = False
            assert self.is_over(listener)
        assert got == expected

    def open(self, last_id: str) -> Listener:
        stream = self.tracker.listen(TASK, 1e9, last_id, ids=True)
        assert json.loads(next(stream).removeprefix("data: ")) == {
            "type": "connected",
            "task_id": TASK,
        }
        return Listener(stream, asked_for=last_id, last_id=last_id)

    def is_over(self, listener: Listener) -> bool:
        is_ended = listener.run is not None and listener.run.is_ended
        return is_ended or listener.generation != len(self.forgotten)

    def expect(self, listener: Listener) -> list[str]:
        """Return what the listener must read now, and move it in the model."""
        if listener.generation is None:
            listener.generation = len(self.forgotten)
        runs = dict(enumerate(self.forgotten))
        run = runs.get(listener.generation, self.run)
        was_elsewhere = listener.run is not None or bool(listener.asked_for)
        if run is None:
            return []
        reset: list[str] = []
        if run is not listener.run:
            run_id, _, number = listener.asked_for.rpartition("-")
            listener.number = int(number) if self.runs.get(run_id) is run else 0
            listener.run, listener.asked_for = run, ""
            reset = ["reset"] if was_elsewhere and not listener.number else []
        messages = run.after(listener.number)
        listener.number = len(run.emitted)
        return messages if messages[:1] == ["reset"] else reset + messages

    @invariant()
    def the_tracker_knows_what_the_model_knows(self) -> None:
        run = self.run
        assert self.tracker.has_task(TASK) is (run is not None)
        assert self.tracker.is_running(TASK) is (run is not None and not run.is_ended)

    def teardown(self) -> None:
        for listener in self.listeners:
            self.read(listener)
            listener.stream.close()
        self.check_what_is_left()

    def check_what_is_left(self) -> None:
        assert len(self.tracker._tasks) == (self.run is not None)


class BoundedTrackerMachine(TrackerMachine):
    """The same with a log so short that listeners keep losing events."""

    limit = 4


LENGTHS = settings(max_examples=100, stateful_step_count=50, deadline=None)

TestListeners = TrackerMachine.TestCase
TestListeners.settings = LENGTHS

TestListenersOfAShortLog = BoundedTrackerMachine.TestCase
TestListenersOfAShortLog.settings = LENGTHS
