"""HTTP clients on bare sockets, so that what is measured is the server."""

from __future__ import annotations

import re
import socket
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Self

_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d+)")
_BUFFER_BYTES = 1 << 18


@dataclass(frozen=True)
class Answer:
    """One answer, and when it came, in seconds after the first byte of its request was sent.

    Args:
        start_s: when the first bytes of the answer were there; they hold the headers.
        end_s: when the last byte was there.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    start_s: float
    end_s: float


class Connection:
    """One client's connection to a server on this machine; answers need a Content-Length."""

    def __init__(self, port: int, *, timeout_s: float = 30.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def get(self, path: str, span: tuple[int, int] | None = None, *, method: str = "GET") -> Answer:
        """Ask for a path, or for the bytes [start, stop) of it, and read the whole answer."""
        began = time.perf_counter()
        self._socket.sendall(make_request(path, span, method=method))
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        started = time.perf_counter()
        status, headers = parse_head(bytes(received[:end]))
        length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        body = received[end + 4 :]
        while len(body) < length:
            body += self._more()
        return Answer(status, headers, bytes(body), started - began, time.perf_counter() - began)

    def read_raw(self, path: str, most_bytes: int | None) -> int:
        """Ask for a path and read the body as it comes over the wire; return how much there was.

        Args:
            path: what to ask for.
            most_bytes: as many are enough; None for all, after which the server has to close.
        """
        request = make_request(path).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        self._socket.sendall(request)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        if not received.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"the server answered {bytes(received[:200])!r}")
        size = len(received) - end - 4
        while most_bytes is None or size < most_bytes:
            data = self._socket.recv(_BUFFER_BYTES)
            if not data:
                break
            size += len(data)
        return size

    def _more(self) -> bytes:
        data = self._socket.recv(_BUFFER_BYTES)
        if not data:
            raise ConnectionError("the server closed the connection before the answer was complete")
        return data


def make_request(
    path: str, span: tuple[int, int] | None = None, *, method: str = "GET", agent: str = "benchmark"
) -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"User-Agent: {agent}"]
    if span is not None:
        lines.append(f"Range: bytes={span[0]}-{span[1] - 1}")
    return "\r\n".join((*lines, "", "")).encode("ascii")


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Return the status and the headers, names in lower case, of an answer's first lines."""
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split(" ", 2)[1]), {name.lower(): value.strip() for name, _, value in pairs}


def count_answers(
    port: int, requests: list[bytes], seconds: float, connections: int, expected: bytes
) -> float:
    """Return how many requests per second a server answers to connections that never pause.

    Args:
        requests: sent in turn.
        seconds: how long to go on.
        connections: each has one request under way at any time.
        expected: the status line that every answer must begin with.
    """
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    sockets = [
        socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(connections)
    ]
    try:
        for number, each in enumerate(sockets):
            each.sendall(requests[number % len(requests)])
        answered, began = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < seconds:
            for each in sockets:
                _read_answer(each, buffer, expected)
                each.sendall(requests[answered % len(requests)])
                answered += 1
        return answered / elapsed
    finally:
        for each in sockets:
            each.close()


class Clients:
    """Several processes that ask without pause, each on some connections that stay open.

    They are started once, so that short measurements can follow each other closely.
    """

    def __init__(self, processes: int, connections: int) -> None:
        self._processes = processes
        self._connections = connections
        self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))

    def __enter__(self) -> Self:
        list(self._pool.map(time.sleep, [0.5] * self._processes))
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def count(self, port: int, requests: list[bytes], seconds: float, expected: bytes) -> float:
        """Return the answers per second to all of them; see `count_answers`."""
        jobs = [
            self._pool.submit(count_answers, port, requests, seconds, self._connections, expected)
            for _ in range(self._processes)
        ]
        return sum(job.result() for job in jobs)


def _read_answer(connection: socket.socket, buffer: memoryview, expected: bytes) -> None:
    """Read one whole answer into the buffer, which is used again for the next one."""
    size = connection.recv_into(buffer)
    start = bytes(buffer[: min(size, 2048)])
    end = start.find(b"\r\n\r\n")
    found = _LENGTH.search(start, 0, end)
    if found is None or not start.startswith(expected):
        raise RuntimeError(f"the server answered {start[:200]!r}")
    missing = end + 4 + int(found[1]) - size
    while missing > 0:
        size = connection.recv_into(buffer)
        if not size:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        missing -= size
