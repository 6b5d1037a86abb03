from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from mixtape.mixtapes.open_answers import OpenAnswers, answers_to
from tests.helpers.host import PASSWORD, make_app, sign_in
from tests.helpers.mixtapes import Owner, message_of, scan, services_of, track_id
from tests.helpers.people import ANNS_PASSWORD, add_user, signed_in
from tests.helpers.subsonic import Player, Refused

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@pytest.fixture
def app(tmp_path: Path, music: Path) -> Flask:
    app = make_app(tmp_path, password=PASSWORD)
    add_user(app)
    return app


@pytest.fixture
def ann(app: Flask) -> Owner:
    return signed_in(app, "Ann")


def add(visitor: Owner, name: str = "Phone", *, is_recoverable: bool = True) -> dict[str, str]:
    answer = visitor.send("POST", "/api/devices", {"name": name, "is_recoverable": is_recoverable})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json is not None
    added: dict[str, str] = answer.json
    return added


def test_a_device_is_added_used_and_removed(app: Flask, ann: Owner) -> None:
    added = add(ann)
    page = ann.page("/devices").text
    assert "Remove Phone" in page
    assert "never used" in page
    assert added["key"] not in page
    # What is to be typed into the app.
    assert 'data-copy="http://localhost"' in page
    assert 'data-copy="Ann"' in page
    player = Player(app, added["key"], "Ann")
    assert player.ask("getUser", {"username": "ann"})["user"]["username"] == "Ann"
    page = ann.page("/devices").text
    assert "<span>test</span>" in page
    assert "last used" in page
    assert ann.send("DELETE", added["url"]).status_code == 204
    assert "Remove Phone" not in ann.page("/devices").text
    with pytest.raises(Refused):
        player.ask("ping")


def test_a_device_for_api_keys_alone_signs_in_with_nothing_else(app: Flask, ann: Owner) -> None:
    added = add(ann, is_recoverable=False)
    with pytest.raises(Refused):
        Player(app, added["key"], "Ann").ask("ping")
    player = Player(app, added["key"], "Ann")
    player.credentials = {"apiKey": added["key"], "v": "1.16.1", "c": "test"}
    assert player.ask("tokenInfo") == {"tokenInfo": {"username": "Ann"}}


def test_devices_are_their_users_alone(app: Flask, ann: Owner) -> None:
    added = add(ann, "Her phone")
    first = signed_in(app, "", PASSWORD)
    assert "Her phone" not in first.page("/devices").text
    assert first.send("DELETE", added["url"]).status_code == 404
    assert "Her phone" in ann.page("/devices").text


def test_a_device_needs_a_name(ann: Owner) -> None:
    for sent in ({}, {"name": "Phone"}, {"name": 5, "is_recoverable": True}):
        assert ann.send("POST", "/api/devices", sent).status_code == 400
    answer = ann.send("POST", "/api/devices", {"name": " ", "is_recoverable": True})
    assert answer.status_code == 400
    assert "needs a name" in message_of(answer)


def test_ones_own_password_is_changed_by_whoever_knows_it(app: Flask, ann: Owner) -> None:
    other = signed_in(app, "ann")
    wanted = "another one entirely"
    sent = {"password": "a wrong one", "new_password": wanted}
    answer = ann.send("POST", "/api/password", sent)
    assert answer.status_code == 403
    assert "not your present password" in message_of(answer)
    weak = {"password": ANNS_PASSWORD, "new_password": "password"}
    assert ann.send("POST", "/api/password", weak).status_code == 400
    assert ann.send("POST", "/api/password", {"password": ANNS_PASSWORD}).status_code == 400
    sent = {"password": ANNS_PASSWORD, "new_password": wanted}
    assert ann.send("POST", "/api/password", sent).status_code == 204
    # Whoever changes it stays, and all others go.
    assert ann.client.get("/api/session").status_code == 200
    assert other.client.get("/api/session").status_code == 401
    client = app.test_client()
    assert sign_in(client, ANNS_PASSWORD, username="ann").status_code == 401
    assert sign_in(client, wanted, username="ann").status_code == 303


@pytest.mark.parametrize("goes", [False, True])
def test_another_password_leaves_devices_alone_unless_they_are_to_go(
    app: Flask, ann: Owner, *, goes: bool
) -> None:
    player = Player(app, add(ann)["key"], "Ann")
    sent = {"password": ANNS_PASSWORD, "new_password": "another one entirely"}
    assert ann.send("POST", "/api/password", {**sent, "remove_devices": 1}).status_code == 400
    assert ann.send("POST", "/api/password", {**sent, "remove_devices": goes}).status_code == 204
    assert ("Remove Phone" in ann.page("/devices").text) is not goes
    if goes:
        with pytest.raises(Refused):
            player.ask("ping")
    else:
        player.ask("ping")


def test_all_devices_are_removed_and_those_of_others_stay(app: Flask, ann: Owner) -> None:
    first = signed_in(app, "", PASSWORD)
    add(first, "Radio")
    for name in ("Phone", "Tablet"):
        add(ann, name)
    assert "Remove all devices" in ann.page("/devices").text
    assert ann.send("DELETE", "/api/devices").status_code == 204
    page = ann.page("/devices").text
    assert "None yet." in page
    assert "Remove all devices" not in page.replace("Remove all devices and links", "")
    assert "Remove Radio" in first.page("/devices").text


