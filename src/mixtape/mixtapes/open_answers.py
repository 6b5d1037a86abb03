"""The answers that are being sent, so that what is closed or removed falls silent at once."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from audio_cache.flask_ext import connection_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_DEVICE: Final = "device "


class OpenAnswers:
    """Knows the connections on which tracks are sent by a link or to a device, and can end them.

    Which of them belong together says a key: the slug of a mixtape's link, or `answers_to`.

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

    def count(self, key: str) -> int:
        """Return how many answers of a key are being sent."""
        with self._lock:
            return len(self._connections.get(key, ()))

    def open_keys(self) -> tuple[str, ...]:
        """Return the keys of which answers are being sent."""
        with self._lock:
            return tuple(self._connections)

    def add(self, key: str, environ: WSGIEnvironment, response: Response) -> None:
        """Remember the connection of an answer until its body is closed.

        Args:
            key: of what ends it.
            environ: of the request.
            response: the answer, whose body is replaced by one that also tells us of its end.
        """
        connection = connection_of(environ)
        body: Any = response.response
        if connection is None or isinstance(body, list | tuple):
            return  # what is in memory is sent before anybody could end it
        with self._lock:
            self._connections[key].append(connection)

        def forget() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._connections[key].remove(connection)
                if not self._connections[key]:
                    del self._connections[key]

        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            # Servers know by the class what they can send with sendfile.
            ending = contextlib.ExitStack()
            ending.callback(forget)
            ending.callback(body.close)  # type: ignore[attr-defined]
            body.close = ending.close  # type: ignore[attr-defined]
        else:
            response.response = ClosingIterator(body, forget)

    def end(self, key: str) -> None:
        """End all answers of a key; their listeners find the connection closed."""
        self.end_here(key)
        for tell in self.others:
            tell(key)

    def end_here(self, key: str) -> None:
        """End all answers of a key that this process sends."""
        with self._lock:
            self._ends += 1
            # Under the lock: a connection whose answer has ended may be in use for another one.
            for connection in self._connections.get(key, ()):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def answers_to(device_id: int) -> str:
    """Return the key of the answers to a device or a link to the library; no slug is like it."""
    return f"{_DEVICE}{device_id}"


def device_of(key: str) -> int | None:
    """Return the device of a key from `answers_to`; None for the slug of a mixtape's link."""
    return int(key.removeprefix(_DEVICE)) if key.startswith(_DEVICE) else None
