"""The gunicorn worker: threads for requests that are whole, and one that waits for all others.

A client who is slow to ask, slow to read or waits for news costs a connection and no thread: one
thread watches all of those, receives what they send, and gives a request to the pool when it is
whole. A thread of the pool goes on with an answer until it would have to wait for its client.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Any, Final

from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from audio_cache import AudioCacheError

from ..web.crowd import Crowd
from .answer import Answer, Step
from .arrival import Arrival, Stage
from .connection import Connection, refusal_of, take_what_is_there
from .loop import Loop, in_seconds

# gunicorn's own limit, after which it kills, has to be a few seconds longer.
ENDS_WITHIN_S: Final = 3
# From the first byte of a request to the end of its head, and as long again for a body and the
# time that the body takes at the slowest that is accepted.
ARRIVES_WITHIN_S: Final = 10.0
_SLOWEST_BYTES_PER_S: Final = 1 << 15
# What bodies of all requests together may take on the disk while they are received.
_MOST_STORED_BYTES: Final = 1 << 28
_LINGER_S: Final = 2.0
# Of those that only linger: where more come, the oldest are closed at once.
_MOST_LINGERING: Final = 128
# Of a body that nobody waited for, as its sender has to come to read why.
_DRAIN_BYTES: Final = 1 << 24
_RECEIVE_BYTES: Final = 1 << 16
# Others have a turn after so many.
_AT_ONCE: Final = 16
# No descriptors, or no memory for one more connection.
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class ListenerWorker(Worker):  # type: ignore[misc]
    """A worker for answers that take as long as a piece of music.

    On SIGTERM it stops accepting, ends progress streams, and gives answers a few seconds to
    finish; then it ends the encoders, whose partial files stay for the next start.
    """

    def init_process(self) -> None:
        """Prepare what a process has for itself, and serve."""
        self._loop = Loop(self.log)
        self._pool = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="request")
        self._connections: set[Connection] = set()
        # In the order in which they began to wait, so the first one has had the longest time.
        self._receiving: dict[Connection, None] = {}
        self._unread: dict[Connection, None] = {}
        self._lingering: dict[Connection, None] = {}
        self._is_accepting = False
        self._accepts_at = 0.0
        super().init_process()

    def handle_exit(self, number: int, frame: FrameType | None) -> None:
        """Begin to end: progress streams would else last until their next keepalive."""
        super().handle_exit(number, frame)
        if self.booted:
            self.wsgi.extensions["audio_cache"].tracker.close()

    def run(self) -> None:
        """Serve, and leave nothing running when that is over."""
        status: Any = 0
        try:
            self._serve()
        except SystemExit as ending:
            status = ending.code or 0
        finally:
            try:
                self.wsgi.extensions["mixtape"].close()
            finally:
                self.wsgi.extensions["audio_cache"].shut_down()
        # Python would now wait for threads whose encoders have not begun yet.
        self.tmp.close()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    def prepare(self) -> None:
        """Get ready to serve an application that is loaded."""
        self._application: Callable[..., Iterable[bytes]] = self.wsgi
        config = self.wsgi.config
        self._max_body_bytes = config.get("MAX_CONTENT_LENGTH") or sys.maxsize
        is_behind_proxies = config.get("TRUSTED_PROXIES", 0) > 0
        self._crowd = Crowd(config.get("CONNECTIONS_PER_ADDRESS", 0), is_behind_proxies, self.log)
        self._loop.watch_pipe(self.PIPE[0])  # which signals write into

    def _serve(self) -> None:
        self.prepare()
        while self.alive:
            self.notify()
            self._accept_or_not()
            self._loop.turn()
            if self.ppid != os.getppid():
                self.log.info("the parent process is gone, so this one ends")
                break
        self._end()

    def _end(self) -> None:
        """Accept nobody any more, and see off who is there."""
        self._accept_or_not()
        for connection in list(self._receiving):
            # A request may be on its way; nothing else is waited for.
            if connection.stage is Stage.NOTHING:
                self._due(connection, 1.0, self._drop)
        ends_at = in_seconds(ENDS_WITHIN_S)
        while self._connections and time.monotonic() < ends_at:
            self.notify()
            self._loop.turn()
        self._pool.shutdown(wait=False)
        for listener in self.sockets:
            listener.close()

    # Accepting

    def _accept_or_not(self) -> None:
        may_accept = self.alive and self._may_have_room() and time.monotonic() >= self._accepts_at
        if may_accept == self._is_accepting:
            return
        self._is_accepting = may_accept
        for listener in self.sockets:
            if may_accept:
                listener.setblocking(False)
                call = partial(self._accept, listener)
                self._loop.watch(listener, selectors.EVENT_READ, call)
            else:
                self._loop.unwatch(listener)

    def _is_full(self) -> bool:
        """Say whether all places are taken; those who were answered and only linger have none."""
        most: int = self.cfg.worker_connections
        return len(self._connections) - len(self._lingering) >= most

    def _may_have_room(self) -> bool:
        return not self._is_full() or bool(self._receiving or self._unread)

    def _end_idlest(self, *, with_lingering: bool = False) -> bool:
        """End the connection that has waited the longest; say whether there was one."""
        lingering = self._lingering if with_lingering else {}
        for waiting in (lingering, self._receiving, self._unread):
            for connection in waiting:
                self._drop(connection)
                return True
        return False

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            if not self._may_have_room():
                return
            try:
                client_socket, client = listener.accept()
            except OSError as error:
                if error.errno in _EXHAUSTED and not self._end_idlest(with_lingering=True):
                    self.log.warning("no connection can be accepted: %s", error)
                    self._accepts_at = in_seconds(0.5)
                return
            connection = self._let_in(client_socket, client, listener.getsockname())
            if connection is not None:
                self._begin(connection, b"")

    def _let_in(self, client_socket: socket.socket, client: Any, server: Any) -> Connection | None:
        """Give a client a place; None where its address has all that it may have."""
        client_socket.setblocking(False)
        left = self._crowd.enter(client[0] if isinstance(client, tuple) else "")
        connection = Connection(client_socket, client, server, left or (lambda: None))
        if left is None:
            self._connections.add(connection)
            self._refuse(connection, 429)
            return None
        if self._is_full():
            self._end_idlest()
        self._connections.add(connection)
        return connection

    def _begin(self, connection: Connection, received: bytes) -> None:
        self._expect(connection, received, ARRIVES_WITHIN_S)
        self._receive(connection)

    # Receiving

    def _expect(self, connection: Connection, received: bytes, within_s: float) -> None:
        """Begin to receive a request."""
        connection.answer = None
        connection.arrival = Arrival(self._max_body_bytes, received)
        connection.stage = Stage.NOTHING
        self._receiving[connection] = None
        self._due(connection, within_s, self._is_late)

    def _receive(self, connection: Connection) -> None:
        arrival = connection.arrival
        assert arrival is not None
        if not take_what_is_there(connection.socket, arrival):
            self._drop(connection)
            return
        if arrival.stage is not connection.stage:
            self._has_come_further(connection, arrival)
        if arrival.stage is Stage.WHOLE:
            if arrival.refusal:
                self._refuse(connection, arrival.refusal)
            else:
                self._answer(connection, arrival)
            return
        if arrival.take_consent():
            connection.socket.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._watch(connection, selectors.EVENT_READ, self._receive)
        if arrival.stored_bytes:
            self._keep_stored_small()

    def _has_come_further(self, connection: Connection, arrival: Arrival) -> None:
        """Set when the rest has to be there, which what comes meanwhile does not move."""
        connection.stage = arrival.stage
        within_s = ARRIVES_WITHIN_S
        if arrival.stage is Stage.BODY:
            within_s += arrival.length / _SLOWEST_BYTES_PER_S
        self._due(connection, within_s, self._is_late)

    def _keep_stored_small(self) -> None:
        """End requests whose bodies are on the disk, until the rest is little enough.

        Of the address that has the most of them the oldest go first.
        """
        stored: dict[str, dict[Connection, int]] = {}
        for connection in self._receiving:
            if connection.arrival is not None and connection.arrival.stored_bytes:
                of_address = stored.setdefault(connection.address, {})
                of_address[connection] = connection.arrival.stored_bytes
        while sum(sum(sizes.values()) for sizes in stored.values()) > _MOST_STORED_BYTES:
            most = max(stored.values(), key=lambda sizes: sum(sizes.values()))
            oldest = next(iter(most))
            del most[oldest]
            self._drop(oldest)

    def _is_late(self, connection: Connection) -> None:
        if connection.stage is Stage.NOTHING:
            self._drop(connection)
        else:
            self._refuse(connection, 408)

    # Answering

    def _answer(self, connection: Connection, arrival: Arrival) -> None:
        """Give a request that is whole to a thread."""
        self._receiving.pop(connection, None)
        connection.answer = Answer(
            self._application,
            arrival,
            connection.socket,
            (connection.client, connection.server),
            self,
            is_last=not self.alive,
        )
        self._go_on(connection)

    def _go_on(self, connection: Connection) -> None:
        self._unread.pop(connection, None)
        self._loop.unwatch(connection.socket)
        connection.call_off()
        self._pool.submit(self._step, connection)

    def _step(self, connection: Connection) -> None:
        """Go on with an answer; in a thread of the pool."""
        assert connection.answer is not None
        try:
            step = connection.answer.step()
        except AudioCacheError as error:
            # A source that turned out to be damaged, say; what it was is said here and once.
            self.log.warning("an answer broke off: %s", error)
            step = Step.CLOSE
        except BaseException:
            self.log.exception("an answer broke off")
            step = Step.CLOSE
        self._loop.tell(partial(self._after, connection, step))

    def _after(self, connection: Connection, step: Step) -> None:
        if step is Step.READ:
            self._unread[connection] = None
            self._watch(connection, selectors.EVENT_WRITE, self._go_on)
        elif step is Step.NEWS:
            self._await_news(connection)
        elif step is Step.KEEP and self.alive:
            assert connection.arrival is not None
            self._expect(connection, connection.arrival.rest(), self.cfg.keepalive)
            self._receive(connection)
        else:
            connection.answer = connection.arrival = None
            self._linger(connection)

    def _await_news(self, connection: Connection) -> None:
        assert connection.answer is not None
        patient = connection.answer.patient
        assert patient is not None
        self._watch(connection, selectors.EVENT_READ, self._says_something)
        self._due(connection, patient.due_in_s(), self._go_on)
        timer = connection.timer

        def go_on() -> None:
            if connection.timer is timer:  # else it was gone on with already, or closed
                self._go_on(connection)

        patient.call_when_due(partial(self._loop.tell, go_on))

    def _says_something(self, connection: Connection) -> None:
        """Find out whether a client that waits for news has left."""
        try:
            has_left = not connection.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            has_left = True
        if has_left:
            self._drop(connection)
        else:
            self._loop.unwatch(connection.socket)  # its next request, which can wait

    # Ending

    def _refuse(self, connection: Connection, status: int) -> None:
        """Answer a request that no thread is given to."""
        with contextlib.suppress(OSError):
            connection.socket.send(refusal_of(status))
        self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        """Close a connection as RFC 9112 section 9.6 says, so that no reset destroys an answer."""
        self._receiving.pop(connection, None)
        connection.left()
        try:
            connection.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(connection)
            return
        self._lingering[connection] = None
        if len(self._lingering) > _MOST_LINGERING:
            self._drop(next(iter(self._lingering)))
        self._due(connection, _LINGER_S, self._drop)
        self._watch(connection, selectors.EVENT_READ, self._drain)

    def _drain(self, connection: Connection) -> None:
        try:
            data = connection.socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.drained += len(data)
        if not data or connection.drained > _DRAIN_BYTES:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        """Close a connection that no thread is busy with."""
        self._receiving.pop(connection, None)
        self._unread.pop(connection, None)
        self._lingering.pop(connection, None)
        self._connections.discard(connection)
        self._loop.unwatch(connection.socket)
        connection.call_off()
        connection.left()
        connection.socket.close()
        if connection.answer is not None:
            # Ending what the application does may take it a while.
            self._pool.submit(connection.answer.close)
        elif connection.arrival is not None:
            connection.arrival.close()

    # Waiting

    def _watch(
        self, connection: Connection, events: int, call: Callable[[Connection], None]
    ) -> None:
        self._loop.watch(connection.socket, events, partial(call, connection))

    def _due(
        self, connection: Connection, within_s: float, call: Callable[[Connection], None]
    ) -> None:
        """Have something done after a while, in place of what was to be done at some time."""
        connection.call_off()
        connection.timer = self._loop.at(in_seconds(within_s), partial(call, connection))
