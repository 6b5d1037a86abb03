"""What listeners of the tracker see, and what they leave behind."""

from __future__ import annotations

import gc
import json
import threading
import tracemalloc
import weakref
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from audio_cache.progress_events import EventLog
from audio_cache.progress_tracker import (
    ProgressCallback,
    ProgressEvent,
    ProgressStatus,
    ProgressTracker,
    get_progress_tracker,
)

KEEPALIVE = ": keepalive\n\n"
GENEROUS_S = 60


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
        for frame in tracker.listen(task_id, timeout=GENEROUS_S, **options):
            frames.append(frame)
            is_connected.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert is_connected.wait(GENEROUS_S)
    return thread, frames


def finish(thread: threading.Thread) -> None:
    thread.join(GENEROUS_S)
    assert not thread.is_alive()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracker(clock: Clock) -> ProgressTracker:
    """Return a tracker whose listeners never wait: what is idle gives a keepalive at once."""
    return ProgressTracker(keepalive_s=0, clock=clock)


class TestEvents:
    def test_an_event_has_the_fields_of_the_contract_in_their_order(self) -> None:
        event = ProgressEvent(
            "summer-vibes",
            "caching",
            ProgressStatus.IN_PROGRESS,
            "Caching track 3 of 15",
            3,
            15,
            "2024-09-28T12:34:56.789012",
        )
        assert event.to_sse() == (
            'data: {"task_id": "summer-vibes", "step": "caching", "status": "in_progress", '
            '"message": "Caching track 3 of 15", "current": 3, "total": 15, '
            '"timestamp": "2024-09-28T12:34:56.789012"}\n\n'
        )

    def test_a_timestamp_is_local_time_with_microseconds_and_without_a_zone(self) -> None:
        before = datetime.now()
        text = ProgressEvent("t", "s", ProgressStatus.PENDING, "").timestamp
        assert before <= datetime.fromisoformat(text) <= datetime.now()
        assert len(text) == len("2024-09-28T12:34:56.789012")

    def test_a_message_of_several_lines_stays_one_message(self) -> None:
        frame = ProgressEvent("t", "s", ProgressStatus.PENDING, "one\n\ndata: two\r").to_sse()
        assert parse(frame)["message"] == "one\n\ndata: two\r"
        assert frame.count("\n") == 2

    def test_details_join_the_json_but_never_replace_a_field_of_the_contract(self) -> None:
        details = {"speed_x": 61.5, "step": "other", "error": OSError("no")}
        fields = parse(
            ProgressEvent("t", "s", ProgressStatus.PENDING, "", details=details).to_sse()
        )
        assert (fields["speed_x"], fields["step"], fields["error"]) == (61.5, "s", "no")

    def test_an_unknown_status_is_refused(self, tracker: ProgressTracker) -> None:
        with pytest.raises(ValueError, match="done"):
            tracker.emit("t", "s", "done", "")

    @pytest.mark.parametrize("status", list(ProgressStatus))
    def test_only_completed_and_failed_end_a_run_and_never_for_a_track(
        self, status: ProgressStatus
    ) -> None:
        ends = status in ("completed", "failed")
        assert ProgressEvent("t", "caching", status, "").is_end is ends
        assert ProgressEvent("t", "track", status, "").is_end is False


