"""What a crowd of listeners leaves behind in one process: nothing."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from audio_cache.progress_tracker import ProgressTracker, get_progress_tracker
from tests.helpers.progress import emit_many, messages, parse
from tests.helpers.waiting import LIMIT_S


def run_for_200(
    tracker: ProgressTracker, threads: ThreadPoolExecutor, events: int
) -> weakref.ref[Any]:
    """Let 200 listeners follow a run, check what they got, and return what would leak."""
    tracker.create_task("t")
    all_connected = threading.Barrier(201)

    def follow() -> list[str]:
        stream = tracker.listen("t", timeout=LIMIT_S)
        next(stream)
        all_connected.wait(LIMIT_S)
        return list(stream)

    futures = [threads.submit(follow) for _ in range(200)]
    all_connected.wait(LIMIT_S)
    emit_many(tracker, "t", events)
    tracker.emit("t", "completed", "completed", "over")
    received = [future.result(LIMIT_S) for future in futures]
    expected = [*(f"event {n}" for n in range(events)), "over"]
    assert messages([parse(frame) for frame in received[0]]) == expected
    assert received.count(received[0]) == 200
    run: Any = tracker._tasks["t"].run
    tracker.cleanup_task("t")
    return weakref.ref(run)


def test_200_listeners_of_500_events_get_all_in_order_and_leave_no_memory() -> None:
    tracker = ProgressTracker(keepalive_s=LIMIT_S)
    with ThreadPoolExecutor(200) as threads:
        run_for_200(tracker, threads, 5)  # starts the threads, which have memory of their own
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            run = run_for_200(tracker, threads, 500)
            gc.collect()
            left = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert run() is None
    assert left < 64 * 1024


def test_the_shared_tracker_is_one() -> None:
    assert get_progress_tracker() is get_progress_tracker()
