"""A music player that speaks the Subsonic API."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mixtape.database.tables import FIRST_USER
from mixtape.services import Services

NAME = "admin"
SALT = "c19b2d"


def services_of(app: Flask) -> Services:
    """Return the services of an app."""
    services: Services = app.extensions["mixtape"]
    return services


def add_device(app: Flask, user_id: int = FIRST_USER, *, is_recoverable: bool = True) -> str:
    """Return the key of a new device of a user."""
    return services_of(app).devices.add(user_id, "Phone", is_recoverable=is_recoverable)[1]


def add_link(app: Flask, user_id: int = FIRST_USER) -> str:
    """Return the key of a new link that plays the library without an account."""
    devices = services_of(app).devices
    return devices.add(user_id, "Hi-fi", is_recoverable=False, is_link=True)[1]


def token(key: str, salt: str = SALT) -> dict[str, str]:
    """Return what a player proves by that it knows a key."""
    made = hashlib.md5((key + salt).encode(), usedforsecurity=False).hexdigest()
    return {"t": made, "s": salt}


class Refused(Exception):
    """The answer to a call was an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error.get('message')}")
        self.code: int = error["code"]
        self.error = error


class Player:
    """Asks as players do, and takes answers apart.

    Args:
        app: the application; it needs a device of the user.
        key: of that device.
    """

    def __init__(self, app: Flask, key: str, name: str = NAME) -> None:
        self.client: FlaskClient = app.test_client(use_cookies=False)
        self.credentials = {"u": name, **token(key), "v": "1.16.1", "c": "test"}

    def open(
        self,
        call: str,
        arguments: dict[str, object] | Sequence[tuple[str, object]] = (),
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """Return the answer to a call as it comes."""
        values = [*self.credentials.items(), *dict_items(arguments)]
        asked = [(name, str(value)) for name, value in values]
        if method == "POST":
            return self.client.post(f"/rest/{call}", data=_many(asked), headers=headers)
        return self.client.open(
            f"/rest/{call}", method=method, query_string=_many(asked), headers=headers
        )

    def ask(
        self,
        call: str,
        arguments: dict[str, object] | Sequence[tuple[str, object]] = (),
        *,
        method: str = "GET",
    ) -> dict[str, Any]:
        """Return what a call is answered with, without what every answer has.

        Raises:
            Refused: it is answered with an error.
        """
        answer = self.open(call, [*dict_items(arguments), ("f", "json")], method=method)
        with answer:
            assert answer.status_code == 200, answer.text
            assert answer.json is not None, answer.text
            found: dict[str, Any] = answer.json["subsonic-response"]
        if found["status"] != "ok":
            raise Refused(found["error"])
        common = {"status", "version", "type", "serverVersion", "openSubsonic"}
        assert common <= found.keys()
        return {name: value for name, value in found.items() if name not in common}


def dict_items(
    arguments: dict[str, object] | Sequence[tuple[str, object]],
) -> list[tuple[str, object]]:
    """Return pairs, of which a name may stand in several."""
    return list(arguments.items() if isinstance(arguments, dict) else arguments)


def _many(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values
