"""Many listeners in one thread, each reading at the speed of its music and checking every byte."""

from __future__ import annotations

import heapq
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .client import make_request, parse_head

_LOOK_EVERY_S = 0.25
# A player reads ahead, but the server must feel a slow reader, not fill the kernel's buffers.
_RECEIVE_BUFFER_BYTES = 16 << 10


@dataclass(frozen=True)
class Wish:
    """What one listener wants to hear: the bytes [start, stop) of a URL, and what they must be.

    Args:
        listener: who it is; a server may tell listeners apart.
        rendition: a file that holds the same bytes at the same places.
        original: the same for the answer that a server gives which cannot encode at the moment.
    """

    listener: str
    url: str
    start: int
    stop: int
    rendition: Path
    original: Path


class Listener:
    """One connection that reads a stretch of a track at a steady speed."""

    def __init__(self, port: int, wish: Wish, bytes_per_s: int) -> None:
        self.wish = wish
        self.error = ""
        self.headers_s = 0.0
        self.got_original = False
        self.worst_lag_s = 0.0
        self._speed = bytes_per_s
        self._at = wish.start
        self._head = b""
        self._reference = -1
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self._began = time.monotonic()
        self._socket.connect(("127.0.0.1", port))
        span = (wish.start, wish.stop)
        self._socket.sendall(make_request(wish.url, span, agent=wish.listener))
        self._socket.setblocking(False)

    @property
    def is_done(self) -> bool:
        """Say whether everything was heard, or something wrong."""
        return bool(self.error) or self._at == self.wish.stop

    def listen(self) -> None:
        """Read what the music has come to by now, as far as it is there."""
        now = time.monotonic()
        due = self.wish.start + int((now - self._began) * self._speed)
        due = min(self.wish.stop, max(due, self._at + 1))
        try:
            while not self.is_done and self._at < due:
                data = self._socket.recv(due - self._at if self.headers_s else 2048)
                if not data:
                    self.error = f"the answer ended at byte {self._at} of {self.wish.stop}"
                    break
                self._take(data, now)
        except BlockingIOError:
            if self.headers_s:
                self.worst_lag_s = max(self.worst_lag_s, (due - self._at) / self._speed)
        except OSError as error:
            self.error = str(error)
        if self.is_done:
            self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
        if self._reference >= 0:
            os.close(self._reference)
            self._reference = -1

    def _take(self, data: bytes, now: float) -> None:
        if not self.headers_s:
            self._head += data
            head, separator, data = self._head.partition(b"\r\n\r\n")
            if not separator:
                return
            self.headers_s = now - self._began
            status, headers = parse_head(head)
            if status != 206 or headers["content-length"] != str(self.wish.stop - self.wish.start):
                self.error = f"the answer was {status} with {headers}"
                return
            self.got_original = "quality=original" in headers["audio-cache-rendition"]
            expected = self.wish.original if self.got_original else self.wish.rendition
            self._reference = os.open(expected, os.O_RDONLY)
        if data != os.pread(self._reference, len(data), self._at):
            self.error = f"a byte behind {self._at} is not the one that it must be"
        self._at += len(data)


class Crowd:
    """Listeners that come one after the other and stay until they have heard what they wanted."""

    def __init__(self, port: int, wishes: Sequence[Wish], bytes_per_s: int) -> None:
        self._port = port
        self._wishes = wishes
        self._speed = bytes_per_s
        self.listeners: list[Listener] = []

    def listen(self, arrivals_s: float, limit_s: float, look: Callable[[], None]) -> None:
        """Let all come within some seconds and listen; what is not heard by the limit is an error.

        Args:
            arrivals_s: the seconds over which they come.
            limit_s: when the last one must have heard all.
            look: called about once a second.
        """
        began = time.monotonic()
        # (when, number of the listener); the number of a listener that is still to come is as good.
        due = [(began + arrivals_s * n / len(self._wishes), n) for n in range(len(self._wishes))]
        next_look = began
        while due and time.monotonic() < began + limit_s:
            when, number = heapq.heappop(due)
            time.sleep(max(0.0, when - time.monotonic()))
            if number == len(self.listeners):
                self.listeners.append(Listener(self._port, self._wishes[number], self._speed))
            listener = self.listeners[number]
            listener.listen()
            if not listener.is_done:
                heapq.heappush(due, (max(when, time.monotonic()) + _LOOK_EVERY_S, number))
            if time.monotonic() >= next_look:
                look()
                next_look = time.monotonic() + 1.0
        for listener in self.listeners:
            if not listener.is_done:
                listener.error = "it was not done in time"
            listener.close()


class Streams:
    """Progress streams that are open and have nothing to tell."""

    def __init__(self, port: int, urls: Sequence[str]) -> None:
        self._sockets = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in urls]
        for each, url in zip(self._sockets, urls, strict=True):
            each.sendall(make_request(url))

    def count_alive(self) -> int:
        """Return how many have begun with the event `connected` and are open still."""
        return sum(_is_alive(each) for each in self._sockets)

    def close(self) -> None:
        """Hang up."""
        for each in self._sockets:
            each.close()


def _is_alive(stream: socket.socket) -> bool:
    stream.settimeout(5)
    received = b""
    try:
        while b'"connected"' not in received:
            data = stream.recv(4096)
            if not data:
                return False
            received += data
    except OSError:
        return False
    poll = select.poll()
    poll.register(stream, select.POLLRDHUP)
    return received.startswith(b"HTTP/1.1 200 ") and not poll.poll(0)


def time_headers(port: int, url: str, seconds: float, every_s: float) -> list[float]:
    """Return the milliseconds from connecting to the headers, for one new request after another."""
    times_ms = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(make_request(url, (0, 1024)))
            received = b""
            while b"\r\n\r\n" not in received:
                data = connection.recv(4096)
                if not data:
                    raise ConnectionError("the server hung up")
                received += data
        times_ms.append((time.monotonic() - began) * 1000)
        if not received.startswith(b"HTTP/1.1 206 "):
            raise RuntimeError(f"the server answered {received[:200]!r}")
        time.sleep(max(0.0, every_s - (time.monotonic() - began)))
    return times_ms
