"""Runs in Redis: what is told of them, and that a large one costs no more for each track."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from audio_cache.backends import redis_runs
from audio_cache.backends.redis_progress import RedisProgressTracker, connect
from audio_cache.backends.redis_runs import OVER, RunRecord, RunRecords, RunTrack
from audio_cache.batch.outcome import MISSING, Fate, Outcome
from audio_cache.progress.callback import MAX_FAILURES_LISTED
from tests.helpers.progress import parse
from tests.helpers.waiting import LIMIT_S, finish

CACHED = Outcome(Fate.CACHED, audio_s=1.5, bytes_saved=10)
FAILED = Outcome(Fate.FAILED, "it is damaged")
GONE = Outcome(Fate.SKIPPED, MISSING)


@pytest.fixture
def records(redis_url: str) -> Iterator[RunRecords]:
    with ExitStack() as stack:
        tracker = RedisProgressTracker(redis_url, keepalive_s=LIMIT_S)
        stack.callback(tracker.leave)
        client = connect(redis_url)
        stack.callback(client.close)
        yield RunRecords(client, tracker)


def begin(records: RunRecords, count: int) -> tuple[RunRecord, list[RunTrack]]:
    tracks = [RunTrack(b"%d.flac" % number, f"{number}.flac") for number in range(count)]
    return records.begin(f"{count} tracks", tracks, ["low"], is_urgent=True)[0], tracks


def end_of(records: RunRecords, outcomes: list[Outcome]) -> dict[str, Any]:
    record, tracks = begin(records, len(outcomes))
    for index, (track, outcome) in enumerate(zip(tracks, outcomes, strict=True)):
        records.settle(record, index, track, outcome)
    assert records.state(record.run_id) == OVER
    return parse(list(records.tracker.listen(record.task_id, timeout=LIMIT_S))[-1])


def cost(records: RunRecords, record: RunRecord, index: int, track: RunTrack) -> tuple[int, int]:
    """Return how many commands settling a track takes, and how many bytes are answered."""

    def stats() -> tuple[int, int]:
        found: Any = records.client.info("stats")
        return found["total_commands_processed"], found["total_net_output_bytes"]

    commands, answered = stats()
    records.settle(record, index, track, FAILED)
    after = stats()
    return after[0] - commands, after[1] - answered


def test_a_track_is_settled_once_whoever_does_it(records: RunRecords) -> None:
    record, tracks = begin(records, 2)
    for _ in range(3):
        records.note_begun(record, 0, tracks[0])
        records.settle(record, 0, tracks[0], CACHED)
    assert not records.is_left(record.run_id, 0)
    assert records.left(record.run_id) == {1}
    assert records.under_way(record.run_id) == set()
    records.settle(record, 1, tracks[1], CACHED)
    end = parse(list(records.tracker.listen(record.task_id, timeout=LIMIT_S))[-1])
    assert (end["message"], end["bytes_saved"]) == ("2 cached, 0 skipped, 0 failed", 20)


def test_what_is_under_way_is_what_was_begun_and_not_settled(records: RunRecords) -> None:
    record, tracks = begin(records, 3)
    for index in (0, 2):
        records.note_begun(record, index, tracks[index])
    records.settle(record, 0, tracks[0], CACHED)
    assert records.under_way(record.run_id) == {2}
    assert records.has_left(record.run_id)


def test_what_is_done_never_goes_back_where_another_track_begins_meanwhile(
    records: RunRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, tracks = begin(records, 3)
    other = threading.Thread(target=records.settle, args=(record, 0, tracks[0], CACHED))
    emit = records.tracker.emit

    def emit_late(task_id: str, step: str, *given: Any, **more: Any) -> None:
        if step == "track_started":
            other.start()
            other.join(0.5)  # as long as it takes where nothing keeps it from being told first
        emit(task_id, step, *given, **more)

    monkeypatch.setattr(records.tracker, "emit", emit_late)
    records.note_begun(record, 1, tracks[1])
    finish(other)
    records.settle(record, 1, tracks[1], CACHED)
    records.settle(record, 2, tracks[2], CACHED)
    told = [parse(each) for each in records.tracker.listen(record.task_id, timeout=LIMIT_S)]
    counts = [each["done"] for each in told if "done" in each]
    assert counts == sorted(counts)


def test_a_run_has_failed_where_no_track_can_be_played(records: RunRecords) -> None:
    assert end_of(records, [FAILED, GONE])["status"] == "failed"
    assert end_of(records, [FAILED, GONE, CACHED])["status"] == "completed"


def test_the_first_failures_are_told_at_the_end(records: RunRecords) -> None:
    end = end_of(records, [FAILED] * (MAX_FAILURES_LISTED + 5))
    assert [each["track"] for each in end["failures"]] == [
        f"{number}.flac" for number in range(MAX_FAILURES_LISTED)
    ]
    assert end["failed"] == MAX_FAILURES_LISTED + 5


def test_the_last_of_many_tracks_takes_what_the_last_of_few_takes(records: RunRecords) -> None:
    costs = []
    for count in (MAX_FAILURES_LISTED + 2, 10 * MAX_FAILURES_LISTED):
        record, tracks = begin(records, count)
        for index in range(count - 2):
            records.settle(record, index, tracks[index], FAILED)
        costs.append([cost(records, record, each, tracks[each]) for each in (count - 2, count - 1)])
    for (few_commands, few_bytes), (commands, answered) in zip(*costs, strict=True):
        assert commands <= few_commands + 2
        assert answered <= 1.1 * few_bytes


def test_a_library_is_written_in_pieces(
    records: RunRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_runs, "_WRITTEN_AT_ONCE", 3)
    record, tracks = begin(records, 8)
    assert records.left(record.run_id) == set(range(8))
    assert [records.track(record.run_id, index) for index in range(8)] == tracks
