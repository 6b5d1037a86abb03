"""Fixtures of the tests of the library."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from audio_cache.flask_ext import FlaskAudioCache
from audio_cache.progress.tracker import ProgressTracker
from tests.audio_cache.foreign_app import make_app, state_of
from tests.helpers.progress import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracker(clock: Clock) -> ProgressTracker:
    """Return a tracker whose listeners never wait: what is idle gives a keepalive at once."""
    return ProgressTracker(keepalive_s=0, clock=clock)


@pytest.fixture
def music(tmp_path: Path, flac: Path) -> Path:
    """Return a music folder with a track, and with what is not for listeners."""
    root = tmp_path / "music"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    shutil.copyfile(flac, root / "folder" / "track.flac")
    shutil.copyfile(flac, tmp_path / "secret" / "track.flac")
    (root / "notes.txt").write_text("not for listeners")
    (root / "out.flac").symlink_to(tmp_path / "secret" / "track.flac")
    (root / "way out").symlink_to(tmp_path / "secret")
    (root / "within.flac").symlink_to("folder/track.flac")
    (root / "loop.flac").symlink_to("loop.flac")
    (root / "dangling.flac").symlink_to("nowhere.flac")
    (root / "folder.flac").mkdir()
    os.mkfifo(root / "pipe.flac")
    return root


@pytest.fixture
def app(music: Path) -> Iterator[Flask]:
    app = make_app(music, AUDIO_CACHE_ON_MISS="live")
    FlaskAudioCache(app)
    yield app
    state_of(app).shut_down()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def album(tmp_path: Path, flac: Path) -> Path:
    folder = tmp_path / "music" / "Album"
    folder.mkdir(parents=True)
    shutil.copy(flac, folder / "Track.flac")
    return folder.parent
