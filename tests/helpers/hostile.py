"""Clients who take from a server what they can by being slow, from loopback."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

DRIP_EVERY_S = 2.0
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True)
class Kind:
    """One way to be slow.

    Args:
        name: what it does.
        begins: what is sent at once.
        drips: what is sent again and again, a byte at a time; nothing where empty.
        reads: whether answers are read.
    """

    name: str
    begins: bytes
    drips: bytes = b""
    reads: bool = True


def kinds(track: str, stream: str) -> tuple[Kind, ...]:
    """Return every kind, given the paths of an answer of megabytes and of a progress stream."""
    return (
        Kind("heads", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"a"),
        Kind("bodies", b"POST /login HTTP/1.1\r\nHost: l\r\nContent-Length: 9999\r\n\r\n", b"a"),
        Kind("unread", f"GET {track} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), reads=False),
        Kind("streams", f"GET {stream} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()),
    )


@dataclass
class Hostile:
    """So many slow clients, who come again whenever they are shown out.

    Args:
        port: of the server.
        kind: what they do.
        count: how many there are.
    """

    port: int
    kind: Kind
    count: int
    sockets: list[socket.socket] = field(default_factory=list)
    ended: int = 0

    def __enter__(self) -> Self:
        for _ in range(self.count):
            self.sockets.append(self._connect())
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.sockets:
            each.close()

    def go_on(self, seconds: float, is_over: Callable[[], bool] = lambda: False) -> None:
        """Be slow for some seconds."""
        end, next_drip = time.monotonic() + seconds, 0.0
        while time.monotonic() < end and not is_over():
            time.sleep(_LOOK_EVERY_S)
            self._come_again()
            if self.kind.drips and time.monotonic() >= next_drip:
                next_drip = time.monotonic() + DRIP_EVERY_S
                for each in self.sockets:
                    with contextlib.suppress(OSError):
                        each.send(self.kind.drips)

    def _come_again(self) -> None:
        poll = select.poll()
        by_fd = {each.fileno(): number for number, each in enumerate(self.sockets)}
        for fd in by_fd:
            poll.register(fd, select.POLLRDHUP | (select.POLLIN if self.kind.reads else 0))
        for fd, events in poll.poll(0):
            number = by_fd[fd]
            if not (events & ~select.POLLIN):
                with contextlib.suppress(OSError):
                    if self.sockets[number].recv(65536):
                        continue
            self.sockets[number].close()
            self.sockets[number] = self._connect()
            self.ended += 1

    def _connect(self) -> socket.socket:
        each = socket.socket()
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        each.settimeout(60)
        each.connect(("127.0.0.1", self.port))
        each.setblocking(False)
        each.send(self.kind.begins)
        return each


def be_hostile(port: int, kind: Kind, count: int, seconds: float) -> int:
    """Be slow in a process of one's own; return how often one was shown out."""
    with Hostile(port, kind, count) as clients:
        clients.go_on(seconds)
        return clients.ended
