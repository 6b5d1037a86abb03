"""The web server: gunicorn with few processes and many threads, started from Python."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import socket
from pathlib import Path
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from audio_cache import FFmpegNotFoundError

from ..app import create_app
from ..services import EXTENSION
from ..settings import Settings, SettingsError
from .team import MAIN, Links, TeamWorker
from .worker import ListenerWorker

BACKLOG: Final = 1024
# The worker ends by itself after ENDS_WITHIN_S; only a hanging one is killed after this.
GRACEFUL_TIMEOUT_S: Final = 10
KEEPALIVE_S: Final = 5
# Of the encoders that it waits for: a pipe, and a file.
_FILES_PER_THREAD: Final = 2
_FILES_BESIDES: Final = 256
# Each takes 70 MB, and four send more than a gigabit.
_MOST_BY_DEFAULT: Final = 4


class MixtapeServer(BaseApplication):  # type: ignore[misc]
    """gunicorn on a socket that is already bound, serving `create_app(settings)`."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        # gunicorn owns the descriptor from here on and closes it.
        self._descriptor = listener.detach()
        self._place = MAIN
        self._links = Links(count_workers(settings) - 1)
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn how to run."""
        for name, value in server_options(self._settings, self._descriptor).items():
            self.cfg.set(name, value)
        self.cfg.set("pre_fork", self._give_place)

    def _give_place(self, arbiter: Any, worker: Any) -> None:
        """Tell a worker what it is for, before it is forked; places of the dead become free."""
        if isinstance(worker, TeamWorker):
            taken = {each.place for each in arbiter.WORKERS.values()}
            worker.place = next(place for place in itertools.count(MAIN) if place not in taken)
            worker.links = self._links
            self._place = worker.place

    def load(self) -> Flask:
        """Return the application; called in the worker, so that no thread is forked."""
        app = create_app(self._settings)
        if self._place == MAIN:
            warm_up(app)
            app.extensions[EXTENSION].start()
        return app


def warm_up(app: Flask) -> None:
    """Have ffmpeg ready for the first listener, or say that there is none to encode anything."""
    try:
        app.extensions["audio_cache"].warm_up()
    except FFmpegNotFoundError as error:
        app.logger.error("nothing can be encoded, so tracks are sent as they are: %s", error)


def server_options(settings: Settings, descriptor: int) -> dict[str, Any]:
    """Return gunicorn's settings for many slow listeners and open progress streams."""
    workers = count_workers(settings)
    options: dict[str, Any] = {
        "bind": [f"fd://{descriptor}"],
        "backlog": BACKLOG,
        "worker_class": ListenerWorker if workers == 1 else TeamWorker,
        "workers": workers,
        "threads": settings.server_threads,
        # Those who wait take no thread.
        "worker_connections": connections_within_limit(settings.server_threads),
        "keepalive": KEEPALIVE_S,
        "timeout": 0,  # a worker full of day-long streams is not a hanging one
        "graceful_timeout": GRACEFUL_TIMEOUT_S,
        "loglevel": "warning",
        "proc_name": "mixtape",
        "control_socket_disable": True,
    }
    if Path("/dev/shm").is_dir():
        options["worker_tmp_dir"] = "/dev/shm"  # a heartbeat file on a busy disk can stall
    return options


def count_workers(settings: Settings) -> int:
    """Return how many processes answer: WORKERS, or one for each core that may be used, up to 4."""
    return settings.workers or min(_MOST_BY_DEFAULT, len(os.sched_getaffinity(0)))


def connections_of(threads: int) -> int:
    """Return how many connections are held at most; where more come, the idlest is ended."""
    return 2 * threads + BACKLOG


def connections_within_limit(threads: int) -> int:
    """Return how many connections are held at most where files and sockets are limited, too.

    What answers need to open has to be left: half of the descriptors, or what a usual server
    takes, and a file for each connection.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return connections_of(threads)
    left = limit - min(_FILES_BESIDES, limit // 2)
    return min(connections_of(threads), max(1, left // 2))


def bind_listener(settings: Settings) -> socket.socket:
    """Return a socket that listens on HOST and PORT.

    Raises:
        SettingsError: the port is taken or may not be used, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    is_dual = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
    address = (settings.host, settings.port)
    try:
        return socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=is_dual)
    except OSError as error:
        raise SettingsError(_why_not(settings, error)) from error


def address_of(settings: Settings, listener: socket.socket) -> str:
    """Return the address that a person types to reach a listening socket."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"


def raise_file_limit(threads: int) -> None:
    """Let the process open as many files as its threads can need, as far as the system allows.

    A listener takes a socket and a file; the usual limit of 1,024 is full at 500.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections_of(threads) + _FILES_PER_THREAD * threads + _FILES_BESIDES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _why_not(settings: Settings, error: OSError) -> str:
    where = f"HOST={settings.host} PORT={settings.port}"
    if error.errno == errno.EADDRINUSE:
        other = settings.port + 1 if settings.port < 65535 else settings.port - 1
        return (
            f"{where} cannot be used: another program listens there. Stop it, or choose another "
            f"port, for example PORT={other} mixtape serve."
        )
    if error.errno == errno.EACCES:
        return f"{where} cannot be used: ports below 1024 need root. Choose a higher PORT."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{where} cannot be used: this machine has no such address. Choose another HOST."
    return f"{where} cannot be used: {os.strerror(error.errno or 0)}."
