"""What listeners of the tracker see, and what they leave behind."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest

from audio_cache.progress.events import TRACK_STEPS
from audio_cache.progress_tracker import (
    ProgressEvent,
    ProgressStatus,
    ProgressTracker,
)
from tests.audio_cache.progress.conftest import MakeTracker
from tests.helpers.progress import (
    KEEPALIVE,
    Clock,
    drain,
    emit_many,
    follow_in_thread,
    messages,
    parse,
)
from tests.helpers.waiting import LIMIT_S, finish, wait_until


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

    def test_a_waiting_listener_gets_an_event_at_once(self, make_tracker: MakeTracker) -> None:
        tracker = make_tracker(keepalive_s=LIMIT_S)
        thread, frames = follow_in_thread(tracker, "t")
        tracker.emit("t", "completed", "completed", "done")
        finish(thread)
        assert messages([parse(frame) for frame in frames[1:]]) == ["done"]

    def test_an_idle_stream_is_kept_alive_by_comments(self, make_tracker: MakeTracker) -> None:
        tracker = make_tracker(keepalive_s=0.01)
        stream = tracker.listen("t", timeout=LIMIT_S)
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
    @pytest.mark.parametrize("step", sorted(TRACK_STEPS))
    def test_the_end_of_a_track_does_not(
        self, tracker: ProgressTracker, step: str, status: str
    ) -> None:
        tracker.emit("t", step, status, "a track")
        tracker.emit("t", "completed", "completed", "over")
        assert messages([parse(f) for f in tracker.listen("t")][1:]) == ["a track", "over"]

    def test_a_listener_of_an_ended_run_gets_all_of_it(self, tracker: ProgressTracker) -> None:
        emit_many(tracker, "t", 2)
        tracker.emit("t", "failed", "failed", "over")
        for _ in range(2):
            assert len(list(tracker.listen("t"))) == 4

    def test_closing_the_tracker_ends_present_and_coming_streams(
        self, make_tracker: MakeTracker
    ) -> None:
        tracker = make_tracker(keepalive_s=LIMIT_S)
        emit_many(tracker, "t", 1)
        thread, frames = follow_in_thread(tracker, "t")
        wait_until(lambda: len(frames) == 2)
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

    def test_listeners_of_the_old_run_are_moved_to_the_new_one(
        self, make_tracker: MakeTracker
    ) -> None:
        tracker = make_tracker(keepalive_s=LIMIT_S)
        emit_many(tracker, "t", 1)
        thread, frames = follow_in_thread(tracker, "t")
        wait_until(lambda: len(frames) == 2)
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

    @pytest.mark.parametrize(
        ("step", "status"), [("completed", "completed"), ("track_failed", "failed")]
    )
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

    def test_a_cleaned_up_tasks_listener_gets_the_rest_and_then_its_end(
        self, make_tracker: MakeTracker
    ) -> None:
        tracker = make_tracker(keepalive_s=LIMIT_S)
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
        self, own_tracker: ProgressTracker, clock: Clock
    ) -> None:
        own_tracker.emit("t", "completed", "completed", "")
        clock.now += 600
        assert own_tracker.has_task("t")
        clock.now += 1
        assert not own_tracker.has_task("t")

    def test_a_silent_run_is_forgotten_after_a_day_only(
        self, own_tracker: ProgressTracker, clock: Clock
    ) -> None:
        emit_many(own_tracker, "t", 1)
        clock.now += 86_400
        assert own_tracker.is_running("t")
        clock.now += 1
        assert not own_tracker.has_task("t")

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

    def test_the_oldest_events_give_way_to_the_last_state_of_each_track(
        self, make_tracker: MakeTracker, clock: Clock
    ) -> None:
        tracker = make_tracker(keepalive_s=0, max_events=4, clock=clock)
        for number in range(3):
            name = f"{number}"
            tracker.emit("t", "track_started", "in_progress", f"start {number}", track=name)
            tracker.emit("t", "track_cached", "in_progress", f"end {number}", track=name)
        emit_many(tracker, "t", 3)
        events = drain(tracker.listen("t"))
        assert events[0]["type"] == "reset"
        assert messages(events[1:]) == [
            *("end 0", "end 1", "start 2"),
            *("end 2", "event 0", "event 1", "event 2"),
        ]

    def test_tracks_that_are_told_without_a_name_do_not_give_way_to_each_other(
        self, make_tracker: MakeTracker, clock: Clock
    ) -> None:
        tracker = make_tracker(keepalive_s=0, max_events=2, clock=clock)
        for name in "abcd":
            tracker.emit("t", "track_cached", "in_progress", f"✓ Cached: {name}")
        told = messages(drain(tracker.listen("t")))[1:]
        assert told == [f"✓ Cached: {name}" for name in "abcd"]

    def test_a_slow_listener_is_told_that_it_missed_events(
        self, make_tracker: MakeTracker, clock: Clock
    ) -> None:
        tracker = make_tracker(keepalive_s=0, max_events=4, clock=clock)
        stream = tracker.listen("t")
        next(stream)
        emit_many(tracker, "t", 4)
        assert [parse(next(stream))["message"] for _ in range(4)][-1] == "event 3"
        emit_many(tracker, "t", 9)
        rest = [parse(next(stream)) for _ in range(6)]
        assert rest[0]["type"] == "reset"
        assert messages(rest[1:]) == ["event 4", "event 5", "event 6", "event 7", "event 8"]
        assert next(stream) == KEEPALIVE

    def test_a_stream_that_is_dropped_while_the_tracker_is_locked_does_not_lock_it_up(
        self, tracker: ProgressTracker
    ) -> None:
        streams: list[Generator[str, None, None]] = [tracker.listen("t")]
        assert [next(streams[0]), next(streams[0])][1] == KEEPALIVE
        with tracker._lock:
            streams.clear()
        assert not tracker._tasks
