"""Sources that take a while to encode, made fast; and waiting for what other threads do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.audio import file_url, run_ffmpeg

LIMIT_S = 60.0


def make_noise(path: Path, seconds: int, seed: int = 1) -> Path:
    """Write pink noise, no stretch of which is like another."""
    source = f"anoisesrc=d={seconds}:c=pink:r=44100:a=0.3:seed={seed}"
    run_ffmpeg("-f", "lavfi", "-i", source, "-ac", "2", "-sample_fmt", "s16", file_url(path))
    return path


def make_silence(path: Path, seconds: int) -> Path:
    """Write silence: long to encode, but made at once and small."""
    run_ffmpeg("-f", "lavfi", "-i", f"anullsrc=r=44100:cl=stereo:d={seconds}", file_url(path))
    return path


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for a condition with a generous limit; AssertionError where it does not come."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
