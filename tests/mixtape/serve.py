"""The command `mixtape serve`, run as a process of its own."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from pathlib import Path

import mixtape

SOURCE = Path(mixtape.__file__).parents[1]
LIMIT_S = 60


class Server:
    """`mixtape serve` as a process of its own, on a free port."""

    def __init__(
        self,
        root: Path,
        program: tuple[str, ...] = (sys.executable, "-m", "mixtape"),
        **environment: str,
    ) -> None:
        (root / "music").mkdir(exist_ok=True)
        given = {"MUSIC_ROOT": str(root / "music"), "DATA_ROOT": str(root / "data"), "PORT": "0"}
        self.process = subprocess.Popen(
            [*program, "serve"],
            env={**os.environ, "PYTHONPATH": str(SOURCE), **given, **environment},
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_address(self) -> str:
        """Return the address that the server prints when it listens."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT_S)
        assert ready, "the server said nothing"
        line = self.process.stdout.readline()
        found = re.search(r"Mixtape is playing at (http://\S+) – library: ", line)
        assert found is not None, line
        return found[1]

    def finish(self) -> str:
        """Wait for the end and return what the server wrote."""
        output, _ = self.process.communicate(timeout=LIMIT_S)
        return output

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=LIMIT_S)
