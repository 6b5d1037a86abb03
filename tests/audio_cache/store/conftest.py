"""Fixtures of the tests of what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_cache import AudioCache
from tests.helpers.ffmpeg import StubFFmpeg


@pytest.fixture
def ffmpeg(tmp_path: Path) -> StubFFmpeg:
    return StubFFmpeg(tmp_path / "stub")


@pytest.fixture
def counted(tmp_path: Path, ffmpeg: StubFFmpeg) -> Iterator[AudioCache]:
    """Return a cache whose ffmpeg writes down its starts."""
    cache = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path)
    yield cache
    cache.close()
