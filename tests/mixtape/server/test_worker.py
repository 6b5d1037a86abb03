from __future__ import annotations

import errno
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from mixtape.server import worker as worker_module
from mixtape.server.arrival import Arrival
from mixtape.server.connection import Connection
from mixtape.server.run import connections_of, raise_file_limit
from mixtape.server.worker import ListenerWorker
from tests.helpers.audio import make_silence
from tests.helpers.busy_mixtape import IDLE
from tests.helpers.hostile import Hostile, Kind, kinds
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.waiting import LIMIT_S, wait_until

pytestmark = pytest.mark.slow
THREADS = 4
TRACK = "/play/silence.wav?quality=original"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MixtapeServe]:
    root = tmp_path_factory.mktemp("worker")
    (root / "music").mkdir()
    make_silence(root / "music" / "silence.wav", 120)
    program = (sys.executable, "-m", "tests.helpers.busy_mixtape")
    given = {"SERVER_THREADS": str(THREADS)}
    with MixtapeServe(root / "music", root / "data", program, **given) as server:
        yield server


def port_of(server: MixtapeServe) -> int:
    return int(server.address.rpartition(":")[2])


def connect(server: MixtapeServe, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port_of(server)), timeout=LIMIT_S)
    connection.sendall(sent)
    return connection


def receive_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        data = connection.recv(65536)
        assert data, received
        received += data
    return received


def ask(server: MixtapeServe, path: str) -> bytes:
    with urllib.request.urlopen(f"{server.address}{path}", timeout=LIMIT_S) as answer:
        content: bytes = answer.read()
        return content


@pytest.mark.parametrize("kind", kinds(TRACK, IDLE), ids=lambda kind: kind.name)
def test_slow_clients_in_any_number_hold_no_thread(server: MixtapeServe, kind: Kind) -> None:
    with Hostile(port_of(server), kind, 10 * THREADS) as clients:
        clients.go_on(1)
        assert ask(server, "/healthz") == b'{"status":"ok"}\n'
        assert len(ask(server, TRACK)) > 10_000_000
        assert not clients.ended


def test_a_request_that_does_not_come_in_time_is_refused(server: MixtapeServe) -> None:
    heads, bodies, *_ = kinds(TRACK, IDLE)
    with Hostile(port_of(server), heads, 1) as head, Hostile(port_of(server), bodies, 1) as body:
        waiting = [*head.sockets, *body.sockets]
        for each in waiting:
            each.settimeout(LIMIT_S)
            assert each.recv(1000).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_a_client_that_asks_nothing_is_closed_without_a_word(server: MixtapeServe) -> None:
    with connect(server) as connection:
        assert connection.recv(1) == b""


def test_requests_that_come_together_are_answered_in_their_order(server: MixtapeServe) -> None:
    missing = b"HEAD /missing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with connect(server, HEALTH + HEALTH + missing) as connection:
        received = b""
        while data := connection.recv(65536):
            received += data
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"404"]


def test_a_body_is_asked_for_once_where_a_client_awaits_that(server: MixtapeServe) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
    with connect(server, head + b"Expect: 100-continue\r\n\r\n") as connection:
        assert receive_until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"a=b")
        assert connection.recv(65536).startswith((b"HTTP/1.1 3", b"HTTP/1.1 4"))


def test_a_body_without_a_length_is_refused(server: MixtapeServe) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(server, head) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 411 Length Required\r\n")
        assert connection.recv(1000) == b""


def test_a_request_that_is_none_is_refused_and_the_next_client_served(
    server: MixtapeServe,
) -> None:
    for nonsense in (b"\x16\x03\x01\0\0\r\n\r\n", b"GET\r\n\r\n", b"G\0T / HTTP/9.9\r\n\r\n"):
        with connect(server, nonsense) as connection:
            assert connection.recv(1000).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert ask(server, "/healthz")


def test_where_no_connection_is_left_the_idlest_makes_room(server: MixtapeServe) -> None:
    most = connections_of(THREADS)
    raise_file_limit(most)
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(server)) for _ in range(most + 20)]
        assert ask(server, "/healthz")
        assert idle[0].recv(1) == b""


