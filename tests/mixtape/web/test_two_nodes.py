"""Two web nodes of one site, which share a Redis and each have a disk of their own."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mixtape.accounts.timeline import Player, Report
from mixtape.services import EXTENSION
from tests.helpers.host import PAGE, PASSWORD, make_app, sign_in
from tests.helpers.mixtapes import services_of
from tests.helpers.redis_server import RedisServer
from tests.helpers.waiting import wait_until

KEY = "a key of sixteen characters or more"


@pytest.fixture
def nodes(
    tmp_path: Path, flac: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Flask]]:
    monkeypatch.setenv("AUDIO_CACHE_REDIS", redis_url)
    apps = []
    for name in ("one", "other"):
        (tmp_path / name / "music").mkdir(parents=True)
        shutil.copy(flac, tmp_path / name / "music" / "track.flac")
        apps.append(make_app(tmp_path / name, password=PASSWORD, secret_key=KEY))
    yield apps
    for app in apps:
        app.extensions[EXTENSION].close()
        app.extensions["audio_cache"].shut_down()


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
