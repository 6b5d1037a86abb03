from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mixtape.web import limits
from tests.helpers.host import PASSWORD, make_app, sign_in
from tests.helpers.mixtapes import services_of
from tests.helpers.tracks import place

VISITOR, NEIGHBOUR = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def app(tmp_path: Path, music: Path, mp3: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(limits, "OTHERS", "5 per minute")
    place(mp3, music / "1.mp3", title="Alpha")
    app = make_app(tmp_path, password=PASSWORD)
    yield app
    services_of(app).close()


@pytest.fixture
def owner(app: Flask) -> FlaskClient:
    client = app.test_client()
    sign_in(client)  # from loopback, where nothing is counted
    return client


def ask(client: FlaskClient, path: str, address: str) -> int:
    with client.get(path, environ_overrides={"REMOTE_ADDR": address}) as answer:
        assert answer.get_data() is not None
        return answer.status_code


def test_who_asks_too_often_waits_and_others_do_not(owner: FlaskClient) -> None:
    assert [ask(owner, "/albums", VISITOR) for _ in range(6)] == [200] * 5 + [429]
    answer = owner.get("/api/search?q=a", environ_overrides={"REMOTE_ADDR": VISITOR})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert ask(owner, "/albums", NEIGHBOUR) == 200


def test_who_asked_too_often_may_go_on_listening(owner: FlaskClient) -> None:
    for _ in range(6):
        ask(owner, "/albums", VISITOR)
    for path in ("/play/1.mp3", "/static/css/app.css", "/cover/1.mp3", "/healthz"):
        assert ask(owner, path, VISITOR) != 429
    assert ask(owner, "/play/1.mp3", VISITOR) == 200


def test_visitors_of_this_machine_are_not_counted(owner: FlaskClient) -> None:
    assert {ask(owner, "/albums", "127.0.0.1") for _ in range(20)} == {200}


def test_what_is_listening_are_addresses_that_there_are(app: Flask) -> None:
    assert limits._LISTENING - set(app.view_functions) == set()
