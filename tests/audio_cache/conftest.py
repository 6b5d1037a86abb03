"""Fixtures of the tests of progress."""

from __future__ import annotations

import pytest

from audio_cache.progress.tracker import ProgressTracker
from tests.progress import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracker(clock: Clock) -> ProgressTracker:
    """Return a tracker whose listeners never wait: what is idle gives a keepalive at once."""
    return ProgressTracker(keepalive_s=0, clock=clock)
