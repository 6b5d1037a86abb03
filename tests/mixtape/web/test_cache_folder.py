"""What caching a folder takes, told before it begins, and refused where it has no room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from audio_cache import AudioCache, audio_size
from audio_cache.batch import estimate
from tests.helpers.mixtapes import Owner, make_scanned_app, message_of, services_of
from tests.helpers.tracks import place


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path, mp3: Path) -> Iterator[Flask]:
    """Return the application with two tracks that can be cached, and one that need not be."""
    for name in ("album/1.flac", "album/deep/2.flac"):
        place(flac, music / name, title=name)
    place(mp3, music / "lossy.mp3", title="As it is")
    app = make_scanned_app(tmp_path)
    yield app
    services_of(app).close()


@pytest.fixture
def owner(app: Flask) -> Owner:
    return Owner(app.test_client())


def cost(owner: Owner, folder: str = "") -> dict[str, Any]:
    answer = owner.client.get(f"/api/cache-folder/{folder}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json is not None
    return dict(answer.json)


def test_the_cost_is_that_of_the_tracks_that_are_not_cached(
    app: Flask, owner: Owner, music: Path
) -> None:
    one = audio_size(132_300, 44_100, "medium")
    found = cost(owner)
    assert (found["tracks"], found["bytes"], found["obstacle"]) == (2, 2 * one, None)
    assert found["free_bytes"] > found["bytes"]
    assert re.fullmatch(
        r"Cache 2 tracks\? That takes 146\.\d kB of the [\d.]+ GB that are free, and about 1 s\.",
        found["words"],
    )
    assert cost(owner, "album/deep")["tracks"] == 1
    cache: AudioCache = app.extensions["audio_cache"].cache
    entry = cache.transcode_file(music / "album" / "1.flac")
    assert abs(entry.stat().st_size - one) < 2000  # its tag is not counted
    assert cost(owner)["tracks"] == 1
    cache.transcode_file(music / "album" / "deep" / "2.flac")
    done = cost(owner)
    assert (done["tracks"], done["bytes"], done["seconds"]) == (0, 0, 0)
    assert done["words"].startswith("Everything is cached already")


def test_what_the_disk_cannot_hold_is_not_begun(
    app: Flask, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "free_bytes", lambda cache: 100_000)
    words = "This takes 147 kB, and the cache's disk has 100 kB left"
    assert cost(owner)["obstacle"].startswith(words)
    refused = owner.send("POST", "/api/cache-folder/")
    assert refused.status_code == 507
    assert message_of(refused).startswith(words)
    assert not services_of(app).caching.is_running("folder")
    # A part of it has room.
    assert cost(owner, "album/deep")["obstacle"] is None
    assert owner.send("POST", "/api/cache-folder/album/deep").status_code == 202


def test_the_cost_opens_no_file(owner: Owner, monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    """A library of 100,000 tracks is no reason to wait for a disk."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a source was looked into")

    monkeypatch.setattr(AudioCache, "find", refuse)
    monkeypatch.setattr(AudioCache, "get_rendition", refuse)
    assert cost(owner)["tracks"] == 2


def test_only_the_page_of_the_whole_library_asks_first(owner: Owner) -> None:
    assert 'data-cache="/api/cache-folder/" data-asks' in owner.page("/").text
    assert "data-asks" not in owner.page("/browse/album").text
