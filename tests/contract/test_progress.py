"""Progress, line by line of the contract: statuses, events, the tracker, and the callback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audio_cache import (
    ProgressCallback,
    ProgressEvent,
    ProgressStatus,
    ProgressTracker,
    get_progress_tracker,
)
from tests.contract.signatures import REQUIRED, begins_with
from tests.helpers.progress import KEEPALIVE, drain, parse

FIELDS = ["task_id", "step", "status", "message", "current", "total", "timestamp"]
TRACK_STEPS = ["track_cached", "track_skipped", "track_failed"]


@pytest.fixture
def tracker() -> ProgressTracker:
    return ProgressTracker(keepalive_s=0)


@pytest.fixture
def callback(tracker: ProgressTracker) -> ProgressCallback:
    tracker.create_task("t")
    return ProgressCallback("t", tracker, 3)


class HostLogger:
    """A logger of a host, with no more than the earlier package asked of one."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, message: str, *arguments: Any, **options: Any) -> None:
        self.lines.append(message % arguments)

    warning = error = exception = info


class TestProgressStatus:
    def test_pending_in_progress_completed_failed_skipped(self) -> None:
        names = ["PENDING", "IN_PROGRESS", "COMPLETED", "FAILED", "SKIPPED"]
        assert [status.name for status in ProgressStatus] == names
        assert [status.value for status in ProgressStatus] == [name.lower() for name in names]


class TestProgressEvent:
    def test_fields_with_current_and_total_0(self) -> None:
        event = ProgressEvent("t", "caching", ProgressStatus.PENDING, "Waiting")
        assert (event.current, event.total) == (0, 0)
        given = dict(zip(FIELDS, ["t", "s", ProgressStatus.FAILED, "m", 1, 2, "now"], strict=True))
        assert {name: getattr(ProgressEvent(**given), name) for name in FIELDS} == given

    def test_to_sse_is_data_json_and_an_empty_line(self) -> None:
        frame = ProgressEvent("t", "s", ProgressStatus.IN_PROGRESS, "m", 3, 15, "now").to_sse()
        assert frame.startswith("data: {")
        assert frame.endswith("}\n\n")
        assert json.loads(frame.removeprefix("data: ")) == {
            "task_id": "t",
            "step": "s",
            "status": "in_progress",
            "message": "m",
            "current": 3,
            "total": 15,
            "timestamp": "now",
        }


class TestProgressTracker:
    @pytest.mark.parametrize(
        ("name", "parameters"),
        [
            ("__init__", {"logger": None}),
            ("create_task", {"task_id": REQUIRED}),
            (
                "emit",
                {
                    "task_id": REQUIRED,
                    "step": REQUIRED,
                    "status": REQUIRED,
                    "message": REQUIRED,
                    "current": 0,
                    "total": 0,
                },
            ),
            ("listen", {"task_id": REQUIRED, "timeout": 300}),
            ("cleanup_task", {"task_id": REQUIRED}),
        ],
    )
    def test_methods_take_what_the_contract_says(
        self, name: str, parameters: dict[str, Any]
    ) -> None:
        assert begins_with(getattr(ProgressTracker, name), parameters)

    def test_listen_begins_with_connected(self, tracker: ProgressTracker) -> None:
        first = next(tracker.listen("t"))
        assert first == 'data: {"type": "connected", "task_id": "t"}\n\n'

    def test_then_come_events_in_order(self, tracker: ProgressTracker) -> None:
        for number in range(3):
            tracker.emit("t", "caching", ProgressStatus.IN_PROGRESS, f"m{number}", number, 3)
        assert [event["message"] for event in drain(tracker.listen("t"))] == ["m0", "m1", "m2"]

    def test_an_event_has_the_fields_of_the_contract(self, tracker: ProgressTracker) -> None:
        tracker.emit("t", "caching", ProgressStatus.IN_PROGRESS, "m", 1, 3)
        [event] = drain(tracker.listen("t"))
        assert list(event) == FIELDS

    def test_keepalive_comments_while_idle(self, tracker: ProgressTracker) -> None:
        stream = tracker.listen("t")
        assert [next(stream) for _ in range(3)][1:] == [": keepalive\n\n"] * 2

    @pytest.mark.parametrize("status", [ProgressStatus.COMPLETED, ProgressStatus.FAILED])
    def test_ends_after_the_tasks_completed_or_failed_event(
        self, tracker: ProgressTracker, status: ProgressStatus
    ) -> None:
        tracker.emit("t", "completed", status, "over", 3, 3)
        assert [parse(frame).get("message") for frame in tracker.listen("t")] == [None, "over"]

    @pytest.mark.parametrize("status", ["pending", "in_progress", "skipped"])
    def test_goes_on_after_any_other(self, tracker: ProgressTracker, status: str) -> None:
        tracker.emit("t", "caching", status, "m")
        *_, last = (frame for frame, _ in zip(tracker.listen("t"), range(3), strict=False))
        assert last == KEEPALIVE

    def test_ends_after_the_timeout(self, tracker: ProgressTracker) -> None:
        assert len(list(tracker.listen("t", timeout=0))) == 1

    def test_cleanup_task_forgets_it(self, tracker: ProgressTracker) -> None:
        tracker.emit("t", "caching", ProgressStatus.IN_PROGRESS, "m")
        tracker.cleanup_task("t")
        assert drain(tracker.listen("t")) == []

    def test_get_progress_tracker_is_the_shared_one(self) -> None:
        assert begins_with(get_progress_tracker, {"logger": None})
        assert get_progress_tracker() is get_progress_tracker()

    def test_a_logger_needs_no_more_than_info_warning_error_and_exception(self) -> None:
        logger = HostLogger()
        tracker = ProgressTracker(logger, keepalive_s=0)  # type: ignore[arg-type]
        tracker.emit("t", "completed", ProgressStatus.COMPLETED, "over")
        tracker.emit("t", "track_cached", ProgressStatus.IN_PROGRESS, "late")
        assert logger.lines == ["progress of t came after its run's end: late"]


