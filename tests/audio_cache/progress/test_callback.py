"""What a worker's calls become in the stream."""

from __future__ import annotations

import threading

import pytest

from audio_cache.progress_tracker import ProgressCallback, ProgressStatus, ProgressTracker
from tests.helpers.progress import Clock, drain, emit_many, messages
from tests.helpers.waiting import finish


@pytest.fixture
def callback(tracker: ProgressTracker, clock: Clock) -> ProgressCallback:
    run = tracker.create_task("t")
    return ProgressCallback("t", tracker, 4, run=run, clock=clock)


def test_a_call_tells_how_far_the_run_is(
    tracker: ProgressTracker, callback: ProgressCallback
) -> None:
    callback(3, 15)
    [event] = drain(tracker.listen("t"))
    assert (event["step"], event["status"]) == ("caching", "in_progress")
    assert event["message"] == "Caching track 3 of 15"
    assert (event["current"], event["total"]) == (3, 15)


def test_tracks_are_counted_as_what_they_became(
    tracker: ProgressTracker, callback: ProgressCallback
) -> None:
    callback.track_cached("a", bytes_saved=700)
    callback.track_cached("b", bytes_saved=300)
    callback.track_skipped("c")
    callback.track_failed("d", OSError("unreadable"))
    assert (callback.cached_count, callback.skipped_count, callback.failed_count) == (2, 1, 1)
    events = drain(tracker.listen("t"))
    steps = ["track_cached", "track_cached", "track_skipped", "track_failed"]
    assert [e["step"] for e in events] == steps
    assert [e["current"] for e in events] == [1, 2, 3, 4]
    assert [e.get("reason") for e in events[2:]] == ["already cached", "unreadable"]
    assert events[-1]["bytes_saved"] == 1000


def test_no_event_of_a_track_ends_the_run(
    tracker: ProgressTracker, callback: ProgressCallback
) -> None:
    callback.track_started("a")
    callback.track_failed("a", "broken")
    callback.track_skipped("b")
    callback.track_cached("c")
    told = [(event["step"], event["status"]) for event in drain(tracker.listen("t"))]
    assert told == [
        ("track_started", "in_progress"),
        ("track_failed", "failed"),
        ("track_skipped", "skipped"),
        ("track_cached", "in_progress"),
    ]
    assert tracker.is_running("t")


def test_current_and_total_never_go_back(
    tracker: ProgressTracker, callback: ProgressCallback
) -> None:
    callback(3, 4)
    callback.track_cached("a")
    callback(1, 2)
    assert [(e["current"], e["total"]) for e in drain(tracker.listen("t"))] == [(3, 4)] * 3


def test_the_end_sums_up(tracker: ProgressTracker, callback: ProgressCallback) -> None:
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
    tracker: ProgressTracker, callback: ProgressCallback
) -> None:
    callback.run_finished(ProgressStatus.FAILED, "Cancelled by you", step="cancelled")
    [end] = drain(tracker.listen("t"))
    expected = ("cancelled", "failed", "Cancelled by you")
    assert (end["step"], end["status"], end["message"]) == expected


def test_a_run_cannot_finish_as_something_that_does_not_end_it(callback: ProgressCallback) -> None:
    with pytest.raises(ValueError, match="in_progress"):
        callback.run_finished("in_progress")


def test_speed_and_time_left_come_from_what_was_encoded(
    tracker: ProgressTracker, callback: ProgressCallback, clock: Clock
) -> None:
    callback.track_skipped("a")
    clock.now += 10
    callback.track_cached("b", audio_s=600)
    first, second = drain(tracker.listen("t"))
    assert first.keys().isdisjoint({"speed_x", "time_left_s"})
    assert (second["speed_x"], second["time_left_s"]) == (60.0, 20)


def test_a_callback_made_before_its_task_still_reports_to_it(tracker: ProgressTracker) -> None:
    emit_many(tracker, "t", 1)
    callback = ProgressCallback("t", tracker, 1)
    tracker.create_task("t")
    callback.track_cached("a")
    assert messages(drain(tracker.listen("t"))) == ["✓ Cached: a"]


def test_the_callback_of_an_old_run_says_nothing_in_the_new_one(
    tracker: ProgressTracker, callback: ProgressCallback
) -> None:
    callback.track_cached("a")
    tracker.create_task("t")
    callback.run_finished("completed")
    assert drain(tracker.listen("t")) == []
    assert tracker.is_running("t")


def test_calls_from_many_threads_are_counted_in_the_order_of_their_events(
    tracker: ProgressTracker,
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
    tracker: ProgressTracker,
) -> None:
    callback = ProgressCallback("t", tracker, 150)
    for number in range(150):
        callback.track_failed(f"{number}", "broken")
    callback.run_finished("failed")
    end = drain(tracker.listen("t"))[-1]
    assert (len(end["failures"]), end["failed"]) == (100, 150)
