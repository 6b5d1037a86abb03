from __future__ import annotations

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mixtape.web.subsonic.table import CALLS, OPEN_CALLS
from tests.helpers.host import PASSWORD, sign_in
from tests.helpers.mixtapes import track_id
from tests.helpers.subsonic import NAME, SALT, Player, Refused, add_device, services_of, token


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


def code_of(client: FlaskClient, call: str = "ping", **values: str) -> int:
    """Return the code of the error that a call is answered with; 0 where there is none."""
    answer = client.get(f"/rest/{call}", query_string={**values, "f": "json"})
    assert answer.json is not None
    return int(answer.json["subsonic-response"].get("error", {"code": 0})["code"])


def test_a_device_signs_in_with_its_key_in_each_way_that_players_have(
    visitor: FlaskClient, key: str
) -> None:
    for values in (
        {"apiKey": key},
        {"u": NAME, "p": key},
        {"u": NAME.upper(), "p": f"enc:{key.encode().hex()}"},
        {"u": NAME, **token(key)},
        {"u": NAME, "t": token(key)["t"].upper(), "s": SALT},
    ):
        assert code_of(visitor, **values) == 0, values


WRONG: list[dict[str, str]] = [
    {},
    {"u": NAME},
    {"u": NAME, "p": PASSWORD},
    {"u": NAME, "p": ""},
    {"u": NAME, **token(PASSWORD)},
    {"u": NAME, **token("")},
    {"u": "nobody", **token("")},
    {"apiKey": PASSWORD},
    {"apiKey": ""},
]


def test_no_call_is_answered_without_the_key_of_a_device(
    app: Flask, visitor: FlaskClient, key: str
) -> None:
    # Neither the password nor a session opens anything here.
    sign_in(visitor)
    common = {"status", "version", "type", "serverVersion", "openSubsonic"}
    for number, call in enumerate(sorted({*CALLS, "no_such_call"} - OPEN_CALLS)):
        visitor.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        for values in WRONG:
            for method in ("GET", "POST"):
                asked = {**values, "id": "tr-1", "f": "json"}
                answer = visitor.open(f"/rest/{call}.view", method=method, query_string=asked)
                assert answer.json is not None, (call, values)
                found = answer.json["subsonic-response"]
                assert found["status"] == "failed", (call, values)
                assert found["error"]["code"] in {10, 40, 44}, (call, values)
                assert found.keys() == {*common, "error"}, (call, values)


def test_ways_of_signing_in_are_not_mixed(visitor: FlaskClient, key: str) -> None:
    assert code_of(visitor, apiKey=key, u=NAME) == 43
    assert code_of(visitor, apiKey=key, **token(key)) == 43
    assert code_of(visitor, u=NAME, p=key, **token(key)) == 43


def test_a_key_opens_nothing_after_its_device_was_removed(
    app: Flask, visitor: FlaskClient, key: str
) -> None:
    devices = services_of(app).devices
    [device] = devices.of(1)
    devices.remove(1, device.id)
    assert code_of(visitor, apiKey=key) == 44
    assert code_of(visitor, u=NAME, **token(key)) == 40


def test_a_key_is_good_for_its_own_user_alone(visitor: FlaskClient, key: str) -> None:
    assert code_of(visitor, u="somebody", p=key) == 40
    assert code_of(visitor, u="somebody", **token(key)) == 40


def test_a_key_that_the_server_cannot_tell_again_takes_no_token(
    app: Flask, visitor: FlaskClient
) -> None:
    key = add_device(app, is_recoverable=False)
    assert code_of(visitor, apiKey=key) == 0
    assert code_of(visitor, u=NAME, p=key) == 0
    assert code_of(visitor, u=NAME, **token(key)) == 40


