from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.wsgi import FileWrapper

from mixtape.server.answer import Answer, Outbox, Step
from mixtape.server.arrival import Arrival
from mixtape.web.crowd import AT_END
from tests.helpers.waiting import LIMIT_S

LARGE = bytes(range(256)) * 40_000
Ends = tuple[socket.socket, socket.socket]


class Log:
    """What a worker's log is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def exception(self, line: str, *_: object) -> None:
        self.lines.append(line)

    def access(self, *_: object) -> None:
        pass

    warning = debug = exception


class Worker:
    """As much of a worker as an answer needs."""

    def __init__(self) -> None:
        self.cfg = Config()
        self.log = Log()

    def handle_error(self, _request: Any, client: Outbox, _address: Any, error: Exception) -> None:
        self.log.lines.append(repr(error))
        client.sendall(b"HTTP/1.1 500 Internal Server Error\r\n\r\n")


def answer(application: Any, ends: Ends, *, is_last: bool = False) -> tuple[Answer, Worker]:
    worker = Worker()
    ends[0].setblocking(False)
    ends[1].settimeout(LIMIT_S)
    arrival = Arrival(0, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    addresses = (("127.0.0.1", 1), ("127.0.0.1", 2))
    return Answer(application, arrival, ends[0], addresses, worker, is_last=is_last), worker


def of(body: Iterable[bytes], length: int | None = None) -> Any:
    def application(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        fields = [] if length is None else [("Content-Length", str(length))]
        start_response("200 OK", fields)
        return body

    return application


def go_on(which: Answer, there: socket.socket) -> tuple[Step, bytes]:
    """Read what an answer sends, step by step, to its end."""
    received = b""
    while (step := which.step()) is Step.READ:
        received += there.recv(1 << 20)
    there.setblocking(False)
    while True:
        try:
            data = there.recv(1 << 20)
        except BlockingIOError:
            return step, received
        if not data:
            return step, received
        received += data


@pytest.mark.parametrize("is_last", [False, True])
def test_a_small_answer_takes_one_step_and_keeps_the_connection_unless_it_is_the_last(
    ends: Ends, is_last: bool
) -> None:
    which, _ = answer(of([b"music"], 5), ends, is_last=is_last)
    step, received = go_on(which, ends[1])
    assert step is (Step.CLOSE if is_last else Step.KEEP)
    head, _, body = received.partition(b"\r\n\r\n")
    assert body == b"music"
    assert (b"Connection: close" in head) is is_last


def test_a_listener_who_does_not_read_holds_no_thread_and_gets_every_byte_later(ends: Ends) -> None:
    which, _ = answer(of([LARGE], len(LARGE)), ends)
    assert which.step() is Step.READ
    assert which.step() is Step.READ
    step, received = go_on(which, ends[1])
    assert step is Step.KEEP
    assert received.partition(b"\r\n\r\n")[2] == LARGE


def test_a_file_is_sent_from_where_it_stands_and_closed_behind_its_last_byte(ends: Ends) -> None:
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(LARGE)
    file.flush()
    file.seek(1000)
    which, _ = answer(of(FileWrapper(file), len(LARGE) - 2000), ends)
    assert which.step() is Step.READ
    assert not file.closed
    step, received = go_on(which, ends[1])
    assert step is Step.KEEP
    assert received.partition(b"\r\n\r\n")[2] == LARGE[1000:-1000]
    assert file.closed


def test_a_file_that_shrinks_ends_the_connection(ends: Ends) -> None:
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(b"short")
    file.flush()
    file.seek(0)
    which, worker = answer(of(FileWrapper(file), 100), ends)
    assert go_on(which, ends[1])[0] is Step.CLOSE
    assert worker.log.lines == ["an answer broke off"]
    assert file.closed


def test_an_application_that_fails_is_answered_for(ends: Ends) -> None:
    def application(_environ: dict[str, Any], _start_response: Any) -> Iterable[bytes]:
        raise ValueError("broken")

    which, worker = answer(application, ends)
    step, received = go_on(which, ends[1])
    assert step is Step.CLOSE
    assert received.startswith(b"HTTP/1.1 500 ")
    assert worker.log.lines == ["ValueError('broken')"]


def test_a_body_that_fails_in_the_middle_ends_the_connection_and_is_closed(ends: Ends) -> None:
    closed = []

    def body() -> Iterator[bytes]:
        try:
            yield b"mu"
            raise ValueError("broken")
        finally:
            closed.append(True)

    which, worker = answer(of(body(), 5), ends)
    step, received = go_on(which, ends[1])
    assert step is Step.CLOSE
    assert received.endswith(b"\r\n\r\nmu")
    assert (worker.log.lines, closed) == (["an answer broke off"], [True])


def test_what_is_left_for_the_end_is_done_where_a_listener_leaves(ends: Ends) -> None:
    done = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[AT_END](lambda: done.append(True))
        return of([LARGE], len(LARGE))(environ, start_response)  # type: ignore[no-any-return]

    which, worker = answer(application, ends)
    assert which.step() is Step.READ
    assert not done
    ends[1].close()
    assert which.step() is Step.CLOSE
    assert (done, worker.log.lines) == ([True], [])


class News:
    """A body that has something to tell when it was told."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = [b"first"]
        self.is_over = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.pieces:
            return self.pieces.pop()
        assert self.is_over, "asked for what is not due"
        raise StopIteration

    def is_due(self) -> bool:
        return bool(self.pieces) or self.is_over

    def due_in_s(self) -> float:
        return 1.0

    def call_when_due(self, wake: Callable[[], None]) -> None:
        wake()


def test_a_body_that_waits_for_news_is_not_asked_before_there_are_any(ends: Ends) -> None:
    news = News()
    which, _ = answer(of(news), ends)
    assert which.step() is Step.NEWS
    assert which.patient is news
    assert which.step() is Step.NEWS
    news.pieces.append(b"second")
    assert which.step() is Step.NEWS
    news.is_over = True
    step, received = go_on(which, ends[1])
    assert step is Step.KEEP
    assert received.endswith(b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")


def test_the_socket_that_an_application_sees_is_the_real_one(ends: Ends) -> None:
    seen: list[SimpleNamespace] = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.append(environ["gunicorn.socket"])
        start_response("204 No Content", [])
        return []

    which, _ = answer(application, ends)
    go_on(which, ends[1])
    assert seen == [ends[0]]
    assert os.fstat(ends[0].fileno())
