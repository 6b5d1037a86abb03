"""Fixtures of the tests of the Subsonic API: a small library, and a player that may ask for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask

from tests.helpers.host import PASSWORD, make_app
from tests.helpers.mixtapes import scan
from tests.helpers.subsonic import Player, add_device


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path, mp3: Path) -> Flask:
    """Return the application with a password and two tracks, one of them lossless."""
    (music / "Album").mkdir()
    shutil.copy(flac, music / "Album" / "one.flac")
    shutil.copy(mp3, music / "Album" / "two.mp3")
    app = make_app(tmp_path, password=PASSWORD)
    scan(app)
    return app


@pytest.fixture
def key(app: Flask) -> str:
    """Return the key of a device of the first user."""
    return add_device(app)


@pytest.fixture
def player(app: Flask, key: str) -> Player:
    """Return a player of the first user."""
    return Player(app, key)
