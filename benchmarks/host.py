"""`mixtape serve` as people run it, with shared mixtapes, for the time of a benchmark."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from playwright.sync_api import Browser, sync_playwright

from mixtape.app import create_app
from mixtape.mixtapes.values import MixtapeState
from mixtape.services import Services
from mixtape.settings import Settings

from .music import work_folder

_READY_WITHIN_S = 60.0
_SCAN_LIMIT_S = 600.0


@dataclass(frozen=True)
class Tape:
    """A mixtape to share: its title, and the paths of its tracks in the library."""

    title: str
    tracks: tuple[str, ...]


class Host:
    """The application over a folder of music, with nothing cached.

    Args:
        music_root: the library.
        tapes: the mixtapes to share before it starts.
    """

    def __init__(self, music_root: Path, tapes: Iterable[Tape]) -> None:
        self._music_root = music_root
        self._data_root = Path(tempfile.mkdtemp(prefix="host-", dir=work_folder()))
        self.slugs = self._share(tapes)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = int(listener.getsockname()[1])
        self.address = f"http://127.0.0.1:{self._port}"

    def _share(self, tapes: Iterable[Tape]) -> dict[str, str]:
        """Store the mixtapes, and return their slugs by title."""
        app = create_app(Settings(music_root=self._music_root, data_root=self._data_root))
        services: Services = app.extensions["mixtape"]
        services.scanner.start()
        services.scanner.wait(_SCAN_LIMIT_S)
        slugs = {}
        for tape in tapes:
            found = [services.catalogue.find_by_path(os.fsencode(name)) for name in tape.tracks]
            ids = tuple(track.id for track in found if track is not None)
            saved = services.mixtapes.create(MixtapeState(title=tape.title, track_ids=ids))
            slugs[tape.title] = services.mixtapes.share(saved.slug).slug
        services.close()
        return slugs

    def __enter__(self) -> Self:
        settings = {
            "MUSIC_ROOT": str(self._music_root),
            "DATA_ROOT": str(self._data_root),
            "PORT": str(self._port),
            "AUDIO_CACHE_FINISH_ABANDONED": "false",
            # What a mixtape needs is cached after each start; here nothing is to be cached.
            "AUDIO_CACHE_PRECACHE_ON_UPLOAD": "false",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mixtape", "serve"],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src"), **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _READY_WITHIN_S)
        if not ready or "playing at" not in self._process.stdout.readline():
            raise SystemExit("`mixtape serve` does not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.stdout is not None
        with self._process.stdout:
            self._process.wait(_READY_WITHIN_S)
        shutil.rmtree(self._data_root, ignore_errors=True)

    def page_of(self, title: str) -> str:
        """Return the address of a mixtape's page."""
        return f"{self.address}/mixtapes/{self.slugs[title]}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give the system's Chromium, without a screen."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("there is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
