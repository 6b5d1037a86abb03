"""Fixtures of the tests of the Subsonic API: a small library, and a player that may ask for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from mixtape.database.account_tables import User
from tests.helpers.host import PASSWORD, make_app
from tests.helpers.mixtapes import scan
from tests.helpers.subsonic import Player, add_device, services_of
from tests.helpers.tracks import NOON, add_track


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


@pytest.fixture
def listed(tmp_path: Path, music: Path) -> Iterator[Flask]:
    """Return the application with three tracks of three minutes, two of them on an album."""
    app = make_app(tmp_path)
    database = services_of(app).database
    columns = {"artist": "Singer", "album": "Album"}
    assert add_track(database, b"Album/one.flac", title="One", **columns) == 1
    assert add_track(database, b"Album/two.flac", title="Two", **columns) == 2
    assert add_track(database, b"three.flac", title="Three", artist="Other") == 3
    assert add_track(database, b"gone.flac", title="Gone", missing_since=NOON) == 4
    yield app
    services_of(app).close()


@pytest.fixture
def ann(app: Flask) -> Player:
    """Return a player of another user, who is no admin."""
    with services_of(app).database.write() as session:
        user = User(name="Ann", name_key="ann", created_at=NOON)
        session.add(user)
        session.flush()
        user_id = user.id
    return Player(app, add_device(app, user_id), "Ann")
