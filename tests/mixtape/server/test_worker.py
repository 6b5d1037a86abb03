from __future__ import annotations

import logging
import socket
import threading
from types import SimpleNamespace

import pytest
from gunicorn.workers.gthread import TConn, ThreadWorker

from mixtape.server.worker import ListenerWorker, _is_news
from tests.helpers.waiting import LIMIT_S


def handle(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch, *, keeps: bool
) -> tuple[TConn, object]:
    """Let a worker handle a request that sends an answer."""

    def answer(self: ThreadWorker, conn: TConn) -> bool:
        conn.sock.sendall(b"the answer")
        return keeps

    monkeypatch.setattr(ThreadWorker, "handle", answer)
    conn = TConn(SimpleNamespace(is_ssl=False), connection, ("127.0.0.1", 1), ("127.0.0.1", 2))
    conn.sock.setblocking(True)
    return conn, ListenerWorker.handle(object.__new__(ListenerWorker), conn)


def test_a_connection_that_is_kept_stays_open(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = ends
    conn, result = handle(here, monkeypatch, keeps=True)
    assert result is True
    assert conn.sock is here
    there.sendall(b"the next request")
    assert here.recv(100) == b"the next request"


def test_a_connection_that_ends_is_closed_by_the_thread_that_answered(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = ends
    results: list[object] = []

    def serve() -> None:
        results.extend(handle(here, monkeypatch, keeps=False))

    server = threading.Thread(target=serve)
    server.start()
    # The listener sees the end of the answer, and is waited for.
    received = b""
    while piece := there.recv(100):
        received += piece
    assert received == b"the answer"
    there.close()
    server.join(LIMIT_S)
    conn, result = results
    assert result is False
    assert here.fileno() == -1
    # What gunicorn does then, in the thread that accepts, finds nothing to wait for.
    assert isinstance(conn, TConn)
    conn.close(graceful=True)
    conn.close()


def test_a_listener_who_never_closes_is_not_waited_for_for_ever(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = ends
    monkeypatch.setattr("mixtape.server.worker._LINGER_S", 0.01)
    handle(here, monkeypatch, keeps=False)
    assert here.fileno() == -1
    assert there.recv(100) == b"the answer"


def test_a_connection_that_is_broken_already_is_closed(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = ends

    def fail(self: ThreadWorker, conn: TConn) -> bool:
        conn.sock.close()
        return False

    monkeypatch.setattr(ThreadWorker, "handle", fail)
    conn = TConn(SimpleNamespace(is_ssl=False), here, ("127.0.0.1", 1), ("127.0.0.1", 2))
    assert ListenerWorker.handle(object.__new__(ListenerWorker), conn) is False
    assert there.recv(100) == b""


def test_a_client_that_goes_quiet_within_a_request_is_not_waited_for_for_ever(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = ends
    there.sendall(b"G")
    monkeypatch.setattr("mixtape.server.worker._QUIET_S", 1)

    def receive(self: ThreadWorker, conn: TConn) -> bool:
        conn.sock.setblocking(True)
        assert conn.sock.recv(10) == b"G"
        with pytest.raises(BlockingIOError):
            conn.sock.recv(10)
        return True

    monkeypatch.setattr(ThreadWorker, "handle", receive)
    conn = TConn(SimpleNamespace(is_ssl=False), here, ("127.0.0.1", 1), ("127.0.0.1", 2))
    assert ListenerWorker.handle(object.__new__(ListenerWorker), conn) is True


@pytest.mark.parametrize(
    ("error", "is_told"), [(BlockingIOError(11, "again"), False), (OSError(5, "io"), True)]
)
def test_that_a_client_went_quiet_is_no_news(error: OSError, is_told: bool) -> None:
    info = (type(error), error, None)
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, "Socket error", None, info)
    assert _is_news(record) is is_told
