"""nginx as a process, in front of a server."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from conftest import find_program
from tests.helpers.waiting import LIMIT_S, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"


def changed(name: str, changes: dict[str, str]) -> str:
    """Return a documented configuration with what is documented replaced by what is here."""
    text = (DEPLOY / name).read_text("utf-8")
    for documented, here in changes.items():
        assert documented in text, documented
        text = text.replace(documented, here)
    return text


def deployed(
    root: Path, behind: str, cache_dir: Path | None = None, more: str = ""
) -> Callable[[int], str]:
    """Return what gives the documented configuration for a port, without https.

    Args:
        root: a directory for nginx's own files.
        behind: host and port of the application.
        cache_dir: of the audio cache; that of an application whose data is in `root` by default.
        more: further directives of the server.
    """
    cache_dir = cache_dir or root / "data" / "cache" / "audio"
    changes = {
        "listen 443 ssl;": "listen 127.0.0.1:{port};" + more,
        "127.0.0.1:5000": behind,
        "/var/lib/mixtape/cache/audio": str(cache_dir),
        "/var/cache/nginx": str(root),
    }
    block = re.sub(r".*(listen \[::\]|ssl_certificate).*\n", "", changed("nginx.conf", changes))
    user = "user root;" if os.geteuid() == 0 else ""  # else nginx's children are nobody
    return lambda port: (
        f"{user} daemon off; pid {root}/nginx.pid; error_log error.log;"
        "events {} http { "
        f"access_log off; {temp_paths(root)} {block.replace('{port}', str(port))} "
        "}"
    )


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
        self.port = free_port()
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
        return is_listening(self.port)


def is_listening(port: int) -> bool:
    """Say whether somebody listens on a port of this machine."""
    with suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


def free_port() -> int:
    """Return a port for a program that cannot choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
