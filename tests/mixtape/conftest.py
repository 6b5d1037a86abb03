"""Fixtures for the tests of the host application."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from mixtape.settings import Settings
from tests.mixtape.host import PASSWORD, make_app


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Return the library that the clients show."""
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def client(tmp_path: Path, music: Path) -> FlaskClient:
    """Return a browser for the application without a password."""
    return make_app(tmp_path).test_client()


@pytest.fixture
def locked(tmp_path: Path, music: Path) -> FlaskClient:
    """Return a browser for the application with a password, not signed in."""
    return make_app(tmp_path, password=PASSWORD).test_client()