class TestListening:
    def test_the_first_message_says_connected_and_nothing_more(
        self, tracker: ProgressTracker
    ) -> None:
        first = next(tracker.listen("summer-vibes"))
        assert first == 'data: {"type": "connected", "task_id": "summer-vibes"}\n\n'

    def test_without_ids_a_message_is_what_to_sse_gives(self, tracker: ProgressTracker) -> None:
        tracker.emit("t", "caching", "in_progress", "one", 1, 2)
        frame = list(tracker.listen("t", timeout=0))[1]
        event = parse(frame)
        status = ProgressStatus(event.pop("status"))
        assert frame == ProgressEvent(status=status, **event).to_sse()

    def test_events_from_before_anyone_listened_are_replayed_in_order(
        self, tracker: ProgressTracker
    ) -> None:
        tracker.create_task("t")
        emit_many(tracker, "t", 300)
        assert messages(drain(tracker.listen("t"))) == [f"event {n}" for n in range(300)]

    def test_two_listeners_both_get_every_event(self, tracker: ProgressTracker) -> None:
        one, two = tracker.listen("t"), tracker.listen("t")
        next(one)
        emit_many(tracker, "t", 3)
        assert [messages([parse(next(one))])[0] for _ in range(3)] == [
            f"event {n}" for n in range(3)
        ]
        assert len(drain(two)) == 3

    def test_a_waiting_listener_gets_an_event_at_once(self) -> None:
        tracker = ProgressTracker(keepalive_s=GENEROUS_S)
        thread, frames = follow_in_thread(tracker, "t")
        tracker.emit("t", "completed", "completed", "done")
        finish(thread)
        assert messages([parse(frame) for frame in frames[1:]]) == ["done"]

    def test_an_idle_stream_is_kept_alive_by_comments(self) -> None:
        tracker = ProgressTracker(keepalive_s=0.01)
        stream = tracker.listen("t", timeout=GENEROUS_S)
        assert [next(stream) for _ in range(4)][1:] == [KEEPALIVE] * 3

    def test_a_stream_ends_after_the_timeout(self, tracker: ProgressTracker, clock: Clock) -> None:
        stream = tracker.listen("t", timeout=5)
        next(stream)
        clock.now += 4
        assert next(stream) == KEEPALIVE
        clock.now += 2
        assert list(stream) == []

    def test_the_timeout_ends_a_stream_that_is_never_idle_too(
        self, tracker: ProgressTracker, clock: Clock
    ) -> None:
        stream = tracker.listen("t", timeout=5)
        next(stream)
        clock.now += 6
        emit_many(tracker, "t", 2)
        assert messages([parse(frame) for frame in stream]) == ["event 0", "event 1"]

    @pytest.mark.parametrize("status", ["completed", "failed"])
    def test_the_runs_own_end_ends_the_stream(self, tracker: ProgressTracker, status: str) -> None:
        emit_many(tracker, "t", 1)
        tracker.emit("t", "caching", status, "over")
        assert messages([parse(frame) for frame in tracker.listen("t")][1:]) == ["event 0", "over"]

    @pytest.mark.parametrize("status", ["completed", "failed", "skipped"])
    def test_the_end_of_a_track_does_not(self, tracker: ProgressTracker, status: str) -> None:
        tracker.emit("t", "track", status, "a track")
        tracker.emit("t", "completed", "completed", "over")
        assert messages([parse(f) for f in tracker.listen("t")][1:]) == ["a track", "over"]

    def test_a_listener_of_an_ended_run_gets_all_of_it(self, tracker: ProgressTracker) -> None:
        emit_many(tracker, "t", 2)
        tracker.emit("t", "failed", "failed", "over")
        for _ in range(2):
            assert len(list(tracker.listen("t"))) == 4

    def test_closing_the_tracker_ends_present_and_coming_streams(self) -> None:
        tracker = ProgressTracker(keepalive_s=GENEROUS_S)
        emit_many(tracker, "t", 1)
        thread, _ = follow_in_thread(tracker, "t")
        tracker.close()
        finish(thread)
        assert [len(list(tracker.listen("t"))), len(list(tracker.listen("other")))] == [2, 1]


