"""What an event says, and what a run's log keeps."""

from __future__ import annotations

from datetime import datetime

import pytest

from audio_cache.progress.events import TRACK_STEPS, EventLog, ProgressEvent, ProgressStatus
from audio_cache.progress.tracker import ProgressTracker
from tests.helpers.progress import parse


def test_an_event_has_the_fields_of_the_contract_in_their_order() -> None:
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


def test_a_timestamp_is_local_time_with_microseconds_and_without_a_zone() -> None:
    before = datetime.now()
    text = ProgressEvent("t", "s", ProgressStatus.PENDING, "").timestamp
    assert before <= datetime.fromisoformat(text) <= datetime.now()
    assert len(text) == len("2024-09-28T12:34:56.789012")


def test_a_message_of_several_lines_stays_one_message() -> None:
    frame = ProgressEvent("t", "s", ProgressStatus.PENDING, "one\n\ndata: two\r").to_sse()
    assert parse(frame)["message"] == "one\n\ndata: two\r"
    assert frame.count("\n") == 2


def test_details_join_the_json_but_never_replace_a_field_of_the_contract() -> None:
    details = {"speed_x": 61.5, "step": "other", "error": OSError("no")}
    fields = parse(ProgressEvent("t", "s", ProgressStatus.PENDING, "", details=details).to_sse())
    assert (fields["speed_x"], fields["step"], fields["error"]) == (61.5, "s", "no")


def test_an_unknown_status_is_refused(tracker: ProgressTracker) -> None:
    with pytest.raises(ValueError, match="done"):
        tracker.emit("t", "s", "done", "")


@pytest.mark.parametrize("status", list(ProgressStatus))
def test_only_completed_and_failed_end_a_run_and_never_for_a_track(status: ProgressStatus) -> None:
    ends = status in ("completed", "failed")
    assert ProgressEvent("t", "caching", status, "").is_end is ends
    for step in TRACK_STEPS:
        assert ProgressEvent("t", step, status, "").is_end is False


def test_a_log_never_holds_more_than_twice_its_limit() -> None:
    log = EventLog(max_events=10)
    for number in range(1000):
        details = {"track": f"{number}"}
        log.append(ProgressEvent("t", "track_skipped", ProgressStatus.SKIPPED, "", details=details))
    assert [entry.number for entry in log.get_state()] == list(range(981, 1001))


def test_a_log_that_could_keep_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="max_events is 0"):
        EventLog(0)
