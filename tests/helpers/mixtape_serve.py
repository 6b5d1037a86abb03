"""`mixtape serve` as a process."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

import mixtape
from tests.helpers.waiting import LIMIT_S

SOURCE = Path(mixtape.__file__).parents[1]
_LISTENS = re.compile(r"Mixtape is playing at (http://\S+) – library: ")


class MixtapeServe:
    """The server as people run it; after a first start it keeps the port that it was given.

    Args:
        music: the library.
        data: where its data is.
        program: how the command `mixtape` is started.
        environment: more settings, such as PASSWORD.
    """

    def __init__(
        self,
        music: Path,
        data: Path,
        program: tuple[str, ...] = (sys.executable, "-m", "mixtape"),
        **environment: str,
    ) -> None:
        self._program = program
        given = {"MUSIC_ROOT": str(music), "DATA_ROOT": str(data), "PORT": "0"}
        # What changes is found by those who look; a test of the watch switches it on.
        given["AUDIO_CACHE_WATCH"] = "off"
        # Helpers take as long to start as all else; tests of several processes have them.
        given["WORKERS"] = "1"
        self._environment = {**os.environ, "PYTHONPATH": str(SOURCE), **given, **environment}
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start, and return when it listens."""
        # A file, since nobody empties a pipe while the server runs.
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*self._program, "serve"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout is not None
        # Not select.select, which takes no descriptor above 1,023.
        waiting = select.poll()
        waiting.register(self.process.stdout, select.POLLIN)
        assert waiting.poll(LIMIT_S * 1000), "the server said nothing"
        line = self.process.stdout.readline()
        found = _LISTENS.search(line)
        assert found is not None, line
        self.address = found[1]
        self._environment["PORT"] = self.address.rpartition(":")[2]

    def stop(self) -> str:
        """End it as an update or a reboot does, and return what it wrote."""
        self.process.terminate()
        return self.finish()

    def finish(self) -> str:
        """Wait for its end and return what it wrote."""
        output, _ = self.process.communicate(timeout=LIMIT_S)
        with self._log as log:
            log.seek(0)
            return output + log.read()

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=LIMIT_S)
        self._log.close()
