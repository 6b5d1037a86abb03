"""Other programs that turn FLAC into MP3 for listeners, for the time of a benchmark."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.waiting import wait_until

from .machine import chosen_ffmpeg
from .music import work_folder

# The newest that was looked at; anything newer may be named differently.
SUPYSONIC = ("supysonic==0.7.9", "gunicorn>=23,<27")
_READY_WITHIN_S = 30.0
_USER = {"u": "bench", "p": "bench-password", "v": "1.15.0", "c": "bench", "f": "json"}
_TRANSCODER = (
    "{ffmpeg} -nostdin -v error -i %srcpath -map 0:a:0 -c:a libmp3lame -b:a %outratek "
    "-ar 44100 -ac 2 -f mp3 -"
)


@contextmanager
def ffmpegfs(music: Path, bitrate: str) -> Iterator[Path | None]:
    """Mount a folder as MP3, with nothing cached; give the folder, None where it is not installed.

    A track `a.flac` is `a.flac.mp3` in it.
    """
    if shutil.which("ffmpegfs") is None or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        yield None
        return
    root = Path(tempfile.mkdtemp(prefix="ffmpegfs-", dir=work_folder()))
    mount, cache = root / "mount", root / "cache"
    mount.mkdir()
    options = f"desttype=mp3,audiobitrate={bitrate.upper()},cachepath={cache}"
    program = subprocess.Popen(
        ["ffmpegfs", "-f", music, mount, "-o", options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: os.path.ismount(mount), "ffmpegfs to start")
        yield mount
    finally:
        subprocess.run(["fusermount", "-u", mount], check=False, capture_output=True)
        program.terminate()
        program.wait()
        shutil.rmtree(root, ignore_errors=True)


class Supysonic:
    """Supysonic under gunicorn, in an environment of its own, over a folder of music.

    Attributes:
        port: where it answers.
        ids: of its tracks, by their paths below the folder.
    """

    def __init__(self, music: Path) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="supysonic-", dir=work_folder()))
        self._bin = _installed(work_folder() / "supysonic") / "bin"
        self._configure()
        self._run("supysonic-cli", "user", "add", _USER["u"], "-p", _USER["p"])
        self._run("supysonic-cli", "folder", "add", "music", music)
        self._run("supysonic-cli", "folder", "scan", "music")
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            self.port = int(listener.getsockname()[1])
            descriptor = listener.fileno()
            options = {"bind": f"fd://{descriptor}", "worker-class": "gthread", "threads": 64}
            words = [f"--{name}={value}" for name, value in options.items()]
            self._process = subprocess.Popen(
                [self._bin / "gunicorn", *words, "supysonic.web:create_application()"],
                cwd=self._root,
                pass_fds=[descriptor],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self.ids = self._find_ids()

    def __enter__(self) -> Supysonic:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._root, ignore_errors=True)

    def path_of(self, name: str, kbit_s: int) -> str:
        """Return the address of a track as MP3."""
        asked = {**_USER, "id": self.ids[name], "maxBitRate": str(kbit_s), "format": "mp3"}
        return f"/rest/stream.view?{urllib.parse.urlencode(asked)}"

    def _configure(self) -> None:
        transcoder = _TRANSCODER.format(ffmpeg=chosen_ffmpeg().path)
        text = (
            f"[base]\ndatabase_uri = sqlite:///{self._root}/supysonic.db\n"
            f"[webapp]\ncache_dir = {self._root}/cache\nmount_webui = off\n"
            f"[daemon]\nrun_watcher = off\nsocket = {self._root}/daemon.sock\n"
            f"[transcoding]\ntranscoder_flac_mp3 = {transcoder}\n"
        )
        (self._root / "supysonic.conf").write_text(text, "utf-8")

    def _run(self, program: str, *words: str | Path) -> None:
        subprocess.run(
            [self._bin / program, *words], cwd=self._root, check=True, capture_output=True
        )

    def _find_ids(self) -> dict[str, str]:
        query = urllib.parse.urlencode({**_USER, "size": "500"})
        url = f"http://127.0.0.1:{self.port}/rest/getRandomSongs.view?{query}"
        with urllib.request.urlopen(url, timeout=_READY_WITHIN_S) as answer:
            songs = json.load(answer)["subsonic-response"]["randomSongs"]["song"]
        return {Path(song["path"]).name: song["id"] for song in songs}


def _installed(where: Path) -> Path:
    """Return an environment with Supysonic, made where it is missing."""
    if not (where / "bin" / "supysonic-cli").exists():
        shutil.rmtree(where, ignore_errors=True)
        venv.create(where, with_pip=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        subprocess.run(
            [where / "bin" / "python", "-m", "pip", "install", *quiet, *SUPYSONIC],
            check=True,
            stdout=sys.stderr,
        )
    return where