def test_wrong_keys_are_limited_and_logged_and_right_ones_go_on(
    app: Flask, visitor: FlaskClient, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    with caplog.at_level(logging.INFO):
        answers = [
            visitor.get("/rest/ping", query_string={"u": NAME, "p": f"guess-{number}", "f": "json"})
            for number in range(40)
        ]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert [answer.status_code for answer in answers].count(200) == 30
    assert answers[-1].headers["Retry-After"] == "60"
    assert caplog.text.count("192.0.2.7 gave a wrong key") == 30
    assert "guess-1" not in caplog.text
    # Nor is the log filled by telling of the limit instead.
    assert caplog.text.count("192.0.2.7") == 30
    assert code_of(visitor, apiKey=key) == 0


def test_without_a_password_a_key_is_needed_all_the_same(client: FlaskClient) -> None:
    assert client.get("/").status_code == 200
    assert code_of(client) == 10


def test_the_extensions_are_told_to_everybody(visitor: FlaskClient) -> None:
    answer = visitor.get("/rest/getOpenSubsonicExtensions", query_string={"f": "json"})
    assert answer.json is not None
    names = {one["name"] for one in answer.json["subsonic-response"]["openSubsonicExtensions"]}
    assert {"apiKeyAuthentication", "formPost"} <= names
    assert "transcodeOffset" not in names


def test_the_use_of_a_device_is_noted(app: Flask, player: Player) -> None:
    [device] = services_of(app).devices.of(1)
    assert (device.client, device.last_used_at) == ("", None)
    player.ask("ping")
    [device] = services_of(app).devices.of(1)
    assert device.client == "test"
    assert device.last_used_at is not None


def test_whose_the_key_is(player: Player) -> None:
    assert player.ask("tokenInfo") == {"tokenInfo": {"username": "admin"}}
    assert player.ask("getUser", {"username": "Admin"})["user"]["adminRole"] is True
    with pytest.raises(Refused, match="70"):
        player.ask("getUser", {"username": "nobody"})


def test_no_cache_that_others_use_keeps_what_only_a_key_opens(
    app: Flask, player: Player, visitor: FlaskClient
) -> None:
    track = {"id": f"tr-{track_id(app, 'Album/two.mp3')}"}
    for call in ("stream", "download"):
        with player.open(call, track) as music:
            assert "private" in music.headers["Cache-Control"]
    for answer in (player.open("getSong", track), player.open("getSong", {"id": "tr-999"})):
        assert answer.headers["Cache-Control"] == "no-store"
    wrong = visitor.get("/rest/ping", query_string={"apiKey": "wrong"})
    assert wrong.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("kind", ["xml", "json"])
def test_a_wrong_key_is_answered_alike_by_all_calls_for_music_and_pictures(
    app: Flask, kind: str
) -> None:
    client = app.test_client(use_cookies=False)
    asked = {"u": "admin", **token("a wrong key"), "v": "1.16.1", "c": "test", "f": kind}
    calls = ("stream", "download", "getCoverArt", "getTranscodeStream")
    values = {"id": "tr-1", "mediaId": "tr-1", "mediaType": "song", "transcodeParams": "low"}
    answers = [client.get(f"/rest/{call}", query_string={**asked, **values}) for call in calls]
    assert len({(one.mimetype, one.get_data()) for one in answers}) == 1
    assert "Wrong name or key." in answers[0].text
    # As the specification has it: a document, and for the last one a status of HTTP besides.
    assert [one.status_code for one in answers] == [200, 200, 200, 401]


@pytest.mark.parametrize("values", WRONG)
def test_music_that_was_decided_on_is_refused_by_http_to_whoever_proves_nothing(
    visitor: FlaskClient, values: dict[str, str]
) -> None:
    assert visitor.get("/rest/getTranscodeStream", query_string=values).status_code == 401


def test_a_name_of_marks_keeps_nobody_waiting(visitor: FlaskClient, key: str) -> None:
    # Each of them is put in its order among all others, which takes minutes: for everybody, as one
    # call does it, and for anybody, as it comes before the key.
    marks = "\u0300\u0316" * 220_000
    form = f"f=json&p={key}&u=a{marks}".encode()
    answer = visitor.post("/rest/ping", data=form, content_type="application/x-www-form-urlencoded")
    assert answer.json is not None
    assert answer.json["subsonic-response"]["error"]["code"] == 40
