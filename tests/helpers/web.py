"""An application on a port of its own, in threads of the test, for browsers and proxies."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from tests.helpers.waiting import LIMIT_S

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class WebServer:
    """Werkzeug's server with an application, from now until it is stopped."""

    def __init__(self, app: WSGIApplication, port: int = 0) -> None:
        self._server = make_server("127.0.0.1", port, closing(app), threaded=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(LIMIT_S)
        self._server.server_close()


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """Give the address of an application, for as long as it is served."""
    server = WebServer(app)
    try:
        yield server.address
    finally:
        server.stop()


def closing(app: WSGIApplication) -> WSGIApplication:
    """Close every answer of an application, which Werkzeug's server forgets for some clients.

    It reads the rest of the request first, and a browser that has gone by then makes that fail:
    the file of the answer would stay open.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        parts = app(environ, start_response)
        try:
            yield from parts
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()

    return answer
