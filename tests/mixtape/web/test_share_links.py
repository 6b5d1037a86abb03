"""The links to a mixtape: made by the owner, used by guests, who are asked for passwords."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, select, update
from werkzeug.test import TestResponse

from mixtape.database.tables import ShareLink
from mixtape.mixtapes.values import SavedMixtape
from mixtape.web import guests
from tests.helpers.host import PAGE, PASSWORD, csrf_token, make_app, sign_in
from tests.helpers.mixtapes import (
    Owner,
    message_of,
    scan,
    services_of,
    share_mixtape,
    stream_urls,
)
from tests.helpers.tracks import make_picture, place

FAR = "2099-12-24T22:59:59.000Z"
_HEARD = re.compile(r'data-heard="([^"]+)" data-token="([^"]+)"')


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path, mp3: Path) -> Flask:
    app = make_app(tmp_path, password=PASSWORD)
    place(flac, music / "Album" / "1.flac", title="First")
    place(mp3, music / "Album" / "2.mp3", title="Second")
    (music / "Album" / "cover.jpg").write_bytes(make_picture())
    scan(app)
    return app


@pytest.fixture
def owner(app: Flask) -> Owner:
    client = app.test_client()
    sign_in(client)
    return Owner(client)


@pytest.fixture
def mixtape(app: Flask) -> SavedMixtape:
    return share_mixtape(app, "First", "Second", title="Night train")


@pytest.fixture
def guest(app: Flask) -> FlaskClient:
    """Return a browser that never signed in."""
    return app.test_client()


def add(owner: Owner, mixtape: SavedMixtape, **terms: Any) -> dict[str, Any]:
    answer = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/links", terms)
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return dict(answer.json)


def change(owner: Owner, link: dict[str, Any], **terms: Any) -> dict[str, Any]:
    answer = owner.send("PATCH", link["url"], terms)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return dict(answer.json)


def links(owner: Owner, mixtape: SavedMixtape) -> list[dict[str, Any]]:
    answer = owner.client.get(f"/api/mixtapes/{mixtape.slug}/links")
    assert answer.json is not None
    return list(answer.json["links"])


def path_of(link: dict[str, Any]) -> str:
    return str(link["address"]).removeprefix("http://localhost")


def unlock(client: FlaskClient, link: dict[str, Any], password: str) -> TestResponse:
    """Send the password as the page's form does."""
    token = csrf_token(client.get(path_of(link), headers=PAGE))
    form = {"password": password, "csrf_token": token}
    return client.post(f"{path_of(link)}/unlock", data=form, headers=PAGE)


def streams(client: FlaskClient, link: dict[str, Any]) -> list[str]:
    page = client.get(path_of(link), headers=PAGE)
    assert page.status_code == 200, page.text
    return [unescape(url) for url in re.findall(r'data-url="([^"]+)"', page.text)]


