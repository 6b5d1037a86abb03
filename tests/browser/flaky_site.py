"""A site that can go away in the middle of its music, and which counts what it sent of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask

from tests.helpers.waiting import LIMIT_S
from tests.helpers.web import WebServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class FlakySite:
    """An application on a port of its own, which it keeps when it is started again.

    When it stops, answers under way break off, and none of those it was still asked for comes.

    Args:
        app: what answers.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.sent_bytes = 0
        self.ranges: list[str] = []
        self.stalls_after_bytes: int | None = None
        self.words: tuple[bytes, bytes] | None = None
        self._gone = threading.Event()
        self._server: WebServer | None = WebServer(partial(self._answer, self._gone))
        self._port = self._server.port

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def stop(self) -> None:
        self._gone.set()
        if self._server is not None:
            self._server.stop()
        self._server = None

    def start(self) -> None:
        self.stalls_after_bytes = None
        # Requests to the server of before may still be under way: to them it stays gone.
        self._gone = threading.Event()
        self._server = WebServer(partial(self._answer, self._gone), self._port)

    def say(self, instead_of: str, words: str) -> None:
        """Be of another version from now on, which says something else on its pages."""
        self.words = instead_of.encode(), words.encode()

    def forget(self) -> None:
        """Count from nothing again."""
        self.sent_bytes = 0
        self.ranges.clear()

    def _answer(
        self, gone: threading.Event, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if "/tracks/" in environ["PATH_INFO"] and environ["REQUEST_METHOD"] == "GET":
            self.ranges.append(environ.get("HTTP_RANGE", ""))
            return self._counted(self._app(environ, start_response), gone)
        if self.words is not None and environ["PATH_INFO"].count("/") == 2:
            return self._reworded(environ, start_response)
        return self._app(environ, start_response)

    def _counted(self, parts: Iterable[bytes], gone: threading.Event) -> Iterator[bytes]:
        try:
            for part in parts:
                left = self.stalls_after_bytes
                sent = part if left is None else part[:left]
                if left is not None:
                    self.stalls_after_bytes = left - len(sent)
                self.sent_bytes += len(sent)
                yield sent
                if gone.is_set() or (len(sent) < len(part) and gone.wait(LIMIT_S)):
                    raise ConnectionAbortedError("the connection breaks off here")
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
