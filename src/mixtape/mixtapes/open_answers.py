"""The answers to listeners that are being sent, so that a closed mixtape falls silent at once."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from audio_cache.flask_ext import connection_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class OpenAnswers:
    """Knows the connections on which a mixtape's tracks are sent, and can end them.

    A connection is shut down, since that also ends what the kernel sends by itself (sendfile) and
    costs nothing for each piece. It needs a server that exposes its socket (gunicorn, Werkzeug).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: defaultdict[str, list[Any]] = defaultdict(list)
        self._ends = 0
        # Told of each end: the other processes of a server, and other nodes.
        self.others: list[Callable[[str], None]] = []

    @property
    def ends(self) -> int:
        """Return how often `end` was called: what was allowed before may not be so after it."""
        return self._ends

    def count(self, slug: str) -> int:
        """Return how many answers of a mixtape are being sent."""
        with self._lock:
            return len(self._connections.get(slug, ()))

    def add(self, slug: str, environ: WSGIEnvironment, response: Response) -> None:
        """Remember the connection of an answer until its body is closed.

        Args:
            slug: of the mixtape.
            environ: of the request.
            response: the answer, whose body is replaced by one that also tells us of its end.
        """
        connection = connection_of(environ)
        body: Any = response.response
        if connection is None or isinstance(body, list | tuple):
            return  # what is in memory is sent before anybody could end it
        with self._lock:
            self._connections[slug].append(connection)

        def forget() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._connections[slug].remove(connection)
                if not self._connections[slug]:
                    del self._connections[slug]

        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            # Servers know by the class what they can send with sendfile.
            ending = contextlib.ExitStack()
            ending.callback(forget)
            ending.callback(body.close)  # type: ignore[attr-defined]
            body.close = ending.close  # type: ignore[attr-defined]
        else:
            response.response = ClosingIterator(body, forget)

    def end(self, slug: str) -> None:
        """End all answers of a mixtape; their listeners find the connection closed."""
        self.end_here(slug)
        for tell in self.others:
            tell(slug)

    def end_here(self, slug: str) -> None:
        """End all answers of a mixtape that this process sends."""
        with self._lock:
            self._ends += 1
            # Under the lock: a connection whose answer has ended may be in use for another one.
            for connection in self._connections.get(slug, ()):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
