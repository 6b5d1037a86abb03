"""Pins: what is made of saved mixtapes is kept, until they change or are deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from audio_cache import AudioCache
from tests.helpers.mixtapes import (
    Owner,
    make_scanned_app,
    services_of,
    track_id,
)
from tests.helpers.tracks import place


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path) -> Iterator[Flask]:
    place(flac, music / "1.flac", title="Alpha")
    place(flac, music / "2.flac", title="Beta")
    app = make_scanned_app(tmp_path, AUDIO_CACHE_PRECACHE_ON_UPLOAD=True)
    yield app
    services_of(app).close()


@pytest.fixture
def owner(app: Flask) -> Owner:
    return Owner(app.test_client())


def cache_of(app: Flask) -> AudioCache:
    cache: AudioCache = app.extensions["audio_cache"].cache
    return cache


def names(app: Flask, music: Path, *titles: str) -> set[str]:
    """Return the names of what is made ahead of tracks."""
    files = {"Alpha": "1.flac", "Beta": "2.flac"}
    cache = cache_of(app)
    return {cache.get_cache_path(music / files[title], "medium").name for title in titles}


def save(owner: Owner, title: str, *ids: int) -> str:
    """Save a mixtape as the editor does, and return its slug."""
    draft = owner.send("POST", "/api/drafts", {}).json
    assert draft is not None
    state = {"title": title, "track_ids": list(ids)}
    saved = owner.send("POST", f"/api/drafts/{draft['key']}/save", {"state": state}).json
    assert saved is not None
    return str(saved["slug"])


def test_a_save_pins_what_is_made_ahead(app: Flask, owner: Owner, music: Path) -> None:
    slug = save(owner, "One", track_id(app, "Alpha"))
    assert cache_of(app).pins.names() == names(app, music, "Alpha")
    save(owner, "Two", track_id(app, "Beta"))
    assert cache_of(app).pins.names() == names(app, music, "Alpha", "Beta")
    assert owner.send("DELETE", f"/api/mixtapes/{slug}").status_code == 204
    assert cache_of(app).pins.names() == names(app, music, "Beta")


def test_a_new_link_keeps_the_pins(app: Flask, owner: Owner, music: Path) -> None:
    slug = save(owner, "One", track_id(app, "Alpha"))
    assert owner.send("POST", f"/api/mixtapes/{slug}/renew").status_code == 200
    assert cache_of(app).pins.names() == names(app, music, "Alpha")
    assert f"mixtape {slug}" not in cache_of(app).pins.owners()


def test_a_start_pins_what_is_saved_and_lets_the_rest_go(
    app: Flask, owner: Owner, music: Path
) -> None:
    save(owner, "One", track_id(app, "Alpha"))
    cache = cache_of(app)
    cache.unpin(cache.pins.owners()[0])
    cache.pin("mixtape that was deleted elsewhere", [music / "2.flac"], ["low"])
    cache.pin("somebody else", [music / "2.flac"], ["high"])
    services = services_of(app)
    slugs = [summary.slug for summary in services.mixtapes.summaries()]
    services.caching.pin_all(services.mixtapes.get(slug) for slug in slugs)
    elsewhere = cache.get_cache_path(music / "2.flac", "high").name
    assert cache.pins.names() == {*names(app, music, "Alpha"), elsewhere}


def test_the_setting_turns_pins_off(tmp_path: Path, music: Path, flac: Path) -> None:
    place(flac, music / "1.flac", title="Alpha")
    app = make_scanned_app(tmp_path, AUDIO_CACHE_PIN_MIXTAPES=False)
    cache_of(app).pin("mixtape of before", [music / "1.flac"], ["low"])
    save(Owner(app.test_client()), "One", track_id(app, "Alpha"))
    services_of(app).caching.pin_all([])
    assert cache_of(app).pins.names() == set()
    services_of(app).close()
