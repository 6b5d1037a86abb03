"""The application with a library that is scanned, for the tests of what an owner does with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from mixtape.services import EXTENSION, Services
from tests.mixtape.host import PAGE, make_app

LONG_S = 60.0


def services_of(app: Flask) -> Services:
    services: Services = app.extensions[EXTENSION]
    return services


def make_scanned_app(root: Path, **given: Any) -> Flask:
    """Return the application with `root`/music scanned."""
    app = make_app(root, **given)
    scan(app)
    return app


def scan(app: Flask) -> None:
    scanner = services_of(app).scanner
    scanner.start()
    done = scanner.wait(LONG_S)
    assert not done.running
    assert done.error is None


def track_id(app: Flask, title: str) -> int:
    (track,) = services_of(app).catalogue.search(title).items
    return track.id


def make_mixtape(app: Flask, title: str, *titles: str) -> SavedMixtape:
    """Store a mixtape with the tracks of these titles."""
    ids = tuple(track_id(app, name) for name in titles)
    return services_of(app).mixtapes.create(MixtapeState(title, track_ids=ids))


class Owner:
    """A browser with the token that its scripts send."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def token(self) -> str:
        answer = self.client.get("/api/session").json
        assert answer is not None
        return str(answer["csrf_token"])

    def send(self, method: str, url: str, body: Any = None, **options: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.token()}
        return self.client.open(url, method=method, json=body, headers=headers, **options)

    def send_file(self, url: str, content: bytes) -> TestResponse:
        return self.client.post(url, data=content, headers={"X-CSRFToken": self.token()})

    def page(self, url: str) -> TestResponse:
        return self.client.get(url, headers=PAGE)


def message_of(answer: TestResponse) -> str:
    """Return the words of an error, which has the one shape that all have."""
    assert answer.json is not None
    assert set(answer.json) == {"error"}
    assert answer.json["error"]["status"] == answer.status_code
    return str(answer.json["error"]["message"])
