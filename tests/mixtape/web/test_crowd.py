from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import pytest

from mixtape.web.crowd import AT_END, Crowd, CrowdBehindProxies

LOGGER = logging.getLogger("tests.crowd")


def crowd(most: int = 2, *, is_behind_proxies: bool = False) -> Crowd:
    return Crowd(most, is_behind_proxies, LOGGER)


def test_an_address_has_as_many_as_it_may_and_others_as_many_again() -> None:
    here = crowd()
    leave = here.enter("192.0.2.1")
    assert leave is not None
    assert here.enter("192.0.2.1") is not None
    assert here.enter("192.0.2.1") is None
    assert here.enter("192.0.2.2") is not None
    leave()
    leave()  # who leaves twice has left once
    assert here.enter("192.0.2.1") is not None
    assert here.enter("192.0.2.1") is None


def test_the_addresses_of_one_ipv6_network_are_one() -> None:
    here = crowd()
    assert here.enter("2001:db8::1") is not None
    assert here.enter("2001:db8::2") is not None
    assert here.enter("2001:db8::3") is None
    assert here.enter("2001:db8:0:1::1") is not None


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""])
def test_programs_of_this_machine_are_not_counted(address: str) -> None:
    here = crowd(1)
    assert all(here.enter(address) is not None for _ in range(5))


def test_connections_from_declared_proxies_are_not_counted_nor_any_without_a_limit() -> None:
    for here in (crowd(1, is_behind_proxies=True), crowd(0)):
        assert all(here.enter("192.0.2.1") is not None for _ in range(5))


def test_who_is_refused_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    here = crowd(1)
    for _ in range(5):
        here.enter("192.0.2.1")
    assert [record.getMessage() for record in caplog.records] == [
        "192.0.2.1 has 1 open, as many as CONNECTIONS_PER_ADDRESS allows: more are refused"
    ]


def test_behind_a_proxy_requests_are_counted_until_their_answers_have_ended() -> None:
    def application(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"music"]

    counted = CrowdBehindProxies(application, 1, LOGGER)
    endings: list[Any] = []
    statuses: list[str] = []

    def ask(address: str) -> bytes:
        environ = {"REMOTE_ADDR": address, AT_END: endings.append}
        return b"".join(counted(environ, lambda status, _fields: statuses.append(status)))

    assert ask("192.0.2.1") == b"music"
    assert b"Try again" in ask("192.0.2.1")
    assert ask("192.0.2.2") == b"music"
    endings[0]()
    assert ask("192.0.2.1") == b"music"
    assert statuses == ["200 OK", "429 Too Many Requests", "200 OK", "200 OK"]


def test_a_server_that_tells_no_ends_is_not_limited() -> None:
    counted = CrowdBehindProxies(lambda _environ, _start: [b"music"], 1, LOGGER)
    environ = {"REMOTE_ADDR": "192.0.2.1"}
    for _ in range(3):
        assert list(counted(environ, lambda *_: None)) == [b"music"]  # type: ignore[arg-type]
