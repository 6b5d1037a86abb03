"""Two web nodes of one site, which share Redis and PostgreSQL, and have disks of their own."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from mixtape.accounts.timeline import Player, Report
from mixtape.database.tables import ShareLink
from mixtape.mixtapes.values import SavedMixtape
from mixtape.services import EXTENSION
from tests.helpers.host import PAGE, PASSWORD, csrf_token, make_app, sign_in
from tests.helpers.mixtapes import Owner, scan, services_of, share_mixtape
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.redis_server import RedisServer
from tests.helpers.waiting import wait_until

KEY = "a key of sixteen characters or more"
SECRET = "moonlight"


@pytest.fixture
def nodes(
    tmp_path: Path,
    flac: Path,
    redis_url: str,
    postgres_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[list[Flask]]:
    monkeypatch.setenv("AUDIO_CACHE_REDIS", redis_url)
    # Links are what is tested, and nobody is to encode beside that.
    monkeypatch.setenv("AUDIO_CACHE_PRECACHE_ON_UPLOAD", "false")
    apps = []
    with postgres_server.new_database() as database_url:
        for name in ("one", "other"):
            (tmp_path / name / "music").mkdir(parents=True)
            shutil.copy(flac, tmp_path / name / "music" / "track.flac")
            given = {"password": PASSWORD, "secret_key": KEY, "database_url": database_url}
            apps.append(make_app(tmp_path / name, **given))
        yield apps
        for app in apps:
            app.extensions[EXTENSION].close()
            app.extensions["audio_cache"].shut_down()


@pytest.fixture
def link(nodes: list[Flask]) -> dict[str, Any]:
    """Return a link with a password, made at the first node, that tells how far somebody comes."""
    scan(nodes[0])
    mixtape = share_mixtape(nodes[0], "track.flac", title="For both")
    return make_link(owner_of(nodes[0]), mixtape, password=SECRET, tells_progress=True)


def owner_of(app: Flask) -> Owner:
    client = app.test_client()
    sign_in(client)
    return Owner(client)


def make_link(owner: Owner, mixtape: SavedMixtape, **terms: Any) -> dict[str, Any]:
    answer = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/links", terms)
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def unlock(client: FlaskClient, path: str) -> None:
    """Tell the password of a link, as its page's form does."""
    page = client.get(path, headers=PAGE)
    assert page.status_code == 401
    form = {"password": SECRET, "csrf_token": csrf_token(page)}
    assert client.post(f"{path}/unlock", data=form, headers=PAGE).status_code == 303


def move_cookies(client: FlaskClient, other: FlaskClient) -> None:
    """Let a browser go to the other node, as behind a balancer."""
    cookie = client.get_cookie("mixtape_session")
    assert cookie is not None
    other.set_cookie(cookie.key, cookie.value)


def test_who_signs_in_at_one_node_is_known_at_the_other_until_he_signs_out(
    nodes: list[Flask],
) -> None:
    one, other = (app.test_client() for app in nodes)
    sign_in(one)
    move_cookies(one, other)
    assert other.get("/", headers=PAGE).status_code == 200
    page = one.get("/", headers=PAGE)
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert one.post("/logout", data={"csrf_token": token}).status_code == 303
    wait_until(lambda: other.get("/", headers=PAGE).status_code == 302)


def test_wrong_passwords_are_counted_by_all_nodes_together(nodes: list[Flask]) -> None:
    clients = [app.test_client() for app in nodes]
    answers = [sign_in(clients[number % 2], "a wrong password").status_code for number in range(7)]
    assert answers == [401] * 5 + [429] * 2


def test_plays_of_both_nodes_are_in_the_figures_of_each(nodes: list[Flask]) -> None:
    for app in nodes:
        client = app.test_client()
        sign_in(client)
        assert client.get("/play/track.flac?quality=original").status_code == 200
    for app in nodes:
        traffic = app.extensions["audio_cache"].playback.traffic
        wait_until(lambda traffic=traffic: traffic.snapshot().bypasses == 2)


def test_a_mixtape_that_is_closed_at_one_node_falls_silent_at_the_other(
    nodes: list[Flask],
) -> None:
    here, there = socket.socketpair()
    with here, there:
        answers = services_of(nodes[1]).open_answers
        answers._connections["slug"].append(here)

        def is_silent() -> bool:
            services_of(nodes[0]).open_answers.end("slug")
            there.settimeout(0.2)
            try:
                return there.recv(10) == b""
            except TimeoutError:
                return False

        wait_until(is_silent)


