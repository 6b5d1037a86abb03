"""gunicorn with the extension as a process, and clients to ask it with."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from flask import Flask

from audio_cache.flask_ext import FlaskAudioCache, get_state
from tests.helpers.waiting import LIMIT_S

ROOT = Path(__file__).parents[2]
_CONFIG = "SERVER_OF_TESTS"


@dataclass(frozen=True)
class Answer:
    """What came back: all of it, or as much as there was before the connection broke."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    is_cut_short: bool = False

    @property
    def cache_status(self) -> str:
        return str(self.headers["Cache-Status"])


class Server:
    """gunicorn with threads, in a process group of its own, on a free port.

    Args:
        root: a directory; `root`/music is served, and `root`/data is where the cache is.
        name: of this server, for its log.
        worker: gunicorn's worker class.
        config: more of the application's configuration, such as AUDIO_CACHE_ON_MISS.
    """

    def __init__(
        self, root: Path, *, name: str = "server", worker: str = "gthread", **config: Any
    ) -> None:
        self.music = root / "music"
        self.music.mkdir(exist_ok=True)
        self.log_path = root / f"{name}.log"
        given = {
            "MUSIC_ROOT": str(self.music),
            "DATA_ROOT": str(root / "data"),
            "AUDIO_CACHE_ON_MISS": "live",
            **{
                key: os.fspath(value) if isinstance(value, Path) else value
                for key, value in config.items()
            },
        }
        self.cache_dir = root / "data" / "cache" / "audio"
        with (
            socket.create_server(("127.0.0.1", 0), backlog=512) as listener,
            self.log_path.open("ab") as log,
        ):
            self.port: int = listener.getsockname()[1]
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "--no-control-socket", "-k", worker),
                    *("--threads", "64", "--bind", f"fd://{listener.fileno()}"),
                    *("--graceful-timeout", "10", "--log-level", "warning"),
                    "tests.helpers.gunicorn:make_app()",
                ],
                env={
                    **os.environ,
                    "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
                    _CONFIG: json.dumps(given),
                },
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        return self.log_path.read_text("utf-8", "replace")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def worker_pid(self) -> int:
        """Return the process that answers."""
        return int(self.inside()["pid"])

    def inside(self) -> dict[str, int]:
        """Return what the server tells of itself: pid, threads, descriptors, encoders, readers."""
        return dict(json.loads(self.ask("/inside").body))

    def play(
        self,
        name: str | bytes,
        quality: str = "low",
        span: str | None = None,
        *,
        method: str = "GET",
        **headers: str,
    ) -> Answer:
        """Ask for a track; names of headers are written with underscores."""
        given = {key.replace("_", "-"): text for key, text in headers.items()}
        if span is not None:
            given["Range"] = f"bytes={span}"
        return self.ask(play_target(name, quality), method=method, headers=given)

    def ask(
        self, target: str, *, method: str = "GET", headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            connection.request(method, target, headers=headers or {})
            response = connection.getresponse()
            try:
                return Answer(response.status, response.headers, response.read())
            except http.client.IncompleteRead as error:
                return Answer(response.status, response.headers, error.partial, is_cut_short=True)
        finally:
            connection.close()

    def open(self, name: str | bytes, quality: str = "low", span: str = "0-") -> socket.socket:
        """Ask for a track and leave the answer unread; close the socket to leave."""
        connection = socket.socket()
        connection.settimeout(LIMIT_S)
        # A small window: a listener who does not read holds up whoever waits for him.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
        connection.connect(("127.0.0.1", self.port))
        head = (
            f"GET {play_target(name, quality)} HTTP/1.1\r\nHost: x\r\nRange: bytes={span}\r\n\r\n"
        )
        connection.sendall(head.encode("ascii"))
        return connection

    def kill(self) -> None:
        """End all of it at once, as a crash does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(LIMIT_S)

    def stop(self) -> int:
        """End it as an operator does; return the exit code."""
        self.process.terminate()
        return self.process.wait(LIMIT_S)


def make_app() -> Flask:
    """Return the application that the server runs; its configuration is in the environment."""
    app = Flask(__name__)
    app.config.update(json.loads(os.environ.pop(_CONFIG)))
    FlaskAudioCache(app)
    # What the worker of the host closes besides.
    app.extensions["mixtape"] = io.BytesIO()

    @app.get("/inside")
    def inside() -> dict[str, int]:
        live = get_state().live
        return {
            "pid": os.getpid(),
            "threads": sum(thread.name == "encoder" for thread in threading.enumerate()),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "encoders": live.busy_encoders,
            "readers": sum(growing.readers for growing in live.growing()),
        }

    @app.get("/small")
    def small() -> str:
        return "small"

    @app.get("/purge")
    def purge() -> str:
        return str(get_state().cache.clear_cache())

    return app


def play_target(name: str | bytes, quality: str = "low") -> str:
    """Return the request target of a track, whatever bytes its name has."""
    return f"/play/{quote_from_bytes(os.fsencode(name))}?quality={quality}"
