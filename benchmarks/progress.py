"""How long 200 listeners of one run take to get its 500 events, in order: at most 5 s."""

from __future__ import annotations

import threading
import time
from statistics import median

from audio_cache.progress.tracker import ProgressTracker

from .result import Figure, Result

LISTENERS = 200
EVENTS = 500
LIMIT_S = 5.0
RUNS = 5


def run() -> Result:
    """Time some runs, and hold what every listener got against what was sent."""
    measured = [_measure() for _ in range(RUNS)]
    times_s = [elapsed_s for elapsed_s, _ in measured]
    complete = min(count for _, count in measured)
    return Result(
        title=f"{LISTENERS} listeners of one run of {EVENTS} events",
        figures=(
            Figure(
                "from the first event to the last listener’s end", median(times_s), "s", LIMIT_S
            ),
            Figure("listeners with every event in order", complete, "", LISTENERS, at_least=True),
        ),
        samples={"all events to all listeners": times_s},
        unit="s",
        notes=(f"Listeners are threads of one process; the median of {RUNS} runs.",),
        limit=LIMIT_S,
    )


def _measure(listeners: int = LISTENERS, events: int = EVENTS) -> tuple[float, int]:
    """Return the seconds from the first event to the last listener's end, and who got all."""
    tracker = ProgressTracker()
    tracker.create_task("run")
    all_connected = threading.Barrier(listeners + 1)
    received: list[list[str]] = [[] for _ in range(listeners)]

    def follow(frames: list[str]) -> None:
        stream = tracker.listen("run", ids=True)
        next(stream)
        all_connected.wait()
        frames.extend(stream)

    threads = [threading.Thread(target=follow, args=(frames,)) for frames in received]
    for thread in threads:
        thread.start()
    all_connected.wait()
    started_s = time.perf_counter()
    for number in range(1, events):
        tracker.emit("run", "caching", "in_progress", f"track {number}", number, events)
    tracker.emit("run", "completed", "completed", "done", events, events)
    for thread in threads:
        thread.join()
    elapsed_s = time.perf_counter() - started_s
    expected = list(tracker.listen("run", ids=True))[1:]
    return elapsed_s, sum(frames == expected for frames in received)
