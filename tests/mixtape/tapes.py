"""Mixtapes of a scanned library, for the tests of what their listeners see."""

from __future__ import annotations

import os
import re
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from mixtape.services import Services
from tests.mixtape.host import PAGE

LIMIT_S = 60
_TRACK_URL = re.compile(r'data-url="([^"]+)"')


def services_of(app: Flask) -> Services:
    """Return what the pages of an app work with."""
    services: Services = app.extensions["mixtape"]
    return services


def scan(app: Flask) -> None:
    """Bring the library up to date with the music folder."""
    scanner = services_of(app).scanner
    scanner.start()
    progress = scanner.wait(LIMIT_S)
    assert not progress.running
    assert progress.error is None


def track_id(app: Flask, name: str) -> int:
    """Return the id of the track at a path in the library."""
    track = services_of(app).catalogue.find_by_path(os.fsencode(name))
    assert track is not None, name
    return track.id


def make_mixtape(app: Flask, *names: str, is_shared: bool = True, **state: Any) -> SavedMixtape:
    """Store a mixtape of the tracks at some paths in the library."""
    mixtapes = services_of(app).mixtapes
    ids = tuple(track_id(app, name) for name in names)
    mixtape = mixtapes.create(MixtapeState(**{"title": "A tape", "track_ids": ids, **state}))
    return mixtapes.share(mixtape.slug) if is_shared else mixtape


def stream_urls(client: FlaskClient, mixtape: SavedMixtape) -> list[str]:
    """Return the addresses that a mixtape's page plays, in order."""
    page = client.get(f"/mixtapes/{mixtape.slug}", headers=PAGE)
    assert page.status_code == 200, page.text
    return [unescape(url) for url in _TRACK_URL.findall(page.text)]
