"""Trackers of every kind: what holds for one holds for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from audio_cache.backends.redis_progress import RedisProgressTracker
from audio_cache.progress.tracker import ProgressTracker
from tests.helpers.progress import Clock

MakeTracker = Callable[..., ProgressTracker]


@pytest.fixture(params=["in this process", "in Redis"])
def make_tracker(request: pytest.FixtureRequest) -> Iterator[MakeTracker]:
    """Return what makes a tracker of either kind."""
    with ExitStack() as stack:

        def make(**options: Any) -> ProgressTracker:
            if request.param == "in Redis":
                url = request.getfixturevalue("redis_url")
                shared = RedisProgressTracker(url, **options)
                stack.callback(shared.leave)
                return shared
            tracker = ProgressTracker(**options)
            stack.callback(tracker.close)
            return tracker

        yield make


@pytest.fixture
def tracker(make_tracker: MakeTracker, clock: Clock) -> ProgressTracker:
    """Return a tracker of either kind, whose streams say at once that nothing is there."""
    return make_tracker(keepalive_s=0, clock=clock)


@pytest.fixture
def own_tracker(clock: Clock) -> ProgressTracker:
    """Return the tracker of one process, which forgets by a clock."""
    return ProgressTracker(keepalive_s=0, clock=clock)
