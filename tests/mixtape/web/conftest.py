"""Fixtures of the tests of who may see what."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.host import PASSWORD, make_app
from tests.helpers.mixtapes import save_mixtape, scan, share_mixtape
from tests.mixtape.web.attacker import (
    PUBLIC,
    SECRET,
)


@pytest.fixture
def guarded_app(tmp_path: Path, music: Path, mp3: Path, flac: Path) -> Flask:
    """Return the application with a password; every file but one holds the mark of a secret."""
    outside = tmp_path / "outside"
    outside.mkdir()
    content = mp3.read_bytes()
    for path in (music / "private.mp3", music / "Folder" / "deep.mp3", outside / "secret.mp3"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content + SECRET)
    (music / "shared.mp3").write_bytes(content + PUBLIC)
    (music / "notes.txt").write_bytes(SECRET)
    (music / "link.mp3").symlink_to(outside / "secret.mp3")
    (music / "way out").symlink_to(outside)
    guarded_app = make_app(tmp_path, password=PASSWORD)
    (tmp_path / "data" / "cache" / "note.mp3").write_bytes(content + SECRET)
    scan(guarded_app)
    return guarded_app


@pytest.fixture
def shared(guarded_app: Flask) -> SavedMixtape:
    return share_mixtape(guarded_app, "shared.mp3")


@pytest.fixture
def unshared(guarded_app: Flask) -> SavedMixtape:
    return save_mixtape(guarded_app, "Only mine", "private.mp3")


@pytest.fixture
def visitor(guarded_app: Flask) -> FlaskClient:
    return guarded_app.test_client()
