"""What browsers ask for before they offer a page as an app."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.host import PAGE, PASSWORD, make_app
from tests.helpers.mixtapes import save_mixtape, scan, share_mixtape
from tests.helpers.tracks import make_picture, place


@pytest.fixture(params=["", "/music"])
def prefix(request: pytest.FixtureRequest) -> str:
    """Return the path that the site is below."""
    return str(request.param)


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path, mp3: Path, prefix: str) -> Flask:
    """Return the application with a password, a track with a cover and one without."""
    given = {"public_url": f"http://localhost{prefix}"} if prefix else {}
    app = make_app(tmp_path, password=PASSWORD, **given)
    place(flac, music / "Album" / "1.flac", title="First", album="Album")
    place(mp3, music / "bare.mp3")
    (music / "Album" / "cover.jpg").write_bytes(make_picture())
    scan(app)
    return app


@pytest.fixture
def tape(app: Flask) -> SavedMixtape:
    return share_mixtape(app, "Album/1.flac", title="Für die Fahrt & zurück")


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


def read_manifest(client: FlaskClient, address: str) -> dict[str, Any]:
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/manifest+json")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    manifest: dict[str, Any] = answer.json
    for field in ("name", "short_name", "theme_color", "background_color", "lang"):
        assert manifest[field]
    assert manifest["display"] == "standalone"
    assert urljoin(address, manifest["start_url"]).startswith(urljoin(address, manifest["scope"]))
    return manifest


def check_icons(client: FlaskClient, manifest: dict[str, Any]) -> None:
    found = set()
    for icon in manifest["icons"]:
        with client.get(icon["src"]) as answer:
            assert (answer.status_code, answer.mimetype) == (200, icon["type"])
            picture = Image.open(io.BytesIO(answer.data))
        assert icon["sizes"] == f"{picture.width}x{picture.height}"
        found.add((icon["sizes"], icon["purpose"]))
    assert found == {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}


def test_a_mixtape_is_an_app_that_opens_its_link(
    visitor: FlaskClient, tape: SavedMixtape, prefix: str
) -> None:
    link = f"{prefix}/mixtapes/{tape.slug}"
    page = visitor.get(link, headers=PAGE).text
    assert f'<link rel="manifest" href="{link}/manifest.webmanifest"' in page
    manifest = read_manifest(visitor, f"{link}/manifest.webmanifest")
    assert manifest["name"] == tape.title
    assert (manifest["start_url"], manifest["scope"], manifest["id"]) == (link, link, link)
    check_icons(visitor, manifest)
    assert all(tape.slug in icon["src"] for icon in manifest["icons"])


def test_its_icons_show_the_covers_of_its_tracks(
    app: Flask, visitor: FlaskClient, music: Path, flac: Path, prefix: str
) -> None:
    place(flac, music / "Other" / "1.flac", title="Other", album="Other")
    (music / "Other" / "cover.jpg").write_bytes(make_picture(colour="red"))
    scan(app)
    tape = share_mixtape(app, "Album/1.flac", "Other/1.flac")
    manifest = read_manifest(visitor, f"{prefix}/mixtapes/{tape.slug}/manifest.webmanifest")
    check_icons(visitor, manifest)
    with visitor.get(manifest["icons"][0]["src"]) as answer:
        picture = Image.open(io.BytesIO(answer.data))
    left, right = (picture.getpixel((x, 96)) for x in (48, 144))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] < 50 < left[2]
    assert right[0] > 200 > right[2]


def test_without_a_cover_it_has_the_cassette(app: Flask, visitor: FlaskClient, prefix: str) -> None:
    tape = share_mixtape(app, "bare.mp3")
    manifest = read_manifest(visitor, f"{prefix}/mixtapes/{tape.slug}/manifest.webmanifest")
    check_icons(visitor, manifest)
    assert all(icon["src"].startswith(f"{prefix}/static/") for icon in manifest["icons"])


def test_the_site_is_an_app_of_its_owner(visitor: FlaskClient, tmp_path: Path, prefix: str) -> None:
    assert "site.webmanifest" not in visitor.get(f"{prefix}/login", headers=PAGE).text
    manifest = read_manifest(visitor, f"{prefix}/site.webmanifest")
    assert (manifest["name"], manifest["start_url"]) == ("mixtape", f"{prefix}/")
    check_icons(visitor, manifest)
    # Without a password everybody is an owner.
    open_app = make_app(tmp_path, public_url=f"http://localhost{prefix}" if prefix else "")
    page = open_app.test_client().get(f"{prefix}/", headers=PAGE).text
    assert f'<link rel="manifest" href="{prefix}/site.webmanifest"' in page


def test_the_worker_may_look_after_the_whole_site_and_is_never_stale(
    visitor: FlaskClient, prefix: str
) -> None:
    answer = visitor.get(f"{prefix}/worker.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.headers["Service-Worker-Allowed"] == f"{prefix}/"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    version, code = answer.text.splitlines()
    assert version.startswith("// ")
    assert code == f'import "{prefix}/static/js/offline/worker.js";'
    with visitor.get(f"{prefix}/static/js/offline/worker.js") as script:
        assert script.status_code == 200


@pytest.mark.parametrize("end", ["manifest.webmanifest", "icons/{key}/icon-192.png"])
def test_what_is_not_shared_has_no_app_for_others(
    app: Flask, visitor: FlaskClient, tape: SavedMixtape, prefix: str, end: str
) -> None:
    end = end.format(key=tape.cover_key)
    own = save_mixtape(app, "Mine", "Album/1.flac")
    assert visitor.get(f"{prefix}/mixtapes/{own.slug}/{end}").status_code == 404
    with visitor.get(f"{prefix}/mixtapes/{tape.slug}/{end}") as answer:
        assert answer.status_code == 200
    wrong = ["icons/" + "0" * 32 + "/icon-192.png", f"icons/{tape.cover_key}/icon-7.png"]
    for each in wrong:
        assert visitor.get(f"{prefix}/mixtapes/{tape.slug}/{each}").status_code == 404


def test_the_page_of_what_is_kept_tells_a_stranger_nothing(
    visitor: FlaskClient, prefix: str
) -> None:
    page = visitor.get(f"{prefix}/offline", headers=PAGE)
    assert page.status_code == 200
    assert "csrf" not in page.text
    assert "/albums" not in page.text
