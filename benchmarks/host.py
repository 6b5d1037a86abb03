"""`mixtape serve` as people run it, with shared mixtapes, for the time of a benchmark."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from playwright.sync_api import Browser

from mixtape.app import create_app
from mixtape.settings import Settings
from tests.helpers.chromium import chromium as tests_chromium
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.mixtapes import scan, services_of, share_mixtape

from .music import work_folder


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

    def _share(self, tapes: Iterable[Tape]) -> dict[str, str]:
        """Store the mixtapes, and return their slugs by title."""
        app = create_app(Settings(music_root=self._music_root, data_root=self._data_root))
        scan(app)
        slugs = {
            tape.title: share_mixtape(app, *tape.tracks, title=tape.title).slug for tape in tapes
        }
        services_of(app).close()
        return slugs

    def __enter__(self) -> Self:
        self._server = MixtapeServe(
            self._music_root,
            self._data_root,
            AUDIO_CACHE_FINISH_ABANDONED="false",
            # What a mixtape needs is cached after each start; here nothing is to be cached.
            AUDIO_CACHE_PRECACHE_ON_UPLOAD="false",
        )
        self.address = self._server.address
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        shutil.rmtree(self._data_root, ignore_errors=True)

    def page_of(self, title: str) -> str:
        """Return the address of a mixtape's page."""
        return f"{self.address}/mixtapes/{self.slugs[title]}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give the system's whole Chromium; tests do with one that has no screen to draw for."""
    with tests_chromium(shutil.which("chromium") or shutil.which("google-chrome")) as browser:
        yield browser