def expire(app: Flask, link: dict[str, Any]) -> None:
    """Let a link have ended a second ago."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    with services_of(app).database.write() as session:
        session.execute(update(ShareLink).filter_by(id=link["id"]).values(expires_at=past))


def test_the_owner_makes_names_and_lists_links(owner: Owner, mixtape: SavedMixtape) -> None:
    made = add(owner, mixtape, name="  for Anna ", expires_at=FAR, tells_progress=True)
    assert (made["name"], made["is_open"], made["is_first"]) == ("for Anna", True, False)
    assert made["expires_at"] == "2099-12-24T22:59:59+00:00"
    first, second = links(owner, mixtape)
    assert first["address"] == f"http://localhost/mixtapes/{mixtape.slug}"
    assert second == made
    assert owner.send("DELETE", made["url"]).status_code == 204
    assert owner.send("DELETE", first["url"]).status_code == 400
    assert links(owner, mixtape) == [first]


@pytest.mark.parametrize(
    "terms",
    [
        {"name": 5},
        {"name": "x" * 5000},
        {"name": "x" * 500},
        {"password": None},
        {"password": "abc"},
        {"is_open": "yes"},
        {"allows_embed": 1},
        {"expires_at": "tomorrow"},
        {"expires_at": "2099-12-24"},
        {"expires_at": 5},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        [],
    ],
)
def test_terms_that_cannot_be_are_refused_in_words(
    owner: Owner, mixtape: SavedMixtape, terms: Any
) -> None:
    answer = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/links", terms)
    assert answer.status_code == 400
    assert len(message_of(answer)) > 20
    assert len(links(owner, mixtape)) == 1


def test_a_guest_cannot_reach_the_links(guest: FlaskClient, mixtape: SavedMixtape) -> None:
    api = f"/api/mixtapes/{mixtape.slug}/links"
    for address in (api, f"{api}/1/qr.svg", f"/mixtapes/{mixtape.slug}/links/1/card"):
        assert guest.get(address).status_code == 401
    for method, address in (("POST", api), ("PATCH", f"{api}/1"), ("DELETE", f"{api}/1")):
        assert guest.open(address, method=method, json={}).status_code in {400, 401}


def test_a_new_address_of_the_first_link_takes_the_page_of_its_owner_along(
    owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    [first] = links(owner, mixtape)
    renewed = owner.send("POST", first["renew_url"]).json
    assert renewed is not None
    assert owner.page(renewed["edit_url"]).status_code == 200
    assert guest.get(path_of(first), headers=PAGE).status_code == 404
    assert guest.get(path_of(renewed), headers=PAGE).status_code == 200


def test_a_link_with_a_password_asks_for_it_and_tells_nothing_else(
    app: Flask, owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape, password="moonlight")
    answer = guest.get(path_of(link), headers=PAGE)
    assert answer.status_code == 401
    assert "A mixtape for you" in answer.text
    cover = f"{path_of(link)}/covers/{mixtape.cover_key}"
    for given in (answer, guest.get(cover), guest.get(path_of(link))):
        assert given.status_code == 401
        for word in ("Night train", "First", str(mixtape.cover_key)):
            assert word not in given.text
    # Its owner needs no password.
    assert "Night train" in owner.page(path_of(link)).text


def test_the_password_opens_that_link_for_this_browser(
    app: Flask, owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape, password="moonlight")
    other = add(owner, mixtape, password="moonlight")
    wrong = unlock(guest, link, "sunlight")
    assert wrong.status_code == 401
    assert "That is not the password" in wrong.text
    right = unlock(guest, link, "moonlight")
    assert (right.status_code, right.location) == (303, path_of(link))
    assert "HttpOnly" in right.headers["Set-Cookie"]
    assert "Night train" in guest.get(path_of(link), headers=PAGE).text
    with guest.get(f"{path_of(link)}/covers/{mixtape.cover_key}") as cover:
        assert cover.status_code == 200
    assert guest.get(path_of(other), headers=PAGE).status_code == 401
    assert guest.get("/", headers=PAGE).status_code == 302
    stranger = app.test_client()
    assert stranger.get(path_of(link), headers=PAGE).status_code == 401


def test_another_password_asks_again_and_stops_the_music(
    owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape, password="moonlight")
    unlock(guest, link, "moonlight")
    [url, *_] = streams(guest, link)
    with guest.get(url) as answer:
        assert answer.status_code == 200
    change(owner, link, password="starlight")
    assert guest.get(url).status_code == 404
    assert guest.get(path_of(link), headers=PAGE).status_code == 401


def test_trying_passwords_is_slowed_down(
    owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape, password="moonlight")
    statuses = [unlock(guest, link, f"guess {number}").status_code for number in range(6)]
    assert statuses == [401] * 5 + [429]
    assert unlock(guest, link, "moonlight").status_code == 429


def test_trying_passwords_from_many_addresses_is_slowed_down_for_that_link(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "LINK_PASSWORDS", "3 per hour")
    app = make_app(tmp_path, password=PASSWORD)
    mixtape, owner = share_mixtape(app), Owner(app.test_client())
    sign_in(owner.client)
    tried, other = (add(owner, mixtape, password="moonlight") for _ in range(2))

    def from_address(number: int, link: dict[str, Any], password: str) -> int:
        guest = app.test_client()
        guest.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        return unlock(guest, link, password).status_code

    assert [from_address(number, tried, "guess") for number in range(4)] == [401] * 3 + [429]
    assert from_address(9, tried, "moonlight") == 429
    assert from_address(9, other, "moonlight") == 303


def test_a_password_comes_with_the_token_of_its_page(
    owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape, password="moonlight")
    answer = guest.post(f"{path_of(link)}/unlock", data={"password": "moonlight"}, headers=PAGE)
    assert answer.status_code == 400
    long = guest.post(f"{path_of(link)}/unlock", data={"password": "m" * 20_000}, headers=PAGE)
    assert long.status_code == 413


def test_a_link_without_a_password_is_unlocked_by_anything(
    guest: FlaskClient, mixtape: SavedMixtape, owner: Owner
) -> None:
    link = add(owner, mixtape, password="moonlight")
    token = csrf_token(guest.get(path_of(link), headers=PAGE))
    open_link = {"address": f"http://localhost/mixtapes/{mixtape.slug}"}
    form = {"password": "", "csrf_token": token}
    answer = guest.post(f"{path_of(open_link)}/unlock", data=form, headers=PAGE)
    assert (answer.status_code, answer.location) == (303, path_of(open_link))


def test_a_link_that_has_ended_looks_like_one_that_never_was(
    app: Flask, owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape, expires_at=FAR)
    [url, *_] = streams(guest, link)
    expire(app, link)
    ended = guest.get(path_of(link), headers=PAGE)
    never = guest.get("/mixtapes/" + "A" * 22, headers=PAGE)
    assert (ended.status_code, ended.text) == (404, never.text)
    assert guest.get(url).status_code == 404
    # The others go on, and so does the owner.
    assert guest.get(f"/mixtapes/{mixtape.slug}", headers=PAGE).status_code == 200
    assert "only you can open it" in owner.page(path_of(link)).text
    assert links(owner, mixtape)[1]["is_expired"] is True


def heard(client: FlaskClient, found: re.Match[str], place: Any, second: Any) -> TestResponse:
    body = {"token": found[2], "place": place, "second": second}
    return client.post(unescape(found[1]), json=body)


def test_progress_is_told_to_the_giver_where_the_page_says_so(
    owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape, tells_progress=True)
    answer = guest.get(path_of(link), headers=PAGE)
    assert "sees how far you have come" in answer.text
    assert "Set-Cookie" not in answer.headers
    found = _HEARD.search(answer.text)
    assert found is not None
    assert heard(guest, found, 1, 2.5).status_code == 204
    assert heard(guest, found, 0, 3).status_code == 204
    furthest = links(owner, mixtape)[1]["furthest"]
    heard_at = datetime.fromisoformat(furthest.pop("heard_at"))
    assert datetime.now(UTC) - heard_at < timedelta(minutes=5)
    assert furthest == {"number": 2, "total": 2, "title": "Second", "second": 2}


def test_progress_takes_the_token_of_the_page_and_sense(
    app: Flask, owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape, tells_progress=True)
    other = add(owner, mixtape, tells_progress=True)
    pages = [guest.get(path_of(each), headers=PAGE).text for each in (link, other)]
    found, foreign = (_HEARD.search(page) for page in pages)
    assert found is not None
    assert foreign is not None
    stolen = {"token": foreign[2], "place": 1, "second": 1}
    for body in (stolen, {"place": 1, "second": 1}, {"token": "é", "place": 1}, {"token": 5}):
        assert guest.post(unescape(found[1]), json=body).status_code == 403
    for where, second in ((None, 1), (1, None), (True, 1), ("1", 1), (1, "1"), (1.5, 1), (1, True)):
        assert heard(guest, found, where, second).status_code == 400
    # Whatever else is no place of the mixtape is not kept.
    for where, second in ((2, 1), (-1, 1), (10**30, 1), (0, -5), (0, 1e308)):
        assert heard(guest, found, where, second).status_code == 204
    # What the owner plays is no news.
    owner.client.post(unescape(found[1]), json={"token": found[2], "place": 1, "second": 1})
    assert links(owner, mixtape)[1]["furthest"] is None
    assert "data-heard" not in owner.page(path_of(link)).text


def test_of_a_listener_nothing_is_kept_but_what_was_promised(
    app: Flask, owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape, tells_progress=True)
    agent = {"User-Agent": "Listener/7.0", **PAGE}
    guest.environ_base["REMOTE_ADDR"] = "203.0.113.77"
    found = _HEARD.search(guest.get(path_of(link), headers=agent).text)
    assert found is not None
    body = {"token": found[2], "place": 1, "second": 2.5, "name": "Listener"}
    assert guest.post(unescape(found[1]), json=body, headers=agent).status_code == 204
    with services_of(app).database.read() as session:
        row = session.scalars(select(ShareLink).filter_by(id=link["id"])).one()
        columns = {column.key for column in inspect(ShareLink).mapper.column_attrs}
    assert columns == {
        *("id", "mixtape_id", "slug", "share_key", "name", "is_open", "expires_at"),
        *("password_hash", "tells_progress", "allows_embed", "created_at"),
        *("furthest_place", "furthest_s", "heard_at"),
    }
    assert (row.furthest_place, row.furthest_s) == (1, 2.5)
    kept = b"".join(
        path.read_bytes()
        for path in Path(app.config["DATA_ROOT"]).glob("mixtape.db*")
        if path.is_file()
    )
    for secret in (b"203.0.113.77", b"Listener"):
        assert secret not in kept


def test_where_the_owner_does_not_ask_nothing_is_told(
    owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    page = guest.get(f"/mixtapes/{mixtape.slug}", headers=PAGE).text
    assert "data-heard" not in page
    assert "sees how far" not in page


def test_the_qr_code_is_an_svg_without_style_or_script(owner: Owner, mixtape: SavedMixtape) -> None:
    [first] = links(owner, mixtape)
    answer = owner.client.get(first["qr_url"])
    assert answer.mimetype == "image/svg+xml"
    assert answer.text.startswith("<svg")
    assert not re.search(r"style|script|href", answer.text)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_card_shows_title_address_and_code(owner: Owner, mixtape: SavedMixtape) -> None:
    link = add(owner, mixtape, password="moonlight")
    page = owner.page(link["card_url"]).text
    assert "Night train" in page
    assert link["address"] in page
    assert link["qr_url"] in page
    # There is a line to write the password on; the password itself is known to nobody here.
    assert "Password:" in page
    assert "moonlight" not in page


def test_two_nodes_know_the_same_links(
    tmp_path: Path, app: Flask, owner: Owner, mixtape: SavedMixtape
) -> None:
    key = app.config["SECRET_KEY"]
    other = make_app(tmp_path, password=PASSWORD, secret_key=key).test_client()
    link = add(owner, mixtape, password="moonlight")
    assert unlock(other, link, "moonlight").status_code == 303
    [url, *_] = streams(other, link)
    change(owner, link, is_open=False)
    assert other.get(url).status_code == 404
    assert other.get(path_of(link), headers=PAGE).status_code == 404


def test_the_old_way_of_sharing_still_closes_everything(
    owner: Owner, guest: FlaskClient, mixtape: SavedMixtape
) -> None:
    link = add(owner, mixtape)
    urls = [*stream_urls(guest, mixtape)[:1], *streams(guest, link)[:1]]
    assert owner.send("POST", f"/api/mixtapes/{mixtape.slug}/unshare").status_code == 200
    assert [guest.get(url).status_code for url in urls] == [404, 404]
