"""Streams that say when they have something to tell, so that nobody has to wait in them."""

from __future__ import annotations

import pytest

from audio_cache.progress.sse import progress_response
from audio_cache.progress.tracker import Frames, ProgressTracker
from tests.audio_cache.progress.conftest import MakeTracker
from tests.helpers.progress import KEEPALIVE, Clock, emit_many, messages, parse


@pytest.fixture
def tracker(make_tracker: MakeTracker, clock: Clock) -> ProgressTracker:
    return make_tracker(keepalive_s=15, clock=clock)


def take_due(frames: Frames) -> list[str]:
    """Return what comes without waiting."""
    taken = []
    while frames.is_due():
        frame = next(frames, None)
        if frame is None:
            break
        taken.append(frame)
    return taken


def follow(tracker: ProgressTracker) -> Frames:
    """Follow a task, and take what is there at first."""
    frames = tracker.follow("tape", timeout=100, ids=True)
    assert parse(take_due(frames)[0])["type"] == "connected"
    return frames


def test_a_stream_without_news_is_not_due_and_wakes_at_the_next_event(
    tracker: ProgressTracker,
) -> None:
    tracker.create_task("tape")
    frames, woken = follow(tracker), []
    assert not frames.is_due()
    frames.call_when_due(lambda: woken.append(1))
    assert not woken
    emit_many(tracker, "tape", 2)
    assert woken == [1]  # once: what comes meanwhile is taken with it
    assert messages([parse(frame) for frame in take_due(frames)]) == ["event 0", "event 1"]
    assert not frames.is_due()


def test_who_asks_to_be_woken_too_late_is_woken_at_once(tracker: ProgressTracker) -> None:
    tracker.create_task("tape")
    frames, woken = follow(tracker), []
    emit_many(tracker, "tape", 1)
    frames.call_when_due(lambda: woken.append(1))
    assert woken == [1]


def test_a_quiet_stream_is_due_when_its_keepalive_is_and_ends_at_its_time(
    tracker: ProgressTracker, clock: Clock
) -> None:
    tracker.create_task("tape")
    frames = follow(tracker)
    assert frames.due_in_s() == 15
    clock.now += 15
    assert frames.is_due()
    assert next(frames) == KEEPALIVE
    assert not frames.is_due()
    clock.now += 85
    assert frames.is_due()
    assert next(frames, "the end") == "the end"


@pytest.mark.parametrize("end", ["close", "cleanup"])
def test_what_ends_a_stream_wakes_it(tracker: ProgressTracker, end: str) -> None:
    tracker.create_task("tape")
    frames, woken = follow(tracker), []
    frames.call_when_due(lambda: woken.append(1))
    if end == "close":
        tracker.close()
    else:
        tracker.cleanup_task("tape")
    assert woken == [1]
    assert frames.is_due()
    assert next(frames, "the end") == "the end"


def test_a_listener_who_left_is_not_woken(tracker: ProgressTracker) -> None:
    tracker.create_task("tape")
    frames, woken = follow(tracker), []
    frames.call_when_due(lambda: woken.append(1))
    frames.close()
    emit_many(tracker, "tape", 1)
    assert not woken


def test_an_answer_passes_its_stream_through_as_it_is(tracker: ProgressTracker) -> None:
    tracker.create_task("tape")
    response = progress_response(tracker, "tape")
    body = response.get_app_iter({"REQUEST_METHOD": "GET"})
    assert body is response.response
    first = next(iter(body))
    assert first.startswith(b"data: ")
    assert first.endswith(b"retry: 2000\n\n")