class TestReconnecting:
    @staticmethod
    def ids(frames: Iterator[str]) -> list[str]:
        return [f.split("\n")[0].removeprefix("id: ") for f in frames if f.startswith("id: ")]

    def test_an_event_with_its_id_still_has_the_contracts_data_line(
        self, tracker: ProgressTracker
    ) -> None:
        emit_many(tracker, "t", 1)
        with_id = list(tracker.listen("t", timeout=0, ids=True))[1]
        without = list(tracker.listen("t", timeout=0))[1]
        assert with_id.split("\n", 1)[0].startswith("id: ")
        assert with_id.split("\n", 1)[1] == without

    def test_a_listener_goes_on_after_the_last_event_it_had(self, tracker: ProgressTracker) -> None:
        emit_many(tracker, "t", 5)
        ids = self.ids(tracker.listen("t", timeout=0, ids=True))
        assert len(set(ids)) == 5
        again = drain(tracker.listen("t", last_event_id=ids[2]))
        assert messages(again) == ["event 3", "event 4"]

    def test_one_who_had_everything_waits_for_what_comes(self, tracker: ProgressTracker) -> None:
        emit_many(tracker, "t", 2)
        last = self.ids(tracker.listen("t", timeout=0, ids=True))[-1]
        stream = tracker.listen("t", last_event_id=last)
        assert [next(stream), next(stream)][1] == KEEPALIVE
        emit_many(tracker, "t", 1, start=2)
        assert parse(next(stream))["message"] == "event 2"

    @pytest.mark.parametrize(
        "make_id",
        [
            lambda last: "0" + last,
            lambda last: last + "0",
            lambda last: last.rpartition("-")[0] + "-" + "9" * 5000,
            lambda last: last.rpartition("-")[0] + "-²",
            lambda last: "nonsense",
        ],
        ids=["another run", "beyond the end", "huge", "not ASCII", "garbage"],
    )
    def test_an_id_that_names_no_event_of_the_run_starts_afresh(
        self, tracker: ProgressTracker, make_id: Callable[[str], str]
    ) -> None:
        emit_many(tracker, "t", 2)
        last = self.ids(tracker.listen("t", timeout=0, ids=True))[-1]
        events = drain(tracker.listen("t", last_event_id=make_id(last)))
        assert [event["step"] for event in events] == ["reset", "caching", "caching"]

    def test_an_id_from_before_a_restart_fits_no_run_of_this_process(self) -> None:
        before, after = ProgressTracker(keepalive_s=0), ProgressTracker(keepalive_s=0)
        emit_many(before, "t", 3)
        emit_many(after, "t", 3)
        last = self.ids(before.listen("t", timeout=0, ids=True))[-1]
        events = drain(after.listen("t", last_event_id=last))
        assert messages(events)[1:] == ["event 0", "event 1", "event 2"]

    def test_a_reset_has_a_name_of_its_own_and_all_fields_of_the_contract(
        self, tracker: ProgressTracker
    ) -> None:
        emit_many(tracker, "t", 1)
        reset = list(tracker.listen("t", 0, "gone-1", ids=True))[1]
        assert reset.startswith("event: reset\ndata: ")
        event = ProgressEvent("t", "caching", ProgressStatus.PENDING, "")
        assert parse(event.to_sse()).keys() <= parse(reset).keys()
        assert parse(reset)["type"] == "reset"


