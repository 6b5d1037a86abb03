from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from mixtape.accounts.users import SavedUser
from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from tests.helpers.host import PAGE, PASSWORD, make_app, sign_in
from tests.helpers.mixtapes import Owner, message_of, services_of
from tests.helpers.people import ANNS_PASSWORD, add_user, signed_in
from tests.helpers.subsonic import Player, Refused, add_device


@pytest.fixture
def app(tmp_path: Path, music: Path) -> Flask:
    return make_app(tmp_path, password=PASSWORD)


@pytest.fixture
def first(app: Flask) -> Owner:
    return signed_in(app, "", PASSWORD)


def tape_of(app: Flask, user: SavedUser) -> SavedMixtape:
    """Return a mixtape of a user that whoever has its link can open."""
    mixtapes = services_of(app).tapes_of(user.id).mixtapes
    return mixtapes.share(mixtapes.create(MixtapeState("A gift")).slug)


def test_somebody_is_added_with_a_password_that_is_made_and_told_once(
    app: Flask, first: Owner
) -> None:
    answer = first.send("POST", "/api/people", {"name": "Ann", "role": "listener"})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json is not None
    assert (answer.json["name"], answer.json["role"]) == ("Ann", "listener")
    password = answer.json["password"]
    assert password not in first.page("/people").text
    assert "Ann" in first.page("/people").text
    assert sign_in(app.test_client(), password, username="ann").status_code == 303


def test_a_password_that_was_chosen_is_not_told_again(app: Flask, first: Owner) -> None:
    sent = {"name": "Ann", "role": "admin", "password": ANNS_PASSWORD}
    answer = first.send("POST", "/api/people", sent)
    assert answer.json is not None
    assert answer.json["password"] is None
    assert signed_in(app, "Ann").page("/admin").status_code == 200


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "name"),
        ({"name": "Ann"}, "role"),
        ({"name": "Ann", "role": "listener", "password": "\ud83d"}, "fewer than 8"),
        ({"name": 5, "role": "listener"}, "name"),
        ({"name": "Ann", "role": "listener", "password": 5}, "password"),
        ({"name": "Ann", "role": "king"}, "no role"),
        ({"name": "admin", "role": "listener"}, "already"),
        ({"name": "Ann", "role": "listener", "password": "tiny"}, "fewer than"),
    ],
)
def test_what_cannot_be_added_is_refused_with_the_reason(
    first: Owner, sent: dict[str, Any], message: str
) -> None:
    answer = first.send("POST", "/api/people", sent)
    assert answer.status_code == 400
    assert message in message_of(answer)


def test_without_a_password_of_the_site_nobody_is_added(tmp_path: Path, music: Path) -> None:
    open_to_all = Owner(make_app(tmp_path).test_client())
    answer = open_to_all.send("POST", "/api/people", {"name": "Ann", "role": "listener"})
    assert answer.status_code == 409
    assert "Set PASSWORD first" in message_of(answer)
    page = open_to_all.page("/people").text
    assert "before you add people" in page
    assert 'id="person-name"' not in page


def test_names_and_roles_are_changed(app: Flask, first: Owner) -> None:
    ann = add_user(app)
    address = f"/api/people/{ann.id}"
    assert first.send("PATCH", address, {"name": "Anna"}).json == {
        "id": ann.id,
        "name": "Anna",
        "role": "listener",
    }
    visitor = signed_in(app, "anna")
    assert visitor.page("/admin").status_code == 403
    assert first.send("PATCH", address, {"role": "admin"}).status_code == 200
    assert visitor.client.get("/api/session").status_code == 401
    assert signed_in(app, "anna").page("/admin").status_code == 200
    assert first.send("PATCH", "/api/people/1", {"name": "Tom"}).status_code == 200
    assert first.send("PATCH", "/api/people/1", {"role": "listener"}).status_code == 400
    assert first.send("PATCH", "/api/people/99", {"name": "Nobody"}).status_code == 404


def test_another_password_takes_the_place_of_a_lost_one(app: Flask, first: Owner) -> None:
    ann = add_user(app)
    answer = first.send("POST", f"/api/people/{ann.id}/password", {})
    assert answer.json is not None
    client = app.test_client()
    assert sign_in(client, ANNS_PASSWORD, username="ann").status_code == 401
    assert sign_in(client, answer.json["password"], username="ann").status_code == 303
    assert first.send("POST", "/api/people/1/password", {}).status_code == 400


@pytest.mark.parametrize("tapes", ["give", "delete"])
def test_who_is_removed_is_gone_with_devices_and_the_tapes_as_was_chosen(
    app: Flask, first: Owner, tapes: str
) -> None:
    ann = add_user(app)
    tape, key = tape_of(app, ann), add_device(app, ann.id)
    visitor = signed_in(app, "ann")
    player = Player(app, key, "Ann")
    player.ask("ping")
    guest = app.test_client()
    assert guest.get(f"/mixtapes/{tape.slug}", headers=PAGE).status_code == 200
    assert "A gift" not in first.page("/mixtapes").text

    answer = first.send("DELETE", f"/api/people/{ann.id}", {"tapes": tapes})

    assert answer.status_code == 204
    assert visitor.client.get("/api/session").status_code == 401
    with pytest.raises(Refused) as refused:
        player.ask("ping")
    assert refused.value.code == 40
    assert ("A gift" in first.page("/mixtapes").text) == (tapes == "give")
    status = 200 if tapes == "give" else 404
    assert guest.get(f"/mixtapes/{tape.slug}", headers=PAGE).status_code == status
    # Alone again, and asked for no name.
    assert 'for="username"' not in guest.get("/login", headers=PAGE).text


def test_nobody_is_removed_unless_it_is_said_what_becomes_of_the_tapes(
    app: Flask, first: Owner
) -> None:
    ann = add_user(app)
    for sent in ({}, {"tapes": "burn"}, {"tapes": None}, {"tapes": []}):
        assert first.send("DELETE", f"/api/people/{ann.id}", sent).status_code == 400
    assert services_of(app).users.get(ann.id) == ann


def test_the_first_user_stays_and_nobody_removes_themselves(app: Flask, first: Owner) -> None:
    eve = add_user(app, "Eve", "admin")
    visitor = signed_in(app, "eve")
    assert visitor.send("DELETE", "/api/people/1", {"tapes": "give"}).status_code == 400
    answer = visitor.send("DELETE", f"/api/people/{eve.id}", {"tapes": "delete"})
    assert answer.status_code == 409
    assert "Another admin" in message_of(answer)
    assert first.send("DELETE", f"/api/people/{eve.id}", {"tapes": "give"}).status_code == 204


def test_an_admin_sees_how_much_others_have_and_nothing_of_what_it_is(
    app: Flask, first: Owner
) -> None:
    ann = add_user(app)
    tape = tape_of(app, ann)
    add_device(app, ann.id)
    page = first.page("/people").text
    assert "1 mixtape<" in page
    assert "1 device<" in page
    assert "A gift" not in page
    assert tape.slug not in page


def test_a_new_password_takes_devices_along_where_that_is_asked(app: Flask, first: Owner) -> None:
    ann, devices = add_user(app), services_of(app).devices
    devices.add(ann.id, "Phone", is_recoverable=True)
    url = f"/api/people/{ann.id}/password"
    assert first.send("POST", url, {"remove_devices": "yes"}).status_code == 400
    assert first.send("POST", url, {}).status_code == 200
    assert len(devices.of(ann.id)) == 1
    assert first.send("POST", url, {"remove_devices": True}).status_code == 200
    assert devices.of(ann.id) == ()
