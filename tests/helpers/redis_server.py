"""Redis as a process, with what it holds kept over a restart."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Self

import redis

from tests.helpers.nginx import free_port
from tests.helpers.waiting import LIMIT_S, wait_until

# What it holds is written at once, and read at the next start.
_KEPT = ("--appendonly", "yes", "--save", "")


class RedisServer:
    """A Redis of its own, from `with` to its end.

    Args:
        root: a directory for its files.
        program: redis-server.
        host: the address that it listens on.
    """

    def __init__(self, root: Path, program: str, host: str = "127.0.0.1") -> None:
        self._root = root
        self._program = program
        self._host = host
        self.port = free_port()
        self.url = f"redis://{host}:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and return when it answers."""
        options = ("--port", str(self.port), "--bind", self._host, "--dir", str(self._root))
        self._process = subprocess.Popen(
            [
                self._program,
                *options,
                "--appendonly",
                "yes",
                "--save",
                "",
                "--protected-mode",
                "no",
            ],
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        with redis.Redis(self._host, self.port) as client:
            wait_until(lambda: _answers(client), "Redis")

    def stop(self) -> None:
        """Stop it as an update does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(LIMIT_S)
            self._process = None


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
