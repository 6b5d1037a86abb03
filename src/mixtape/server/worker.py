"""The gunicorn worker: threads for listeners, none of whom may hold up others or the end."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import struct
import sys
import time
from types import FrameType
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

# gunicorn's own limit, after which it kills, has to be a few seconds longer.
ENDS_WITHIN_S: Final = 3
# A client that goes quiet within a request would else hold a thread for as long as it likes.
_QUIET_S: Final = 30
_LINGER_S: Final = 2.0
_DRAIN_BYTES: Final = 1 << 16


class ListenerWorker(ThreadWorker):  # type: ignore[misc]
    """gthread for answers that take as long as a piece of music.

    On SIGTERM it stops accepting, ends progress streams, and gives answers a few seconds to
    finish; then it ends the encoders, whose partial files stay for the next start.
    """

    def handle_exit(self, number: int, frame: FrameType | None) -> None:
        """Begin to end: progress streams would else last until their next keepalive."""
        super().handle_exit(number, frame)
        if self.booted:
            self.wsgi.extensions["audio_cache"].tracker.close()

    def run(self) -> None:
        """Serve, and leave nothing running when that is over."""
        self.cfg.set("graceful_timeout", ENDS_WITHIN_S)
        self.log.error_log.addFilter(_is_news)
        status: Any = 0
        try:
            super().run()
        except SystemExit as ending:
            status = ending.code or 0
        finally:
            try:
                self.wsgi.extensions["mixtape"].close()
            finally:
                self.wsgi.extensions["audio_cache"].shut_down()
        # Python would now wait for threads that send to slow listeners, until gunicorn kills all.
        self.tmp.close()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    def handle(self, conn: TConn) -> Any:
        """Answer a request; where the connection ends with it, end it here.

        gunicorn closes in the thread that accepts, and waits up to two seconds for the listener to
        read what is on its way: every slow one would hold up all new ones.
        """
        with contextlib.suppress(OSError):
            # For what is received only: who listens may pause for hours.
            limit = struct.pack("ll", _QUIET_S, 0)
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        keeps = super().handle(conn)
        if not keeps:
            _close_slowly(conn.sock)
            conn.sock = _Closed()
        return keeps


def _is_news(record: logging.LogRecord) -> bool:
    """Say whether a record is worth a line; that a client went quiet is not, nor its traceback."""
    return record.exc_info is None or not isinstance(record.exc_info[1], BlockingIOError)


class _Closed:
    """What gunicorn may still close when the socket is closed."""

    def setblocking(self, flag: bool) -> None:
        """Do nothing."""

    def shutdown(self, how: int) -> None:
        """Tell gunicorn that the other side is gone, so that it waits for nothing."""
        raise OSError("closed")

    def close(self) -> None:
        """Do nothing."""


def _close_slowly(connection: socket.socket) -> None:
    """Close a connection as RFC 9112 section 9.6 says, so that no reset destroys what was sent."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        deadline = time.monotonic() + _LINGER_S
        left = _DRAIN_BYTES
        while left > 0 and poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            data = connection.recv(4096)
            if not data:
                break
            left -= len(data)
    connection.close()
