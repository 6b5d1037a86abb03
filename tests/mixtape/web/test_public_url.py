from __future__ import annotations

from pathlib import Path

import pytest
from flask import url_for

from mixtape.web.urls import public_url
from tests.helpers.host import make_app, make_settings


@pytest.mark.parametrize(
    ("configured", "root", "expected"),
    [
        ("", "", "http://forged.example/mixtapes/abc"),
        ("", "/music", "http://forged.example/music/mixtapes/abc"),
        ("https://music.example.org", "", "https://music.example.org/mixtapes/abc"),
        ("https://music.example.org/", "", "https://music.example.org/mixtapes/abc"),
        # Whether the proxy takes the path off or says it, it stands there once.
        ("https://example.org/music", "", "https://example.org/music/mixtapes/abc"),
        ("https://example.org/music", "/music", "https://example.org/music/mixtapes/abc"),
    ],
)
def test_what_others_reach_is_as_configured_and_not_as_the_request_says(
    tmp_path: Path, configured: str, root: str, expected: str
) -> None:
    app = make_app(tmp_path, public_url=configured)
    with app.test_request_context("/", base_url=f"http://forged.example{root}"):
        assert public_url("player.page", slug="abc") == expected
        assert url_for("player.page", slug="abc") == f"{root}/mixtapes/abc"


def test_no_view_or_template_makes_a_whole_address_in_another_way() -> None:
    package = Path(__file__).parents[3] / "src" / "mixtape"
    files = [*package.rglob("*.py"), *package.rglob("*.html")]
    makers = [path.name for path in files if "_external" in path.read_text("utf-8")]
    assert makers == ["urls.py"]


def test_an_address_with_space_around_it_is_meant(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, public_url=" https://music.example.org ")
    assert settings.public_url == "https://music.example.org"


@pytest.mark.parametrize(
    ("configured", "allowed"),
    [("", "media-src 'self';"), ("https://m.example:8/x", "media-src 'self' https://m.example:8;")],
)
def test_pages_may_play_by_the_public_address_whichever_they_were_opened_by(
    tmp_path: Path, configured: str, allowed: str
) -> None:
    answer = make_app(tmp_path, public_url=configured).test_client().get("/")
    assert allowed in answer.headers["Content-Security-Policy"]
