"""Limits for waiting, and waiting for what threads and processes do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

# Generous, since the machine may be busy; nothing here takes it when all is well.
LIMIT_S = 120.0
LIMIT_MS = 1000 * LIMIT_S


def wait_until(condition: Callable[[], object], what: str = "what was to happen") -> None:
    """Return when a condition holds; fail after a generous while."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.005)


def together(*tasks: Callable[[], Any]) -> list[Any]:
    """Run functions in threads of their own, all at once, and return what they return."""
    results: list[Any] = [None] * len(tasks)
    errors: list[BaseException] = []
    gate = threading.Barrier(len(tasks))

    def run(index: int) -> None:
        try:
            gate.wait(LIMIT_S)
            results[index] = tasks[index]()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def finish(thread: threading.Thread) -> None:
    """Wait for a thread's end."""
    thread.join(LIMIT_S)
    assert not thread.is_alive()
