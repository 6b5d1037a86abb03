"""A gunicorn of one process and many threads, as people run it, for the time of a benchmark."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from audio_cache import AudioCache, QualityLevel
from audio_cache.serving.addresses import Signer, read_key

from .client import Connection
from .music import work_folder

_READY_WITHIN_S = 30.0
_CACHED_WITHIN_S = 120.0
_SIGNED_FOR_S = 86_400


class Server:
    """The site of `benchmarks.site` on a port of its own, with an empty cache.

    Args:
        music_root: what it serves.
        threads: how many requests it answers at the same time.
        settings: environment variables for it, such as AUDIO_CACHE_MAX_LIVE.
    """

    def __init__(
        self, music_root: Path, *, threads: int = 32, settings: dict[str, str] | None = None
    ) -> None:
        self.data_root = Path(tempfile.mkdtemp(prefix="server-", dir=work_folder()))
        self.cache_dir = self.data_root / "cache"
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            self.port = int(listener.getsockname()[1])
            descriptor = listener.fileno()
            self._process = subprocess.Popen(
                _gunicorn(descriptor, threads),
                env={**os.environ, **self._environment(music_root), **(settings or {})},
                pass_fds=[descriptor],
                stdin=subprocess.DEVNULL,
            )

    def _environment(self, music_root: Path) -> dict[str, str]:
        root = Path(__file__).parents[1]
        return {
            "BENCH_MUSIC_ROOT": str(music_root),
            "BENCH_DATA_ROOT": str(self.data_root),
            "AUDIO_CACHE_DIR": str(self.cache_dir),
            "PYTHONPATH": os.pathsep.join((str(root / "src"), str(root))),
        }

    def __enter__(self) -> Self:
        deadline = time.monotonic() + _READY_WITHIN_S
        # The socket listens before gunicorn does, so the first request waits instead of failing.
        with Connection(self.port, timeout_s=deadline - time.monotonic()) as connection:
            if connection.get("/small").status != 200:
                raise SystemExit("the server for the benchmarks does not answer")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.data_root, ignore_errors=True)

    def permanent_address(self, source: Path, quality: QualityLevel) -> str:
        """Return the permanent address of a rendition that is cached."""
        cache = AudioCache(self.cache_dir)
        object_id = cache.identify(source, quality).id
        cache.close()
        signer = Signer.of_secret(read_key(self.cache_dir))
        expires_at_s = int(time.time()) + _SIGNED_FOR_S
        signature = signer.sign(object_id, expires_at_s, shared=False)
        return f"/r/{object_id}.mp3?e={expires_at_s}&s={signature}"

    @property
    def worker_pid(self) -> int:
        """Return the process that answers; gunicorn's master only watches it."""
        return children_of(self._process.pid)[0]

    def pids(self) -> list[int]:
        """Return the processes of the server itself; encoders are started by them."""
        return [self._process.pid, *children_of(self._process.pid)]

    def memory_bytes(self) -> int:
        """Return the resident memory of the process that answers."""
        for line in Path(f"/proc/{self.worker_pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the kernel does not tell the memory of a process")

    def warm(self, path: str) -> int:
        """Have a track encoded and wait until it is cached; return the length of what is served."""
        deadline = time.monotonic() + _CACHED_WITHIN_S
        with Connection(self.port, timeout_s=_CACHED_WITHIN_S) as connection:
            length = len(connection.get(path).body)
            while not connection.get(path, (0, 1)).headers["cache-status"].endswith("; hit"):
                if time.monotonic() > deadline:
                    raise SystemExit(f"{path} was to be cached within {_CACHED_WITHIN_S:.0f} s")
                time.sleep(0.02)
        return length

    def encoders(self) -> int:
        """Return how many ffmpegs of the server work now; one on standby has but one thread."""
        return sum(threads_of(pid) > 1 for pid in children_of(self.worker_pid))


def children_of(pid: int) -> list[int]:
    """Return the processes that a process, in whichever of its threads, has started."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children += map(int, (task / "children").read_text().split())
        except FileNotFoundError:
            continue  # a thread that has just ended
    return children


def threads_of(pid: int) -> int:
    """Return how many threads a process has; 0 once it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except FileNotFoundError:
        return 0


def _gunicorn(descriptor: int, threads: int) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{descriptor}"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", str(threads)),
        *("--worker-connections", str(2 * threads + 1024), "--keep-alive", "30"),
        *("--timeout", "0", "--graceful-timeout", "5", "--log-level", "warning"),
        "benchmarks.site:make_site()",
    ]
