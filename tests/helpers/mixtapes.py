"""Mixtapes of a scanned library: made by their owner, seen by their listeners."""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from mixtape.services import EXTENSION, Services
from tests.helpers.host import PAGE, make_app
from tests.helpers.tracks import find_track
from tests.helpers.waiting import LIMIT_S

_TRACK_URL = re.compile(r'data-url="([^"]+)"')


def services_of(app: Flask) -> Services:
    """Return what the pages of an app work with."""
    services: Services = app.extensions[EXTENSION]
    return services


def make_scanned_app(root: Path, **given: Any) -> Flask:
    """Return the application with `root`/music scanned."""
    app = make_app(root, **given)
    scan(app)
    return app


def scan(app: Flask) -> None:
    """Bring the library up to date with the music folder."""
    scanner = services_of(app).scanner
    scanner.start()
    progress = scanner.wait(LIMIT_S)
    assert not progress.running
    assert progress.error is None


def track_id(app: Flask, name: str) -> int:
    """Return the id of the track with a path in the library, or with a title."""
    services = services_of(app)
    track = find_track(services.database, os.fsencode(name))
    if track is None:
        [track] = services.catalogue.search(name).items
    return track.id


def save_mixtape(app: Flask, title: str, *names: str, **state: Any) -> SavedMixtape:
    """Store a mixtape of the tracks with these paths or titles; nobody else can see it."""
    ids = tuple(track_id(app, name) for name in names)
    return services_of(app).mixtapes.create(MixtapeState(title, track_ids=ids, **state))


def share_mixtape(app: Flask, *names: str, title: str = "A tape", **state: Any) -> SavedMixtape:
    """Store a mixtape that whoever has its link can hear."""
    return services_of(app).mixtapes.share(save_mixtape(app, title, *names, **state).slug)


def stream_urls(client: FlaskClient, mixtape: SavedMixtape) -> list[str]:
    """Return the addresses that a mixtape's page plays, in order."""
    page = client.get(f"/mixtapes/{mixtape.slug}", headers=PAGE)
    assert page.status_code == 200, page.text
    return [unescape(url) for url in _TRACK_URL.findall(page.text)]


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
