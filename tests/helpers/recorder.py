"""A proxy before a server that takes down what a program of others asks."""

from __future__ import annotations

import contextlib
import http.client
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from tests.helpers.waiting import LIMIT_S

_PIECE_BYTES = 1 << 15
# Those of one connection only (RFC 9110, section 7.6.1).
_OF_A_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding"})


@dataclass
class Exchange:
    """A request, and what came of it; `sent_bytes` grows for as long as the answer is sent."""

    method: str
    path: str
    values: dict[str, list[str]]
    sought: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    sent_bytes: int = 0
    is_over: bool = False

    @property
    def call(self) -> str:
        """Return the call of the Subsonic API that it was."""
        return self.path.rpartition("/")[2].removesuffix(".view")

    def value(self, name: str) -> str:
        """Return a value that was given once; "" for one that was not."""
        return self.values.get(name, [""])[0]


class Recorder:
    """Answers at an address of its own with what another server answers.

    Args:
        target: the address of that server.
    """

    def __init__(self, target: str) -> None:
        self.exchanges: list[Exchange] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(target, self.exchanges))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def address(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Return the port of that."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(LIMIT_S)

    def of(self, call: str) -> list[Exchange]:
        """Return the exchanges of a call, in the order of their requests."""
        return [each for each in list(self.exchanges) if each.call == call]

    @property
    def calls(self) -> list[str]:
        """Return which calls were asked, in order."""
        return [each.call for each in list(self.exchanges)]


def _handler(target: str, exchanges: list[Exchange]) -> type[BaseHTTPRequestHandler]:
    place = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            address = urlsplit(self.path)
            pairs = parse_qsl(address.query, keep_blank_values=True)
            if "urlencoded" in self.headers.get("Content-Type", ""):
                pairs += parse_qsl(body.decode(), keep_blank_values=True)
            values: dict[str, list[str]] = {}
            for name, value in pairs:
                values.setdefault(name, []).append(value)
            exchange = Exchange(self.command, address.path, values, self.headers.get("Range", ""))
            exchanges.append(exchange)
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._pass_on(exchange, body)
            exchange.is_over = True

        do_HEAD = do_POST = do_OPTIONS = do_GET

        def _pass_on(self, exchange: Exchange, body: bytes) -> None:
            assert place.hostname is not None
            connection = http.client.HTTPConnection(place.hostname, place.port, timeout=LIMIT_S)
            with contextlib.closing(connection):
                kept = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in _OF_A_CONNECTION
                }
                connection.request(self.command, self.path, body or None, kept)
                answer = connection.getresponse()
                exchange.status = answer.status
                exchange.headers = dict(answer.getheaders())
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _OF_A_CONNECTION | {"date", "server"}:
                        self.send_header(name, value)
                # One answer on each connection, so that one without a length ends, too.
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                while piece := answer.read1(_PIECE_BYTES):
                    self.wfile.write(piece)
                    exchange.sent_bytes += len(piece)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
