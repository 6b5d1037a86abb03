"""Requests of a visitor who is not signed in, written as an attacker would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SECRET = b"NOT-FOR-EVERYBODY"

PUBLIC = b"FOR-LISTENERS"

PLACEHOLDER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")

visitors = count(1)


def come_from_elsewhere(client: FlaskClient) -> None:
    """Give a client an address that never asked before, so that no limit hides the answer."""
    number = next(visitors)
    client.environ_base["REMOTE_ADDR"] = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def ask(
    client: FlaskClient, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[TestResponse, bytes]:
    """Send a request from an address that never asked before."""
    come_from_elsewhere(client)
    with client.open(path, method=method, headers=headers) as answer:
        return answer, answer.get_data()


def ways_of_writing(path: str) -> Iterator[str]:
    """Give a path as it is, and as filters are tricked with it."""
    yield quote(path)
    yield quote(path, safe="")
    yield quote(quote(path, safe=""), safe="")
    for dots in (
        "../",
        "..\\",
        "..;/",
        "..%2f",
        "%2e%2e/",
        "%252e%252e%252f",
        "..%c0%af",
        "\N{FULLWIDTH FULL STOP}" * 2 + "/",
    ):
        yield dots * 2 + quote(path)
    yield "/" + quote(path)
    yield quote(path) + "%00"
    yield quote(path) + "%00.mp3"
    yield quote(path).replace("r", "%72")


def is_turned_away(answer: TestResponse) -> bool:
    leads_to_login = answer.status_code == 302 and answer.location.startswith("/login")
    return answer.status_code == 401 or leads_to_login