class TestRuns:
    def test_a_new_run_never_shows_the_end_of_the_old_one(self, tracker: ProgressTracker) -> None:
        tracker.create_task("t")
        tracker.emit("t", "completed", "completed", "the old end")
        tracker.create_task("t")
        assert drain(tracker.listen("t")) == []
        emit_many(tracker, "t", 1)
        assert messages(drain(tracker.listen("t"))) == ["event 0"]

    def test_listeners_of_the_old_run_are_moved_to_the_new_one(self) -> None:
        tracker = ProgressTracker(keepalive_s=GENEROUS_S)
        emit_many(tracker, "t", 1)
        thread, frames = follow_in_thread(tracker, "t")
        tracker.create_task("t")
        tracker.emit("t", "completed", "completed", "the new end")
        finish(thread)
        tail = [parse(frame) for frame in frames[1:]][-2:]
        assert [event["step"] for event in tail] == ["reset", "completed"]

    def test_a_run_without_events_is_not_replaced(self, tracker: ProgressTracker) -> None:
        assert tracker.create_task("t") == tracker.create_task("t")
        emit_many(tracker, "t", 1)
        assert tracker.create_task("t") != tracker.get_run("other")

    def test_a_straggler_of_an_old_run_is_dropped(self, tracker: ProgressTracker) -> None:
        old = tracker.create_task("t")
        emit_many(tracker, "t", 1)
        tracker.create_task("t")
        tracker.emit("t", "completed", "completed", "old", run=old)
        assert tracker.is_running("t")
        assert drain(tracker.listen("t")) == []

    def test_a_straggler_does_not_bring_a_forgotten_task_back(
        self, tracker: ProgressTracker
    ) -> None:
        old = tracker.create_task("t")
        tracker.cleanup_task("t")
        tracker.emit("t", "caching", "in_progress", "late", run=old)
        assert not tracker.has_task("t")

    @pytest.mark.parametrize(("step", "status"), [("completed", "completed"), ("track", "failed")])
    def test_what_comes_after_the_end_does_not_begin_a_run(
        self, tracker: ProgressTracker, step: str, status: str
    ) -> None:
        tracker.emit("t", "completed", "completed", "the end")
        tracker.emit("t", step, status, "late")
        assert messages([parse(f) for f in tracker.listen("t")][1:]) == ["the end"]

    def test_work_that_begins_after_the_end_is_a_new_run(self, tracker: ProgressTracker) -> None:
        tracker.emit("t", "completed", "completed", "the old end")
        emit_many(tracker, "t", 1)
        assert tracker.is_running("t")
        assert messages(drain(tracker.listen("t"))) == ["event 0"]

    def test_it_is_known_whether_a_task_exists_and_whether_it_runs(
        self, tracker: ProgressTracker
    ) -> None:
        def state() -> tuple[bool, bool]:
            return tracker.has_task("t"), tracker.is_running("t")

        assert state() == (False, False)
        tracker.create_task("t")
        assert state() == (True, True)
        tracker.emit("t", "failed", "failed", "")
        assert state() == (True, False)

    def test_a_cleaned_up_tasks_listener_gets_the_rest_and_then_its_end(self) -> None:
        tracker = ProgressTracker(keepalive_s=GENEROUS_S)
        stream = tracker.listen("t")
        next(stream)
        emit_many(tracker, "t", 2)
        next(stream)
        emit_many(tracker, "t", 1, start=2)
        tracker.cleanup_task("t")
        tracker.emit("t", "completed", "completed", "of the next run")
        assert messages([parse(frame) for frame in stream]) == ["event 1", "event 2"]

    def test_cleaning_up_an_unknown_task_is_nothing(self, tracker: ProgressTracker) -> None:
        tracker.cleanup_task("never heard of")
        assert not tracker.has_task("never heard of")


class TestMemory:
    def test_a_finished_task_is_forgotten_after_a_while(
        self, tracker: ProgressTracker, clock: Clock
    ) -> None:
        tracker.emit("t", "completed", "completed", "")
        clock.now += 600
        assert tracker.has_task("t")
        clock.now += 1
        assert not tracker.has_task("t")

    def test_a_silent_run_is_forgotten_after_a_day_only(
        self, tracker: ProgressTracker, clock: Clock
    ) -> None:
        emit_many(tracker, "t", 1)
        clock.now += 86_400
        assert tracker.is_running("t")
        clock.now += 1
        assert not tracker.has_task("t")

    def test_a_listener_that_leaves_an_unknown_task_leaves_nothing(
        self, tracker: ProgressTracker
    ) -> None:
        one, two = tracker.listen("t"), tracker.listen("t")
        for stream in (one, two, one, two):
            next(stream)
        one.close()
        assert tracker._tasks.keys() == {"t"}
        assert not tracker.has_task("t")
        two.close()
        assert not tracker._tasks

    def test_the_oldest_events_give_way_to_the_last_state_of_each_track(self, clock: Clock) -> None:
        tracker = ProgressTracker(keepalive_s=0, max_events=4, clock=clock)
        for number in range(3):
            tracker.emit("t", "track", "in_progress", f"start {number}", track=f"{number}")
            tracker.emit("t", "track", "in_progress", f"end {number}", track=f"{number}")
        emit_many(tracker, "t", 3)
        events = drain(tracker.listen("t"))
        assert events[0]["type"] == "reset"
        assert messages(events[1:]) == [
            *("end 0", "end 1", "start 2"),
            *("end 2", "event 0", "event 1", "event 2"),
        ]

    def test_a_slow_listener_is_told_that_it_missed_events(self, clock: Clock) -> None:
        tracker = ProgressTracker(keepalive_s=0, max_events=4, clock=clock)
        stream = tracker.listen("t")
        next(stream)
        emit_many(tracker, "t", 4)
        assert [parse(next(stream))["message"] for _ in range(4)][-1] == "event 3"
        emit_many(tracker, "t", 9)
        rest = [parse(next(stream)) for _ in range(6)]
        assert rest[0]["type"] == "reset"
        assert messages(rest[1:]) == ["event 4", "event 5", "event 6", "event 7", "event 8"]
        assert next(stream) == KEEPALIVE

    def test_a_log_never_holds_more_than_twice_its_limit(self) -> None:
        log = EventLog(max_events=10)
        for number in range(1000):
            details = {"track": f"{number}"}
            log.append(ProgressEvent("t", "track", ProgressStatus.SKIPPED, "", details=details))
        assert [entry.number for entry in log.get_state()] == list(range(981, 1001))

    def test_a_log_that_could_keep_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="max_events is 0"):
            EventLog(0)

    def test_a_stream_that_is_dropped_while_the_tracker_is_locked_does_not_lock_it_up(
        self, tracker: ProgressTracker
    ) -> None:
        streams: list[Generator[str, None, None]] = [tracker.listen("t")]
        assert [next(streams[0]), next(streams[0])][1] == KEEPALIVE
        with tracker._lock:
            streams.clear()
        assert not tracker._tasks


