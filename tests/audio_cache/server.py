"""A real gunicorn with the extension, an ffmpeg that keeps a log, and clients to ask with."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import imageio_ffmpeg
from flask import Flask

from audio_cache.flask_ext import FlaskAudioCache, get_state
from tests.audio import file_url, run_ffmpeg

ROOT = Path(__file__).parents[2]
# Generous, since the machine may be busy; nothing here takes it when all is well.
LIMIT_S = 60.0
_CONFIG = "SERVER_OF_TESTS"
# exec, so that the process that was started is the ffmpeg and can be ended as one. Each line of
# the log holds its process id, how many of those before it still ran when it started, and what it
# was to do.
_LOGGING_FFMPEG = """#!/bin/sh
if [ "$1" != -version ]; then
    running=0
    while read -r other _; do
        [ -r /proc/$other/stat ] && read -r _ _ state _ 2>/dev/null < /proc/$other/stat &&
            [ "$state" != Z ] && [ "$state" != X ] && running=$((running + 1))
    done < {log}
    echo "$$ $running $*" >> {log}
    {before}
    case "$*" in
        *" -ss "* | *start_sample*) ;;
        *) exec {ffmpeg} {options} "$@" ;;
    esac
fi
exec {ffmpeg} "$@"
"""


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


@dataclass(frozen=True)
class Encode:
    """One ffmpeg that was started."""

    pid: int
    others: int
    arguments: str

    @property
    def is_whole(self) -> bool:
        """Say whether it began at the track's start, as only the encode of a file does."""
        return "-ss" not in self.arguments.split() and "start_sample" not in self.arguments

    @property
    def is_running(self) -> bool:
        return is_alive(self.pid)


class LoggingFFmpeg:
    """An ffmpeg that writes down each of its starts.

    Args:
        directory: where it is put.
        speed: limits how fast it makes files from their start, as a multiple of real time; seeks
            and what is gone on with are as fast as they can be. None is no limit.
        before: shell code that runs before each start.
    """

    def __init__(self, directory: Path, *, speed: float | None = None, before: str = ":") -> None:
        self.path = directory / "ffmpeg"
        self._log = directory / "ffmpeg.log"
        self._log.touch()
        # Without the second option a late ffmpeg slows down further, to a crawl.
        options = "" if speed is None else f"-readrate {speed} -readrate_catchup 1000"
        real = imageio_ffmpeg.get_ffmpeg_exe()
        self.path.write_text(
            _LOGGING_FFMPEG.format(log=self._log, before=before, ffmpeg=real, options=options)
        )
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    def encodes(self) -> list[Encode]:
        """Return what was started so far, in order."""
        lines = [line.split(" ", 2) for line in self._log.read_text().splitlines()]
        return [Encode(int(pid), int(others), arguments) for pid, others, arguments in lines]

    def running(self) -> list[Encode]:
        return [encode for encode in self.encodes() if encode.is_running]

    @contextmanager
    def stopped(self, pid: int) -> Iterator[None]:
        """Hold one of its processes for a while."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


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
                    "tests.audio_cache.server:make_app()",
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


def make_noise(
    path: Path,
    samples: int,
    *,
    rate: int = 44100,
    channels: int = 2,
    codec: str = "flac",
    options: tuple[str, ...] = ("-sample_fmt", "s16"),
) -> Path:
    """Write noise that never repeats, of exactly so many samples, faster than `make_audio`."""
    noise = f"anoisesrc=c=pink:a=0.3:r={rate}:seed=7,atrim=end_sample={samples}"
    run_ffmpeg(
        *("-f", "lavfi", "-i", noise, "-ac", str(channels), "-c:a", codec),
        *(*options, "-compression_level", "0", file_url(path)),
    )
    return path


def make_long(path: Path, seconds: int) -> Path:
    """Write a FLAC of 16 bits at 44.1 kHz."""
    return make_noise(path, seconds * 44100)


def is_alive(pid: int) -> bool:
    """Say whether a process runs, one that waits to be reaped not counted."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Return when a condition holds; fail after a generous while."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.01)


def together(*tasks: Callable[[], Any]) -> list[Any]:
    """FFmpegRun functions in threads of their own, all at once, and return what they return."""
    results: list[Any] = [None] * len(tasks)
    errors: list[BaseException] = []
    gate = threading.Barrier(len(tasks))

    def run(index: int) -> None:
        try:
            gate.wait(LIMIT_S)
            results[index] = tasks[index]()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