def test_what_plays_at_one_node_is_shown_and_counted_at_the_other(
    nodes: list[Flask], redis_server: RedisServer
) -> None:
    one, other = (services_of(app).now_playing for app in nodes)
    player = Player(1, "admin", "device 1", 1, "App")
    begun = Report(5, 180_000.0, "playing", 1_000.0)
    assert one.report(player, begun).is_new
    [seen] = other.all()
    assert (seen.player, seen.report) == (player, begun)
    # The same track goes on, whichever node hears of it.
    assert not other.report(player, replace(begun, state="paused")).is_new
    assert [each.report.state for each in one.all()] == ["paused"]
    one.report(player, replace(begun, state="stopped"))
    assert other.all() == ()
    # While Redis is away, each node knows what it was told itself.
    redis_server.stop()
    try:
        other.report(player, begun)
        assert [each.report for each in other.all()] == [begun]
        assert one.all() == ()
    finally:
        redis_server.start()


def test_a_link_that_is_unlocked_at_one_node_is_open_at_the_other(
    nodes: list[Flask], link: dict[str, Any]
) -> None:
    one, other = (app.test_client() for app in nodes)
    path = urlsplit(link["address"]).path
    unlock(one, path)
    assert other.get(path, headers=PAGE).status_code == 401
    move_cookies(one, other)
    page = other.get(path, headers=PAGE)
    assert page.status_code == 200
    [url] = [unescape(found) for found in re.findall(r'data-url="([^"]+)"', page.text)]
    # What one node has signed, both play.
    for client in (one, other):
        assert client.get(f"{url}?quality=original").status_code == 200


def test_a_link_that_is_closed_at_one_node_leads_nowhere_at_the_other_and_is_silent(
    nodes: list[Flask], link: dict[str, Any]
) -> None:
    one, other = (app.test_client() for app in nodes)
    path = urlsplit(link["address"]).path
    unlock(other, path)
    [url] = re.findall(r'data-url="([^"]+)"', other.get(path, headers=PAGE).text)
    assert other.get(f"{unescape(url)}?quality=original").status_code == 200
    closed = owner_of(nodes[0]).send("PATCH", link["url"], {"is_open": False})
    assert closed.status_code == 200
    for client in (one, other):
        assert client.get(path, headers=PAGE).status_code == 404
    assert other.get(f"{unescape(url)}?quality=original").status_code == 404
    # Open again it is another link for whoever was let in before: what was signed is void.
    opened = owner_of(nodes[1]).send("PATCH", link["url"], {"is_open": True})
    assert opened.status_code == 200
    assert one.get(path, headers=PAGE).status_code == 401
    assert other.get(path, headers=PAGE).status_code == 401
    assert other.get(f"{unescape(url)}?quality=original").status_code == 404


def test_how_far_a_listener_comes_is_the_furthest_that_any_node_was_told(
    nodes: list[Flask], link: dict[str, Any]
) -> None:
    one, other = (app.test_client() for app in nodes)
    path = urlsplit(link["address"]).path
    unlock(one, path)
    page = one.get(path, headers=PAGE).text
    found = re.search(r'data-heard="([^"]+)" data-token="([^"]+)"', page)
    assert found is not None
    for client, second in ((one, 1.0), (other, 2.0), (one, 0.5)):
        body = {"token": found[2], "place": 0, "second": second}
        assert client.post(found[1], json=body).status_code == 204
    for app in nodes:
        owner = owner_of(app).client
        listed = owner.get(urlsplit(link["url"]).path.rpartition("/")[0]).json
        [furthest] = [each["furthest"] for each in listed["links"] if each["id"] == link["id"]]
        assert (furthest["number"], furthest["second"]) == (1, 2)


def test_a_link_that_has_ended_has_ended_at_both(nodes: list[Flask], link: dict[str, Any]) -> None:
    path = urlsplit(link["address"]).path
    past = datetime.now(UTC) - timedelta(seconds=1)
    with services_of(nodes[0]).database.write() as session:
        session.execute(update(ShareLink).filter_by(id=link["id"]).values(expires_at=past))
    for app in nodes:
        assert app.test_client().get(path, headers=PAGE).status_code == 404