def test_200_listeners_of_500_events_get_all_in_order_and_leave_no_memory() -> None:
    tracker = ProgressTracker(keepalive_s=GENEROUS_S)
    expected = [f"event {n}" for n in range(500)] + ["over"]

    def run() -> tuple[int, weakref.ref[Any]]:
        tracker.create_task("t")
        joined = [follow_in_thread(tracker, "t") for _ in range(200)]
        emit_many(tracker, "t", 500)
        tracker.emit("t", "completed", "completed", "over")
        state: Any = tracker._tasks["t"].run
        for thread, _ in joined:
            finish(thread)
        tracker.cleanup_task("t")
        first = joined[0][1]
        assert messages([parse(frame) for frame in first[1:]]) == expected
        return sum(frames == first for _, frames in joined), weakref.ref(state)

    run()  # the first one warms up what Python keeps for itself
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        alike, state = run()
        gc.collect()
        left = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert alike == 200
    assert state() is None
    assert left < 64 * 1024


class TestCallback:
    @pytest.fixture
    def callback(self, tracker: ProgressTracker, clock: Clock) -> ProgressCallback:
        run = tracker.create_task("t")
        return ProgressCallback("t", tracker, 4, run=run, clock=clock)

    def test_a_call_tells_how_far_the_run_is(
        self, tracker: ProgressTracker, callback: ProgressCallback
    ) -> None:
        callback(3, 15)
        [event] = drain(tracker.listen("t"))
        assert (event["step"], event["status"]) == ("caching", "in_progress")
        assert event["message"] == "Caching track 3 of 15"
        assert (event["current"], event["total"]) == (3, 15)

    def test_tracks_are_counted_as_what_they_became(
        self, tracker: ProgressTracker, callback: ProgressCallback
    ) -> None:
        callback.track_cached("a", bytes_saved=700)
        callback.track_cached("b", bytes_saved=300)
        callback.track_skipped("c")
        callback.track_failed("d", OSError("unreadable"))
        assert (callback.cached_count, callback.skipped_count, callback.failed_count) == (2, 1, 1)
        events = drain(tracker.listen("t"))
        assert [e["track_status"] for e in events] == ["cached", "cached", "skipped", "failed"]
        assert [e["current"] for e in events] == [1, 2, 3, 4]
        assert [e.get("reason") for e in events[2:]] == ["already cached", "unreadable"]
        assert events[-1]["bytes_saved"] == 1000

    def test_no_event_of_a_track_looks_like_the_end_to_a_client_of_the_contract(
        self, tracker: ProgressTracker, callback: ProgressCallback
    ) -> None:
        callback.track_started("a")
        callback.track_cached("a")
        callback.track_skipped("b")
        callback.track_failed("c", "broken")
        statuses = {event["status"] for event in drain(tracker.listen("t"))}
        assert statuses == {"in_progress", "skipped"}

    def test_current_and_total_never_go_back(
        self, tracker: ProgressTracker, callback: ProgressCallback
    ) -> None:
        callback(3, 4)
        callback.track_cached("a")
        callback(1, 2)
        assert [(e["current"], e["total"]) for e in drain(tracker.listen("t"))] == [(3, 4)] * 3

    def test_the_end_sums_up(self, tracker: ProgressTracker, callback: ProgressCallback) -> None:
        callback.track_cached("a")
        callback.track_skipped("b", "lossy")
        callback.track_skipped("c", "lossy")
        callback.track_failed("d", "broken")
        callback.run_finished("completed")
        end = drain(tracker.listen("t"))[-1]
        assert (end["step"], end["status"]) == ("completed", "completed")
        assert end["message"] == "1 cached, 2 skipped, 1 failed"
        assert end["skip_reasons"] == {"lossy": 2}
        assert end["failures"] == [{"track": "d", "reason": "broken"}]
        assert not tracker.is_running("t")

    def test_a_cancelled_run_has_failed_in_a_step_of_that_name(
        self, tracker: ProgressTracker, callback: ProgressCallback
    ) -> None:
        callback.run_finished(ProgressStatus.FAILED, "Cancelled by you", step="cancelled")
        [end] = drain(tracker.listen("t"))
        expected = ("cancelled", "failed", "Cancelled by you")
        assert (end["step"], end["status"], end["message"]) == expected

    def test_a_run_cannot_finish_as_something_that_does_not_end_it(
        self, callback: ProgressCallback
    ) -> None:
        with pytest.raises(ValueError, match="in_progress"):
            callback.run_finished("in_progress")

    def test_speed_and_time_left_come_from_what_was_encoded(
        self, tracker: ProgressTracker, callback: ProgressCallback, clock: Clock
    ) -> None:
        callback.track_skipped("a")
        clock.now += 10
        callback.track_cached("b", audio_s=600)
        first, second = drain(tracker.listen("t"))
        assert first.keys().isdisjoint({"speed_x", "time_left_s"})
        assert (second["speed_x"], second["time_left_s"]) == (60.0, 20)

    def test_known_seconds_of_audio_make_the_better_guess_of_the_time_left(
        self, tracker: ProgressTracker, clock: Clock
    ) -> None:
        callback = ProgressCallback("t", tracker, 3, total_audio_s=4000, clock=clock)
        callback.track_skipped("short", audio_s=100)
        clock.now += 5
        callback.track_cached("song", audio_s=300)
        assert drain(tracker.listen("t"))[-1]["time_left_s"] == 60

    def test_a_callback_made_before_its_task_still_reports_to_it(
        self, tracker: ProgressTracker
    ) -> None:
        emit_many(tracker, "t", 1)
        callback = ProgressCallback("t", tracker, 1)
        tracker.create_task("t")
        callback.track_cached("a")
        assert messages(drain(tracker.listen("t"))) == ["Cached: a"]

    def test_the_callback_of_an_old_run_says_nothing_in_the_new_one(
        self, tracker: ProgressTracker, callback: ProgressCallback
    ) -> None:
        callback.track_cached("a")
        tracker.create_task("t")
        callback.run_finished("completed")
        assert drain(tracker.listen("t")) == []
        assert tracker.is_running("t")

    def test_calls_from_many_threads_are_counted_in_the_order_of_their_events(
        self, tracker: ProgressTracker
    ) -> None:
        callback = ProgressCallback("t", tracker, 400)
        threads = [
            threading.Thread(target=lambda: [callback.track_cached("a") for _ in range(50)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            finish(thread)
        counts = [event["cached"] for event in drain(tracker.listen("t"))]
        assert counts == list(range(1, 401))

    def test_only_so_many_failures_are_listed_at_the_end_but_all_are_counted(
        self, tracker: ProgressTracker
    ) -> None:
        callback = ProgressCallback("t", tracker, 150)
        for number in range(150):
            callback.track_failed(f"{number}", "broken")
        callback.run_finished("failed")
        end = drain(tracker.listen("t"))[-1]
        assert (len(end["failures"]), end["failed"]) == (100, 150)


def test_the_shared_tracker_is_one() -> None:
    assert get_progress_tracker() is get_progress_tracker()