def test_nobody_tries_out_present_passwords_by_the_dozen(ann: Owner) -> None:
    sent = {"password": "a guess", "new_password": "another one entirely"}
    statuses = [ann.send("POST", "/api/password", sent).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]


def test_the_first_user_is_told_that_the_password_is_a_setting(app: Flask, ann: Owner) -> None:
    first = signed_in(app, "", PASSWORD)
    assert "It is the setting" in first.page("/devices").text
    sent = {"password": PASSWORD, "new_password": "another one entirely"}
    answer = first.send("POST", "/api/password", sent)
    assert answer.status_code == 400
    assert "PASSWORD" in message_of(answer)


def test_without_a_password_of_the_site_there_is_none_to_change(
    tmp_path: Path, music: Path
) -> None:
    page = Owner(make_app(tmp_path).test_client()).page("/devices").text
    assert "Add a device" in page
    assert "Your password" not in page


def test_whoever_signs_in_wrongly_with_an_app_is_sent_to_the_devices(app: Flask) -> None:
    with pytest.raises(Refused) as refused:
        Player(app, "a wrong key", "Ann").ask("ping")
    assert refused.value.error["helpUrl"] == "http://localhost/devices"


Removal = Callable[[Owner, Owner, int, int], TestResponse]
REMOVALS: dict[str, Removal] = {
    "the device": lambda ann, _first, _user, device: ann.send("DELETE", f"/api/devices/{device}"),
    "all devices": lambda ann, _first, _user, _device: ann.send("DELETE", "/api/devices"),
    "the password": lambda _ann, first, user, _device: first.send(
        "POST", f"/api/people/{user}/password", {"remove_devices": True}
    ),
    "the user": lambda _ann, first, user, _device: first.send(
        "DELETE", f"/api/people/{user}", {"tapes": "give"}
    ),
}


@pytest.mark.parametrize(
    ("call", "what"),
    [
        *(("stream", what) for what in REMOVALS),
        ("download", "the device"),
        ("a link", "the device"),
        ("a link", "the user"),
    ],
)
def test_what_is_being_sent_ends_when_its_device_is_removed(
    app: Flask,
    music: Path,
    mp3: Path,
    ann: Owner,
    ends: tuple[socket.socket, socket.socket],
    call: str,
    what: str,
) -> None:
    (music / "a.mp3").write_bytes(mp3.read_bytes() * 100)  # not sent at once
    scan(app)
    services = services_of(app)
    user = services.users.find("ann")
    assert user is not None
    track = track_id(app, "a.mp3")
    is_link = call == "a link"
    device, key = services.devices.add(user.id, "Phone", is_recoverable=False, is_link=is_link)
    if is_link:
        token = services.library_links.signing(services.library_links.get(key))(track)
        address = f"/library/tracks/{token}?quality=original"
    else:
        address = f"/rest/{call}?apiKey={key}&id=tr-{track}&v=1.16.1&c=test"
    here, there = ends
    player = app.test_client(use_cookies=False)
    playing = player.get(address, environ_overrides={"gunicorn.socket": here})
    assert (playing.status_code, playing.mimetype) == (200, "audio/mpeg")
    another, _ = services.devices.add(user.id, "Tablet", is_recoverable=False)
    services.remove_device(user.id, another.id)
    assert services.open_answers.count(answers_to(device.id)) == 1
    here.sendall(b"heard")
    assert there.recv(100) == b"heard"
    removed = REMOVALS[what](ann, signed_in(app, "", PASSWORD), user.id, device.id)
    assert removed.status_code in {200, 204}
    assert there.recv(100) == b""
    playing.close()
    assert services.open_answers.count(answers_to(device.id)) == 0


class RemovingAnswers(OpenAnswers):
    """Answers among which one comes just as its device is removed."""

    removal: Callable[[], None] = staticmethod(lambda: None)

    def add(self, key: str, environ: WSGIEnvironment, response: Response) -> None:
        super().add(key, environ, response)
        removal, self.removal = self.removal, lambda: None
        removal()


def test_a_device_that_is_removed_while_its_answer_is_made_gets_none(
    app: Flask, music: Path, mp3: Path
) -> None:
    (music / "a.mp3").write_bytes(mp3.read_bytes() * 100)  # not sent at once
    scan(app)
    answers = RemovingAnswers()
    services = replace(services_of(app), open_answers=answers)
    app.extensions["mixtape"] = services
    device, key = services.devices.add(1, "Phone", is_recoverable=False)
    answers.removal = partial(services.remove_device, 1, device.id)
    address = f"/rest/stream?apiKey={key}&id=tr-{track_id(app, 'a.mp3')}&v=1.16.1&c=test&f=json"
    answer = app.test_client(use_cookies=False).get(address)
    assert answer.json is not None
    assert answer.json["subsonic-response"]["error"]["code"] == 44


def test_half_an_emoji_is_no_password_and_no_error(app: Flask, ann: Owner) -> None:
    half = "half of it \ud83d"
    sent = {"password": half, "new_password": half}
    assert ann.send("POST", "/api/password", sent).status_code == 403
    sent = {"password": ANNS_PASSWORD, "new_password": half}
    assert ann.send("POST", "/api/password", sent).status_code == 204
    assert ann.send("POST", "/api/password", {**sent, "password": half}).status_code == 204
