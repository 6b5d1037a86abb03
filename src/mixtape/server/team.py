"""Several processes that answer together: one that does everything, and helpers for what is stored.

What a server knows of its listeners (progress, encodes, wrong passwords, who may listen to what)
stays with the main process, so none of it has to be shared; each counts the connections that it
has. A helper sends what lies ready. Whatever else a client asks it for, it hands to the main
process: the connection itself, with what has come of the request, so that nothing is relayed. The
main process hands connections to helpers while it is busy.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from audio_cache import TrafficCount

from .answer import NotHereError, Step
from .arrival import Arrival
from .connection import Connection
from .loop import in_seconds
from .worker import ListenerWorker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAIN: Final = 0
# What may be stored; only a play that is stored is answered by a helper in the end.
_STORED: Final = re.compile(
    rb"(?:GET|HEAD) /(?:[^ ?]+/)?(?:play|r|static|audio-cache/static|mixtapes/[^/? ]+/tracks)/"
    rb"[^ ]* HTTP/1\.[01]\r\n"
)
# Of a request: its head, and what came with it.
_MESSAGE_BYTES: Final = 1 << 18
_TELLS_TRAFFIC_EVERY_S: Final = 1.0
_TRIES_AGAIN_IN_S: Final = 0.02
_READY: Final = b"\0"


class Links:
    """The sockets between the main process and its helpers, made before any of them.

    They outlive each single process: what waits in one is read by whoever comes in its place.

    Args:
        helpers: how many helpers there are.
    """

    def __init__(self, helpers: int) -> None:
        kind = socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK
        self._pairs = [socket.socketpair(socket.AF_UNIX, kind) for _ in range(helpers)]
        for end in (end for pair in self._pairs for end in pair):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * _MESSAGE_BYTES)
        self._is_ready, self._ready = os.pipe()

    def of(self, place: int) -> list[socket.socket]:
        """Return the ends that a process has: the main one to each helper, a helper to that."""
        if place == MAIN:
            return [pair[0] for pair in self._pairs]
        return [self._pairs[place - 1][1]]

    def close(self) -> None:
        """Close all of them."""
        for end in (end for pair in self._pairs for end in pair):
            end.close()
        os.close(self._is_ready)
        os.close(self._ready)

    def tell_ready(self) -> None:
        """Let helpers begin, now and for ever."""
        os.write(self._ready, _READY)

    def await_ready(self, seconds: float) -> bool:
        """Wait until the main process has begun; say whether it has."""
        waiting = select.poll()
        waiting.register(self._is_ready, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))


class TeamWorker(ListenerWorker):
    """The worker of a server that has several.

    `links` is set before it is forked, and `place`: MAIN, or that of a helper from 1 on.
    """

    links: Links
    place: int

    def load_wsgi(self) -> None:
        """Load the application; helpers let the main process prepare what they share."""
        while self.place != MAIN and self.alive and not self.links.await_ready(0.5):
            if self.ppid != os.getppid():
                break
        super().load_wsgi()
        state = self.wsgi.extensions["audio_cache"]
        open_answers = self.wsgi.extensions["mixtape"].open_answers
        if self.place == MAIN:
            open_answers.others.append(self._tell_end)
            self.links.tell_ready()
        else:
            state.live.may_make = _refuse
        self._traffic = state.playback.traffic
        self._end_answers: Callable[[str], None] = open_answers.end_here
        self._busy = 0
        self._staying: set[Connection] = set()
        self._turn = 0

    def prepare(self) -> None:
        """Listen to the other processes."""
        super().prepare()
        self._ends = self.links.of(self.place)
        for end in self._ends:
            self._loop.watch(end, select.POLLIN, partial(self._hear, end))
        if self.place != MAIN:
            self._application = stored_only(self._application)
            # What has a body is not for helpers, which therefore receive none.
            self._max_body_bytes = 0
            self._tell_traffic()

    def _answer(self, connection: Connection, arrival: Arrival) -> None:
        may_be_stored = not arrival.length and _STORED.match(arrival.received) is not None
        if self.place != MAIN:
            is_elsewhere = not may_be_stored
        elif connection in self._staying:
            self._staying.discard(connection)
            is_elsewhere = False
        else:
            is_elsewhere = may_be_stored and self._busy > 0 and self.alive
        if is_elsewhere:
            self._hand_over(connection, arrival)
        else:
            super()._answer(connection, arrival)

    def _go_on(self, connection: Connection) -> None:
        self._busy += 1
        super()._go_on(connection)

    def _after(self, connection: Connection, step: Step) -> None:
        self._busy -= 1
        if step is Step.ELSEWHERE:
            assert connection.arrival is not None
            self._hand_over(connection, connection.arrival)
        else:
            super()._after(connection, step)

    def _drop(self, connection: Connection) -> None:
        self._staying.discard(connection)
        super()._drop(connection)

    def _end(self) -> None:
        super()._end()
        if self.place != MAIN:
            self._tell_traffic()

    # Telling

    def _hand_over(self, connection: Connection, arrival: Arrival) -> None:
        """Give a connection to another process, with what has come of its request."""
        end = self._ends[self._turn % len(self._ends)]
        said = {"client": connection.client, "server": connection.server}
        if self._send(end, "connection", said, arrival.received, connection.socket):
            self._turn += 1
            connection.answer = None
            self._drop(connection)
        else:
            again = partial(self._hand_over, connection, arrival)
            connection.call_off()
            self._loop.unwatch(connection.socket)
            connection.timer = self._loop.at(in_seconds(_TRIES_AGAIN_IN_S), again)

    def _tell_end(self, slug: str) -> None:
        """Have helpers end the answers of a mixtape; from any thread."""
        for end in self._ends:
            self._loop.tell(partial(self._insist, end, "end", slug))

    def _tell_traffic(self) -> None:
        count = self._traffic.take()
        if count != TrafficCount() and not self._send(self._ends[0], "traffic", asdict(count)):
            self._traffic.add(count)
        self._loop.at(in_seconds(_TELLS_TRAFFIC_EVERY_S), self._tell_traffic)

    def _insist(self, end: socket.socket, kind: str, said: Any) -> None:
        """Say something, if need be later."""
        if not self._send(end, kind, said):
            again = partial(self._insist, end, kind, said)
            self._loop.at(in_seconds(_TRIES_AGAIN_IN_S), again)

    def _send(
        self,
        end: socket.socket,
        kind: str,
        said: Any,
        received: bytes = b"",
        with_socket: socket.socket | None = None,
    ) -> bool:
        """Say something to another process; say whether there was room for it."""
        words = json.dumps([kind, said]).encode() + b"\n"
        handles = [] if with_socket is None else [with_socket.fileno()]
        try:
            socket.send_fds(end, [words, received], handles)
        except BlockingIOError:
            return False
        return True

    # Hearing

    def _hear(self, end: socket.socket) -> None:
        try:
            message, handles, _, _ = socket.recv_fds(end, _MESSAGE_BYTES, 1)
        except BlockingIOError:
            return
        words, _, received = message.partition(b"\n")
        kind, said = json.loads(words)
        if kind == "traffic":
            self._traffic.add(TrafficCount(**said))
        elif kind == "end":
            self._end_answers(said)
        elif handles:
            # Without, there was no descriptor left for it, and the kernel has closed it.
            client, server = (_address(said[name]) for name in ("client", "server"))
            self._take_over(socket.socket(fileno=handles[0]), client, server, received)

    def _take_over(
        self, client_socket: socket.socket, client: Any, server: Any, got: bytes
    ) -> None:
        connection = self._let_in(client_socket, client, server)
        if connection is None:
            return
        if self.place == MAIN:
            self._staying.add(connection)
        self._begin(connection, got)


def stored_only(application: WSGIApplication) -> WSGIApplication:
    """Return an application that gives good answers alone, and else raises NotHereError.

    Refusals are counted by the main process.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            if status >= "4":
                _refuse()
            return start_response(status, headers, *error)

        return application(environ, start)

    return answer


def _refuse() -> None:
    raise NotHereError


def _address(said: Any) -> Any:
    return tuple(said) if isinstance(said, list) else said
