"""`audio-cache worker` as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from tests.helpers.hosts import Host
from tests.helpers.mixtape_serve import SOURCE
from tests.helpers.waiting import LIMIT_S, wait_until


class CeleryWorker:
    """A worker of Celery, from `with` to its end, with all processes that it starts.

    Args:
        redis_url: of the site's Redis.
        music: where it has the music; several folders as its setting names them.
        data: where it keeps what it makes.
        name: tells it from others on this machine.
        jobs: how many tracks it encodes at once.
        host: where it runs; here if not given.
        module: which is run; benchmarks have one that encodes nothing.
        environment: more settings.
    """

    def __init__(
        self,
        redis_url: str,
        music: Path | str,
        data: Path,
        name: str = "one",
        jobs: int = 2,
        host: Host | None = None,
        module: str = "audio_cache",
        **environment: str,
    ) -> None:
        given = {
            "PYTHONPATH": os.pathsep.join((str(SOURCE), str(Path(__file__).parents[2]))),
            "MUSIC_ROOT": str(music),
            "DATA_ROOT": str(data),
            "AUDIO_CACHE_REDIS": redis_url,
            "AUDIO_CACHE_ENGINE": "celery",
        }
        self._command = [
            *(sys.executable, "-m", module, "worker"),
            *("--jobs", str(jobs), "--name", f"{name}@test"),
        ]
        if host is not None:
            self._command = host.command(*self._command)
        self._environment = {**os.environ, **given, **environment}
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_until(lambda: " ready." in self.log(), "the worker")
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._log.close()

    @property
    def pid(self) -> int:
        """Return its first process."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """Return what it has written."""
        # Opened anew: the worker writes where whoever shares its descriptor has come to.
        return Path(f"/proc/self/fd/{self._log.fileno()}").read_text()

    def kill(self) -> None:
        """End it and all of its processes at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(LIMIT_S)
            self._process = None

    def stop(self) -> None:
        """Stop it as an update does: it finishes what it is at."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(LIMIT_S)
        self._process = None
