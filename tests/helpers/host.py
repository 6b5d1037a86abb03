"""The host application with a small library, for the tests of its pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mixtape.app import create_app
from mixtape.settings import Settings

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PASSWORD = "correct horse"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def make_settings(root: Path, **given: Any) -> Settings:
    """Return settings with `root`/music and `root`/data; whatever else is given wins."""
    music = root / "music"
    music.mkdir(exist_ok=True)
    return Settings(**{"music_root": music, "data_root": root / "data", **given})


def make_app(root: Path, **given: Any) -> Flask:
    """Return the application with `root`/music and `root`/data."""
    return create_app(make_settings(root, **given))


def sign_in(client: FlaskClient, password: str = PASSWORD, **form: str) -> TestResponse:
    """Send the login form as a browser does, with the token of the page."""
    token = csrf_token(client.get("/login", headers=PAGE))
    return client.post(
        "/login", data={"password": password, "csrf_token": token, **form}, headers=PAGE
    )


def page_of(client: FlaskClient, address: str = "/") -> str:
    """Return the text of a page, which is there."""
    answer = client.get(address, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return answer.text


def csrf_token(page: TestResponse) -> str:
    """Return the token of the first form on a page."""
    found = _TOKEN.search(page.text)
    assert found is not None, page.text
    return found[1]
