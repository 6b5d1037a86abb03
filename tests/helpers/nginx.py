"""nginx as a process, in front of a server."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from conftest import find_program
from tests.helpers.waiting import LIMIT_S, wait_until


def temp_paths(root: Path) -> str:
    """Return the directives that keep nginx's own files in a directory."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"{kind}_temp_path {root}/{kind};" for kind in kinds)


class Nginx:
    """nginx with a configuration, from `with` to its end.

    Args:
        root: a directory for its files.
        configure: returns the configuration for the port that it is to listen on.
    """

    def __init__(self, root: Path, configure: Callable[[int], str]) -> None:
        self.port = _free_port()
        self.log = root / "error.log"
        self._root = root
        self._config = root / "nginx.conf"
        self._config.write_text(configure(self.port))

    def __enter__(self) -> Self:
        program = find_program("nginx")
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-p", self._root, "-c", self._config, "-e", self.log],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._listens, "nginx to listen")
        return self

    def __exit__(self, *_: object) -> None:
        # A kill would leave its workers behind.
        self._process.terminate()
        self._process.wait(LIMIT_S)

    def _listens(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False


def _free_port() -> int:
    """Return a port for a program that cannot choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
