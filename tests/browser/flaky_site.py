"""A site whose music can break off, and which counts what it sent of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask import Flask

from tests.helpers.web import WebServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class FlakySite:
    """An application on a port of its own, which it keeps when it is started again.

    Args:
        app: what answers.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.sent_bytes = 0
        self.ranges: list[str] = []
        self.breaks_after_bytes: int | None = None
        self.words: tuple[bytes, bytes] | None = None
        self._server: WebServer | None = WebServer(self)
        self._port = self._server.port

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
        self._server = None

    def start(self) -> None:
        self._server = WebServer(self, self._port)

    def say(self, instead_of: str, words: str) -> None:
        """Be of another version from now on, which says something else on its pages."""
        self.words = instead_of.encode(), words.encode()

    def forget(self) -> None:
        """Count from nothing again."""
        self.sent_bytes = 0
        self.ranges.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "/tracks/" in environ["PATH_INFO"] and environ["REQUEST_METHOD"] == "GET":
            self.ranges.append(environ.get("HTTP_RANGE", ""))
            return self._counted(self._app(environ, start_response))
        if self.words is not None and environ["PATH_INFO"].count("/") == 2:
            return self._reworded(environ, start_response)
        return self._app(environ, start_response)

    def _counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for part in parts:
                left = self.breaks_after_bytes
                if left is not None and len(part) > left:
                    self.breaks_after_bytes = 0
                    self.sent_bytes += left
                    yield part[:left]
                    raise ConnectionAbortedError("the connection breaks off here")
                if left is not None:
                    self.breaks_after_bytes = left - len(part)
                self.sent_bytes += len(part)
                yield part
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()

    def _reworded(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._app.request_context(environ):
            answer = self._app.full_dispatch_request()
        if self.words is not None and answer.mimetype == "text/html":
            answer.set_data(answer.get_data().replace(*self.words))
        return answer(environ, start_response)
