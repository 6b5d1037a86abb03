"""How long 200 listeners of one run take to get its 500 events, in order: at most 5 s."""

from __future__ import annotations

import threading
import time

from audio_cache.progress_tracker import ProgressTracker

LISTENERS = 200
EVENTS = 500
LIMIT_S = 5.0
RUNS = 5


def measure(listeners: int = LISTENERS, events: int = EVENTS) -> tuple[float, int]:
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


def main() -> None:
    """Print the median of some runs, and fail where it is over the limit."""
    results = sorted(measure() for _ in range(RUNS))
    median_s = results[len(results) // 2][0]
    complete = min(count for _, count in results)
    print(f"{LISTENERS} listeners, {EVENTS} events: median {median_s:.2f} s (limit {LIMIT_S} s)")
    print(f"range {results[0][0]:.2f} to {results[-1][0]:.2f} s over {RUNS} runs")
    print(f"listeners with every event in order: {complete} of {LISTENERS}")
    if median_s > LIMIT_S or complete < LISTENERS:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