def test_nobody_is_ended_while_nobody_waits_for_a_place(server: MixtapeServe) -> None:
    most = connections_of(THREADS)
    raise_file_limit(most)
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(server)) for _ in range(most)]
        for connection in (idle[-1], idle[0]):
            connection.sendall(HEALTH)
            assert receive_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_who_is_refused_takes_the_place_of_nobody(tmp_path: Path) -> None:
    address = address_of_this_machine()
    if not address:
        pytest.skip("this machine has no address but loopback")
    (tmp_path / "music").mkdir()
    given = {"HOST": "0.0.0.0", "PASSWORD": "correct horse", "CONNECTIONS_PER_ADDRESS": "1"}
    given["SERVER_THREADS"] = str(THREADS)
    flood = connections_of(THREADS) + 300
    raise_file_limit(flood)
    with MixtapeServe(tmp_path / "music", tmp_path / "data", **given) as server:
        where = (address, port_of(server))
        with ExitStack() as stack:
            half_asked = stack.enter_context(connect(server, HEALTH[:-2]))
            stack.enter_context(socket.create_connection(where, timeout=LIMIT_S))
            for _ in range(flood):
                stack.enter_context(socket.create_connection(where, timeout=LIMIT_S))
            half_asked.sendall(HEALTH[-2:])
            assert receive_until(half_asked, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_bodies_are_ended_of_the_address_that_has_most_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[Connection] = []
    worker = ListenerWorker.__new__(ListenerWorker)
    monkeypatch.setattr(worker_module, "_MOST_STORED_BYTES", 400_000)
    monkeypatch.setattr(ListenerWorker, "_drop", lambda self, each: ended.append(each))
    with ExitStack() as stack:
        owner, *others = [
            stack.enter_context(receiving(address)) for address in ("192.0.2.1", *["192.0.2.2"] * 4)
        ]
        worker._receiving = dict.fromkeys((owner, *others))
        worker._keep_stored_small()
    assert ended == others[:1]


@contextmanager
def receiving(address: str, stored_bytes: int = 100_000) -> Iterator[Connection]:
    """Give a connection that has sent a part of a long body."""
    with socket.socket() as client:
        connection = Connection(client, (address, 50_000), None, lambda: None)
        head = f"POST / HTTP/1.1\r\nContent-Length: {10 * stored_bytes}\r\n\r\n".encode()
        connection.arrival = Arrival(1 << 30, head + bytes(stored_bytes))
        assert connection.arrival.stored_bytes == stored_bytes
        yield connection
        connection.arrival.close()


def test_where_few_descriptors_are_allowed_the_idlest_is_ended(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    few = ("sh", "-c", 'ulimit -n 200 && exec "$@"', "sh", sys.executable, "-m", "mixtape")
    with (
        MixtapeServe(tmp_path / "music", tmp_path / "data", few) as server,
        ExitStack() as stack,
    ):
        for _ in range(400):
            stack.enter_context(connect(server))
        for _ in range(20):
            assert ask(server, "/healthz")


def test_where_no_descriptor_is_left_the_idlest_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[Connection] = []
    worker = ListenerWorker.__new__(ListenerWorker)
    monkeypatch.setattr(ListenerWorker, "_drop", lambda self, each: ended.append(each))
    monkeypatch.setattr(ListenerWorker, "_may_have_room", lambda self: True)
    listener = MagicMock(spec=socket.socket)
    listener.accept.side_effect = OSError(errno.EMFILE, "Too many open files")
    with ExitStack() as stack:
        idlest, other = (stack.enter_context(receiving("192.0.2.1")) for _ in range(2))
        worker._receiving = dict.fromkeys((idlest, other))
        worker._lingering, worker._unread = {}, {}
        worker._accept(listener)
    assert ended == [idlest]


def test_an_address_that_has_its_connections_is_told_to_wait(tmp_path: Path) -> None:
    address = address_of_this_machine()
    if not address:
        pytest.skip("this machine has no address but loopback")
    (tmp_path / "music").mkdir()
    given = {"HOST": address, "PASSWORD": "correct horse", "CONNECTIONS_PER_ADDRESS": "2"}
    with MixtapeServe(tmp_path / "music", tmp_path / "data", **given) as server:
        where = (address, port_of(server))
        with ExitStack() as stack:
            first, second, third = (
                stack.enter_context(socket.create_connection(where, timeout=LIMIT_S))
                for _ in range(3)
            )
            answer = receive_until(third, b"\n\r\n")
            assert answer.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
            assert b"Retry-After: " in answer
            second.sendall(HEALTH)
            assert receive_until(second, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
            first.close()

            def is_served() -> bool:
                with socket.create_connection(where, timeout=LIMIT_S) as again:
                    again.sendall(HEALTH)
                    return again.recv(1000).startswith(b"HTTP/1.1 200 ")

            wait_until(is_served, "a place that was left to be given to another")


def test_slow_clients_do_not_keep_the_server_from_ending(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    make_silence(tmp_path / "music" / "silence.wav", 120)
    program = (sys.executable, "-m", "tests.helpers.busy_mixtape")
    with (
        MixtapeServe(tmp_path / "music", tmp_path / "data", program) as server,
        ExitStack() as all_,
    ):
        for kind in kinds(TRACK, IDLE):
            all_.enter_context(Hostile(port_of(server), kind, 5)).go_on(0.3)
        output = server.stop()
        assert server.process.returncode == 0
        assert "Traceback" not in output


def address_of_this_machine() -> str:
    """Return an address of this machine that is not loopback, "" for none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return ""
        return str(probe.getsockname()[0])
