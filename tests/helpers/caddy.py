"""Caddy as a process, in front of a server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Self

from conftest import find_program
from tests.helpers.nginx import changed, free_port, is_listening
from tests.helpers.waiting import LIMIT_S, wait_until


class Caddy:
    """Caddy with the documented configuration, without https, from `with` to its end.

    Args:
        root: a directory for its files, with the data of the application in `data`.
        behind: host and port of the application.
    """

    def __init__(self, root: Path, behind: str) -> None:
        self.port = free_port()
        self._root = root
        self._log = root / "caddy.log"
        changes = {
            "music.example": f"http://127.0.0.1:{self.port}",
            "127.0.0.1:5000": behind,
            "/var/lib/mixtape/cache/audio": str(root / "data" / "cache" / "audio"),
        }
        options = "{\n\tadmin off\n\tauto_https off\n}\n"
        (root / "Caddyfile").write_text(options + changed("Caddyfile", changes))

    def __enter__(self) -> Self:
        program = find_program("caddy")
        assert program is not None
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [program, "run", "--config", self._root / "Caddyfile"],
                env={**os.environ, "HOME": str(self._root), "XDG_DATA_HOME": str(self._root)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._listens, "Caddy to listen")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(LIMIT_S)

    def _listens(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        return is_listening(self.port)