class TestProgressCallback:
    @pytest.mark.parametrize(
        ("name", "parameters"),
        [
            ("__init__", {"task_id": REQUIRED, "tracker": REQUIRED, "total_tracks": REQUIRED}),
            ("__call__", {"current": REQUIRED, "total": REQUIRED}),
            ("track_cached", {"track_name": REQUIRED}),
            ("track_skipped", {"track_name": REQUIRED, "reason": "already cached"}),
            ("track_failed", {"track_name": REQUIRED, "error": REQUIRED}),
        ],
    )
    def test_parameters_are_named_track_name_reason_and_error(
        self, name: str, parameters: dict[str, Any]
    ) -> None:
        assert begins_with(getattr(ProgressCallback, name), parameters)

    def test_counters(self, callback: ProgressCallback) -> None:
        callback.track_cached(track_name="a")
        callback.track_cached(track_name="b")
        callback.track_skipped(track_name="c", reason="missing")
        callback.track_failed(track_name="d", error="broken")
        counts = (callback.cached_count, callback.skipped_count, callback.failed_count)
        assert counts == (2, 1, 1)

    def test_called_it_tells_of_the_step_caching(
        self, tracker: ProgressTracker, callback: ProgressCallback
    ) -> None:
        callback(2, 3)
        [event] = drain(tracker.listen("t"))
        assert (event["step"], event["status"]) == ("caching", "in_progress")
        assert event["message"] == "Caching track 2 of 3"
        assert (event["current"], event["total"]) == (2, 3)

    @pytest.mark.parametrize(
        ("step", "given", "status", "message"),
        [
            ("track_cached", ("One.flac",), "in_progress", "✓ Cached: One.flac"),
            ("track_skipped", ("One.flac",), "skipped", "⊘ Skipped: One.flac (already cached)"),
            ("track_skipped", ("One.flac", "missing"), "skipped", "⊘ Skipped: One.flac (missing)"),
            ("track_failed", ("One.flac", "broken"), "failed", "✗ Failed: One.flac - broken"),
        ],
    )
    def test_step_status_and_message_of_a_track(
        self,
        tracker: ProgressTracker,
        callback: ProgressCallback,
        step: str,
        given: tuple[str, ...],
        status: str,
        message: str,
    ) -> None:
        getattr(callback, step)(*given)
        [event] = drain(tracker.listen("t"))
        assert (event["step"], event["status"], event["message"]) == (step, status, message)
        assert (event["current"], event["total"]) == (1, 3)

    def test_further_fields_may_be_added_and_none_is_renamed(
        self, tracker: ProgressTracker, callback: ProgressCallback
    ) -> None:
        callback.track_failed("One.flac", OSError("broken"))
        [event] = drain(tracker.listen("t"))
        assert list(event)[: len(FIELDS)] == FIELDS
        assert (event["track"], event["reason"]) == ("One.flac", "broken")


class TestNoEventOfATrackEndsAStream:
    @pytest.mark.parametrize("step", [*TRACK_STEPS, "track_started"])
    @pytest.mark.parametrize("status", list(ProgressStatus))
    def test_whoever_emits_it(
        self, tracker: ProgressTracker, step: str, status: ProgressStatus
    ) -> None:
        tracker.create_task("t")
        tracker.emit("t", step, status, "One.flac", 1, 2)
        assert tracker.is_running("t")
        tracker.emit("t", "completed", ProgressStatus.COMPLETED, "over", 2, 2)
        told = [event["message"] for event in drain(tracker.listen("t"))]
        assert told == ["One.flac", "over"]

    def test_not_even_one_that_is_followed_live(self, tracker: ProgressTracker) -> None:
        stream = tracker.listen("t")
        next(stream)
        for step in TRACK_STEPS:
            tracker.emit("t", step, ProgressStatus.FAILED, step)
            assert parse(next(stream))["message"] == step
        assert next(stream) == KEEPALIVE
