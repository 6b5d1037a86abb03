"""Signing in where there are several users, and what ends their sessions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from mixtape.accounts.users import SavedUser
from mixtape.services import Services
from tests.helpers.host import PAGE, PASSWORD, csrf_token, make_app, sign_in
from tests.helpers.mixtapes import Owner, services_of
from tests.helpers.people import ANNS_PASSWORD, add_user, signed_in


@pytest.fixture
def app(tmp_path: Path, music: Path) -> Flask:
    return make_app(tmp_path, password=PASSWORD)


@pytest.fixture
def ann(app: Flask) -> SavedUser:
    return add_user(app)


def is_in(visitor: Owner) -> bool:
    return visitor.client.get("/api/session").status_code == 200


def sign_out(visitor: Owner) -> None:
    token = csrf_token(visitor.page("/"))
    visitor.client.post("/logout", data={"csrf_token": token}, headers=PAGE)


def test_one_person_is_asked_for_the_password_alone(app: Flask) -> None:
    page = app.test_client().get("/login", headers=PAGE).text
    assert 'value="mixtape" autocomplete="username" hidden' in page
    assert 'type="password"' in page
    # Whatever a browser sends as a name.
    assert is_in(signed_in(app, "somebody", PASSWORD))


def test_as_soon_as_there_are_others_everybody_is_asked_for_a_name(
    app: Flask, ann: SavedUser
) -> None:
    client = app.test_client()
    assert 'for="username"' in client.get("/login", headers=PAGE).text
    answer = sign_in(client, "not her password", username="Ann<script>")
    assert answer.status_code == 401
    assert "That is not the name with its password" in answer.text
    assert 'value="Ann&lt;script&gt;"' in answer.text


# The last is what browsers have PASSWORD under from before.
@pytest.mark.parametrize("name", ["", "admin", " ADMIN ", "mixtape"])
def test_the_password_of_the_settings_signs_the_first_user_in(
    app: Flask, ann: SavedUser, name: str
) -> None:
    first = signed_in(app, name, PASSWORD)
    assert "admin" in first.page("/devices").text
    assert first.page("/people").status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", PASSWORD), ("", ANNS_PASSWORD), ("admin", ANNS_PASSWORD), ("bob", PASSWORD)],
)
def test_no_password_is_good_for_another_name(
    app: Flask, ann: SavedUser, name: str, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = app.test_client()
    assert sign_in(client, password, username=name).status_code == 401
    assert not is_in(Owner(client))
    assert "a sign-in from 127.0.0.1 failed" in caplog.text
    assert password not in caplog.text


def test_a_first_user_with_another_name_signs_in_with_that(app: Flask, ann: SavedUser) -> None:
    services_of(app).users.rename(1, "Tom")
    assert is_in(signed_in(app, "tom", PASSWORD))
    assert sign_in(app.test_client(), PASSWORD, username="admin").status_code == 401


def test_wrong_names_are_limited_as_wrong_passwords_are(app: Flask, ann: SavedUser) -> None:
    client = app.test_client()
    statuses = [sign_in(client, "guess", username=f"user {n}").status_code for n in range(6)]
    assert statuses == [401] * 5 + [429]
    assert sign_in(client, ANNS_PASSWORD, username="ann").status_code == 429


def test_signing_out_ends_the_sessions_of_that_user_alone(app: Flask, ann: SavedUser) -> None:
    add_user(app, "Bob")
    here, there, bob = signed_in(app, "ann"), signed_in(app, "ann"), signed_in(app, "bob")
    first, second = signed_in(app, "", PASSWORD), signed_in(app, "", PASSWORD)
    sign_out(here)
    assert [is_in(each) for each in (here, there, bob, first)] == [False, False, True, True]
    sign_out(first)
    assert [is_in(each) for each in (first, second, bob)] == [False, False, True]


ENDINGS: list[Callable[[Services, int], object]] = [
    lambda services, ann: services.users.remove(ann, None),
    lambda services, ann: services.users.set_role(ann, "admin"),
    lambda services, ann: services.users.set_password(ann, "another one entirely"),
]


@pytest.mark.parametrize("end", ENDINGS, ids=["removed", "role", "password"])
def test_a_session_ends_at_once_with_what_it_was_begun_for(
    app: Flask, ann: SavedUser, end: Callable[[Services, int], object]
) -> None:
    visitor, first = signed_in(app, "ann"), signed_in(app, "", PASSWORD)
    assert is_in(visitor)
    end(services_of(app), ann.id)
    assert not is_in(visitor)
    assert visitor.client.get("/play/a.flac").status_code == 401
    assert is_in(first)


def test_a_session_of_one_user_is_none_of_another(app: Flask, ann: SavedUser) -> None:
    visitor = signed_in(app, "ann")
    with visitor.client.session_transaction() as session:
        del session["user"]
    assert not is_in(visitor)
    visitor = signed_in(app, "ann", ANNS_PASSWORD)
    bob = add_user(app, "Bob")
    with visitor.client.session_transaction() as session:
        session["user"] = bob.id
    assert not is_in(visitor)


def test_sessions_outlive_a_restart_and_the_addition_of_others(tmp_path: Path, app: Flask) -> None:
    first = signed_in(app, "", PASSWORD)
    add_user(app)
    ann = signed_in(app, "ann")
    after = make_app(tmp_path, password=PASSWORD)
    for visitor in (first, ann):
        cookie = visitor.client.get_cookie("mixtape_session")
        assert cookie is not None
        again = after.test_client()
        again.set_cookie("mixtape_session", cookie.value)
        assert is_in(Owner(again))


def test_without_a_password_whoever_is_at_this_machine_is_the_first_user(
    tmp_path: Path, app: Flask, ann: SavedUser
) -> None:
    client = make_app(tmp_path).test_client()
    page = client.get("/people", headers=PAGE)
    assert page.status_code == 200
    assert "Ann" in page.text
    assert client.get("/login", headers=PAGE).status_code == 302
