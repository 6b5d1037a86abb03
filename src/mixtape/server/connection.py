"""A client, and what is being done for it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Final

from ..web.limits import network_of
from .answer import Answer
from .arrival import Arrival, Stage
from .loop import Timer

_RECEIVE_BYTES: Final = 1 << 16
# Others have a turn after so many.
_AT_ONCE: Final = 16
_REASONS: Final = {
    408: "Request Timeout",
    411: "Length Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
}


class Connection:
    """A client: its request on the way in, or its answer on the way out.

    Args:
        connection: its socket, which does not block.
        client: its address.
        server: the address that it came to.
        left: tells that it has left; may be called more than once.
    """

    def __init__(
        self, connection: socket.socket, client: Any, server: Any, left: Callable[[], None]
    ) -> None:
        self.socket = connection
        self.client = client
        self.server = server
        self.left = left
        self.arrival: Arrival | None = None
        self.answer: Answer | None = None
        self.stage: Stage | None = None
        self.timer: Timer | None = None
        self.drained = 0

    @property
    def address(self) -> str:
        """Return the network that the client is of; "" for a local socket."""
        return network_of(self.client[0]) if isinstance(self.client, tuple) else ""

    def call_off(self) -> None:
        """Let what was to be done at some time not be done."""
        if self.timer is not None:
            self.timer.call_off()
            self.timer = None


def take_what_is_there(client: socket.socket, arrival: Arrival) -> bool:
    """Receive, up to the end of a request; say whether the client is still there."""
    for _ in range(_AT_ONCE):
        if arrival.stage is Stage.WHOLE:
            return True
        try:
            data = client.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        arrival.add(data)
    return True


def refusal_of(status: int) -> bytes:
    """Return the answer to a request that no thread is given to."""
    text = f"{status} {_REASONS[status]}"
    wait = "Retry-After: 10\r\n" if status == 429 else ""
    return (
        f"HTTP/1.1 {text}\r\nConnection: close\r\nContent-Type: text/plain\r\n{wait}"
        f"Content-Length: {len(text) + 1}\r\n\r\n{text}\n"
    ).encode("ascii")
