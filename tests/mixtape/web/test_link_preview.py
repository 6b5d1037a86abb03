"""What others show of a link: previews, oEmbed, and the small player in a frame."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mixtape.mixtapes.values import SavedMixtape
from mixtape.web.security import CONTENT_SECURITY_POLICY
from tests.helpers.host import PAGE, PASSWORD, make_app
from tests.helpers.mixtapes import message_of, scan, services_of, share_mixtape
from tests.helpers.tracks import make_picture, place

SITE = "https://example.org/music"
# Of a site with a public address, from which a page that is opened by another one plays as well.
POLICY = CONTENT_SECURITY_POLICY.replace("media-src 'self'", "media-src 'self' https://example.org")


def make_site(root: Path, music: Path, flac: Path, **given: Any) -> Flask:
    app = make_app(root, password=PASSWORD, public_url=SITE, **given)
    place(flac, music / "Album" / "1.flac", title="First")
    (music / "Album" / "cover.jpg").write_bytes(make_picture())
    scan(app)
    return app


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path) -> Flask:
    return make_site(tmp_path, music, flac)


@pytest.fixture
def mixtape(app: Flask) -> SavedMixtape:
    return share_mixtape(app, "First", title='Long & "late" <b>')


@pytest.fixture
def guest(app: Flask) -> FlaskClient:
    return app.test_client()


def allow(app: Flask, mixtape: SavedMixtape, **terms: Any) -> None:
    services = services_of(app)
    services.share_links.change(mixtape.slug, mixtape.link.id, {"allows_embed": True, **terms})


def address_of(mixtape: SavedMixtape) -> str:
    return f"{SITE}/mixtapes/{mixtape.slug}"


def ask(guest: FlaskClient, address: str, more: str = "") -> dict[str, Any]:
    answer = guest.get(f"/oembed?url={quote(address, safe='')}{more}")
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return dict(answer.json)


def metas(page: str) -> dict[str, str]:
    found = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page)
    return {name: unescape(content) for name, content in found}


def test_the_page_has_all_that_a_preview_shows(guest: FlaskClient, mixtape: SavedMixtape) -> None:
    page = guest.get(f"/mixtapes/{mixtape.slug}", headers=PAGE).text
    found = metas(page)
    assert found["og:url"] == address_of(mixtape)
    assert found["og:title"] == found["twitter:title"] == mixtape.title
    assert found["og:description"].startswith("1 track · ")
    assert found["og:image"] == found["twitter:image"]
    assert found["og:image"].startswith(f"{address_of(mixtape)}/")
    assert mixtape.title in found["og:image:alt"]
    assert found["twitter:card"] in {"summary", "summary_large_image"}
    with guest.get(found["og:image"].removeprefix(SITE)) as image:
        assert image.mimetype.startswith("image/")


def test_the_page_leads_to_its_oembed_answer(guest: FlaskClient, mixtape: SavedMixtape) -> None:
    page = guest.get(f"/mixtapes/{mixtape.slug}", headers=PAGE).text
    [href] = re.findall(
        r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', page
    )
    answer = guest.get(unescape(href).removeprefix(SITE))
    assert answer.json is not None
    assert answer.json["title"] == mixtape.title


def test_a_link_without_leave_to_embed_is_described_as_a_link(
    guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    found = ask(guest, address_of(mixtape))
    assert (found["version"], found["type"], found["title"]) == ("1.0", "link", mixtape.title)
    assert found["provider_name"] == "mixtape"
    assert found["provider_url"] == f"{SITE}/"
    assert "html" not in found


def test_the_player_is_offered_at_the_size_that_there_is_room_for(
    app: Flask, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    allow(app, mixtape)
    found = ask(guest, address_of(mixtape))
    assert (found["type"], found["width"], found["height"]) == ("rich", 480, 320)
    assert f'src="{address_of(mixtape)}/embed"' in found["html"]
    assert "<b>" not in found["html"]
    assert 'title="Long &amp; &quot;late&quot; &lt;b&gt;"' in found["html"]
    small = ask(guest, address_of(mixtape), "&maxwidth=300&maxheight=150&format=json")
    assert (small["width"], small["height"]) == (300, 150)
    assert 'width="300" height="150"' in small["html"]
    large = ask(guest, address_of(mixtape), "&maxwidth=3000&maxheight=2000")
    assert (large["width"], large["height"]) == (480, 320)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "http://example.org/music/mixtapes/{slug}",
        "https://evil.example/music/mixtapes/{slug}",
        "https://example.org/mixtapes/{slug}",
        "https://example.org/music/mixtapes/{slug}/edit",
        "https://example.org/music/mixtapes/{slug}/embed",
        "https://example.org/music/mixtapes/new",
        "https://example.org/music/mixtapes/" + "A" * 22,
        "https://[example.org/music/mixtapes/{slug}",
        "https://example.org/music//evil.example/mixtapes/{slug}",
        "javascript:alert(1)",
    ],
)
def test_only_links_of_this_site_are_described(
    guest: FlaskClient, mixtape: SavedMixtape, address: str
) -> None:
    address = address.format(slug=mixtape.slug)
    answer = guest.get("/oembed", query_string={"url": address})
    assert answer.status_code == 404
    assert mixtape.title not in message_of(answer)


@pytest.mark.parametrize("size", ["0", "-5", "many", "1e3", "٣", "1" * 9, ""])
def test_a_size_that_is_none_is_refused(
    guest: FlaskClient, mixtape: SavedMixtape, size: str
) -> None:
    query = {"url": address_of(mixtape), "maxwidth": size}
    answer = guest.get("/oembed", query_string=query)
    assert answer.status_code == 400
    assert "maxwidth" in message_of(answer)


def test_xml_is_not_spoken(guest: FlaskClient, mixtape: SavedMixtape) -> None:
    query = {"url": address_of(mixtape), "format": "xml"}
    assert guest.get("/oembed", query_string=query).status_code == 501


def test_a_link_with_a_password_is_neither_described_nor_embedded(
    app: Flask, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    allow(app, mixtape, password="moonlight")
    answer = guest.get("/oembed", query_string={"url": address_of(mixtape)})
    assert answer.status_code == 401
    assert guest.get(f"/mixtapes/{mixtape.slug}/embed", headers=PAGE).status_code == 404
    assert mixtape.title not in guest.get(f"/mixtapes/{mixtape.slug}", headers=PAGE).text


def test_a_closed_link_is_neither_described_nor_embedded(
    app: Flask, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    allow(app, mixtape, is_open=False)
    answer = guest.get("/oembed", query_string={"url": address_of(mixtape)})
    assert answer.status_code == 404
    assert guest.get(f"/mixtapes/{mixtape.slug}/embed", headers=PAGE).status_code == 404


def test_the_small_player_may_be_framed_and_is_as_strict_otherwise(
    app: Flask, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    page = f"/mixtapes/{mixtape.slug}/embed"
    assert guest.get(page, headers=PAGE).status_code == 404
    allow(app, mixtape)
    answer = guest.get(page, headers=PAGE)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    policy = answer.headers["Content-Security-Policy"]
    assert policy.replace("frame-ancestors *", "frame-ancestors 'none'") == POLICY
    assert not re.search(
        r"<script(?![^>]*\b(?:src|type)=)|<style|\sstyle=|\son[a-z]+=", answer.text
    )
    [url] = re.findall(r'data-url="([^"]+)"', answer.text)
    with guest.get(unescape(url).removeprefix("/music")) as music:
        assert music.status_code == 200
    # That page alone.
    other = guest.get(f"/mixtapes/{mixtape.slug}", headers=PAGE)
    assert other.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize(
    ("setting", "policy"),
    [
        ("https://blog.example.org  https://*.example.net:8443", None),
        ("none", ""),
    ],
)
def test_the_setting_says_which_sites_may_frame_it(
    tmp_path: Path, music: Path, flac: Path, setting: str, policy: str | None
) -> None:
    app = make_site(tmp_path, music, flac, embed_sites=setting)
    mixtape = share_mixtape(app, "First", title="For the road")
    allow(app, mixtape)
    guest = app.test_client()
    answer = guest.get(f"/mixtapes/{mixtape.slug}/embed", headers=PAGE)
    if policy is None:
        sites = " ".join(setting.split())
        assert f"frame-ancestors {sites}" in answer.headers["Content-Security-Policy"]
    else:
        assert answer.status_code == 404
        assert ask(guest, address_of(mixtape))["type"] == "link"
