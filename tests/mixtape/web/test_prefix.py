"""mixtape below a path of its host."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.helpers.host import PAGE, PASSWORD, csrf_token, make_app
from tests.helpers.mixtapes import make_scanned_app, share_mixtape
from tests.helpers.tracks import place

HOST = "https://example.org"
SITE = f"{HOST}/music"
_ADDRESS = re.compile(r'="(/[^"]*)"')
_IN_JSON = re.compile(r'"(/[^"\s]*)"')


@pytest.fixture(params=["passed on", "taken off"])
def behind_proxy(request: pytest.FixtureRequest) -> Callable[[Flask], FlaskClient]:
    """Return what gives a client of an app behind a proxy that does either with the path."""

    def make(app: Flask) -> FlaskClient:
        inner = app.wsgi_app

        def taken_off(environ: Any, start_response: Any) -> Any:
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/music")
            return inner(environ, start_response)

        if request.param == "taken off":
            app.wsgi_app = taken_off  # type: ignore[method-assign]
        return app.test_client()

    return make


def test_every_address_of_every_page_is_below_the_path(
    tmp_path: Path, music: Path, flac: Path, behind_proxy: Callable[[Flask], FlaskClient]
) -> None:
    place(flac, music / "An album" / "1.flac", title="One", album="An album", artist="Somebody")
    app = make_scanned_app(tmp_path, public_url=SITE)
    shared = share_mixtape(app, "One")
    client = behind_proxy(app)
    due = ["/music/", "/music/admin", f"/music/mixtapes/{shared.slug}"]
    seen: dict[str, int] = {}
    while due:
        address = due.pop()
        if address in seen or len(seen) > 150:
            continue
        assert address.startswith("/music/"), address
        answer = client.get(address, headers=PAGE)
        seen[address] = answer.status_code
        if answer.mimetype == "text/html":
            due += [unescape(found) for found in _ADDRESS.findall(answer.text)]
        elif answer.mimetype == "application/json":
            due += _IN_JSON.findall(answer.text)
        answer.close()
    assert len(seen) > 30
    # To what ends in a slash scripts add something.
    bad = {
        address: status
        for address, status in seen.items()
        if status >= 500 or (status == 404 and not address.endswith("/"))
    }
    assert bad == {}


def test_signing_in_leads_back_and_the_cookie_is_for_the_path_alone(
    tmp_path: Path, music: Path, behind_proxy: Callable[[Flask], FlaskClient]
) -> None:
    app = make_app(tmp_path, password=PASSWORD, public_url=SITE)
    client = behind_proxy(app)
    refused = client.get("/music/albums", headers=PAGE)
    assert refused.headers["Location"].startswith("/music/login?next=/music/albums")
    page = client.get("/music/login", headers=PAGE, base_url=HOST)
    form = {"password": PASSWORD, "csrf_token": csrf_token(page)}
    headers = {"Referer": f"{HOST}/"}
    answer = client.post("/music/login", data=form, headers=headers, base_url=HOST)
    assert answer.headers["Location"] == "/music/"
    assert "Path=/music/" in answer.headers["Set-Cookie"]
