"""What a guest of a shared mixtape learns of the owner's machine: nothing."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.host import PAGE, PASSWORD, make_app
from tests.helpers.mixtapes import scan, services_of, share_mixtape, stream_urls
from tests.helpers.privacy import COMMENT, FOLDER, MTIME_NS, TITLE, Secrets
from tests.helpers.tracks import make_picture
from tests.helpers.waiting import wait_until

LIVE = "audio-cache; fwd=miss; detail=live"
HIT = "audio-cache; hit"


@pytest.fixture
def app(secrets: Secrets, music: Path) -> Iterator[Flask]:
    for number, suffix in enumerate((".flac", ".wav")):
        secrets.place(suffix, seed=number)
    cover = music / FOLDER / "cover.jpg"
    cover.write_bytes(make_picture())
    os.utime(cover, ns=(MTIME_NS, MTIME_NS))
    app = make_app(secrets.root, password=PASSWORD)
    scan(app)
    yield app
    services_of(app).close()


@pytest.fixture
def mixtape(app: Flask, music: Path) -> SavedMixtape:
    names = sorted(f"{FOLDER}/{each.name}" for each in (music / FOLDER).glob("kx*"))
    return share_mixtape(app, *names, title="For you")


@pytest.fixture
def guest(app: Flask) -> FlaskClient:
    """Return a browser that never signed in."""
    return app.test_client()


def rest(app: Flask) -> None:
    wait_until(lambda: app.extensions["audio_cache"].live.busy_encoders == 0)


def test_the_page_of_a_mixtape_tells_its_title_and_tracks_alone(
    guest: FlaskClient, mixtape: SavedMixtape, secrets: Secrets
) -> None:
    answer = guest.get(f"/mixtapes/{mixtape.slug}", headers=PAGE)
    assert answer.text.count(TITLE) >= 2
    assert COMMENT not in answer.text
    secrets.assert_untold(answer)


def test_a_stream_tells_nothing_live_cached_or_as_the_original(
    app: Flask, guest: FlaskClient, mixtape: SavedMixtape, secrets: Secrets
) -> None:
    kinds = []
    for url in stream_urls(guest, mixtape):
        for quality in ("low", "low", "original"):
            with guest.get(f"{url}?quality={quality}") as answer:
                assert answer.status_code == 200
                kinds.append(answer.headers["Cache-Status"])
                secrets.assert_untold(answer)
                assert (COMMENT.encode() in answer.get_data()) == (quality == "original")
            with guest.get(f"{url}?quality={quality}", headers={"Range": "bytes=0-99"}) as part:
                assert part.status_code == 206
                secrets.assert_untold(part)
            rest(app)
    assert kinds == [LIVE, HIT, "audio-cache; fwd=bypass"] * 2


def cover_urls(page: TestResponse) -> set[str]:
    found = re.findall(r'"(/mixtapes/[^"]+/covers/[^"]+)"', page.text)
    return {unescape(url) for url in found}


def test_a_cover_tells_no_date_and_is_not_sent_twice(
    guest: FlaskClient, mixtape: SavedMixtape, secrets: Secrets
) -> None:
    covers = cover_urls(guest.get(f"/mixtapes/{mixtape.slug}", headers=PAGE))
    assert covers
    for url in covers:
        with guest.get(url) as answer:
            assert answer.status_code == 200
            secrets.assert_untold(answer)
            etag = answer.headers["ETag"]
        with guest.get(url, headers={"If-None-Match": etag}) as again:
            assert (again.status_code, again.get_data()) == (304, b"")
            secrets.assert_untold(again)
        later = {"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"}
        with guest.get(url, headers=later) as dated:
            assert dated.status_code == 200


@pytest.mark.parametrize("url", ["/static/css/player.css", "/static/img/favicon.svg"])
def test_a_script_tells_no_date_of_installation_and_is_not_sent_twice(
    guest: FlaskClient, url: str
) -> None:
    with guest.get(url) as answer:
        assert answer.status_code == 200
        assert "Last-Modified" not in answer.headers
        etag = answer.headers["ETag"]
        assert answer.get_etag()[0] == hashlib.sha256(answer.get_data()).hexdigest()[:32]
    with guest.get(url, headers={"If-None-Match": etag}) as again:
        assert (again.status_code, again.get_data()) == (304, b"")
    assert guest.get("/static/../app.py").status_code == 404


def test_refusals_and_the_progress_of_the_owner_tell_a_guest_nothing(
    guest: FlaskClient, mixtape: SavedMixtape, secrets: Secrets, music: Path
) -> None:
    [first, *_] = stream_urls(guest, mixtape)
    (music / FOLDER / sorted(os.listdir(music / FOLDER))[1]).unlink()
    asked = [
        first,
        f"{first}?quality=best",
        f"{first}x",
        f"/mixtapes/{mixtape.slug}/covers/{'0' * 32}",
        f"/editor/progress/{mixtape.slug}",
        "/metrics",
        "/healthz?details",
        "/api/search?q=title",
    ]
    for url in asked:
        for headers in ({}, PAGE):
            with guest.get(url, headers=headers) as answer:
                secrets.assert_untold(answer)
