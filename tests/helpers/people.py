"""Users beside the first one, for the tests of who may see what."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from mixtape.accounts.users import SavedUser
from tests.helpers.host import sign_in
from tests.helpers.mixtapes import Owner, services_of

ANNS_PASSWORD = "a quiet harbour town"


def add_user(app: Flask, name: str = "Ann", role: str = "listener") -> SavedUser:
    """Return a new user, who signs in with ANNS_PASSWORD."""
    return services_of(app).users.add(name, role, ANNS_PASSWORD)


def signed_in(app: Flask, name: str = "", password: str = ANNS_PASSWORD) -> Owner:
    """Return a browser in which a user has signed in."""
    client: FlaskClient = app.test_client()
    answer = sign_in(client, password, username=name)
    assert answer.status_code == 303, answer.text
    return Owner(client)
