"""Fixtures of the tests of the library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mixtape.database.units_of_work import Database
from mixtape.files.audio_file import AudioFile
from mixtape.files.opening import Identity
from mixtape.library import scanner as scanner_module
from mixtape.library.scanner import LOCK_NAME, Scanner
from tests.helpers.audio import make_noise
from tests.helpers.sheets import SAMPLES
from tests.helpers.tracks import Clock, embed, make_picture
from tests.helpers.waiting import LIMIT_S


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files that scans open, as they do."""
    names: list[str] = []
    read = scanner_module.read_audio_file

    def noted(path: Path, known: Identity) -> AudioFile:
        names.append(path.name)
        return read(path, known)

    monkeypatch.setattr(scanner_module, "read_audio_file", noted)
    return names


@pytest.fixture
def scanner(database: Database, music: Path, tmp_path: Path, clock: Clock) -> Iterator[Scanner]:
    """Return a scanner of the library, whose scan ends with the test."""
    scanner = Scanner(database, music, tmp_path / "data" / LOCK_NAME, clock)
    yield scanner
    scanner.cancel()
    scanner.wait(LIMIT_S)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an album that is one file."""
    path = tmp_path_factory.mktemp("image") / "album.flac"
    make_noise(path, samples=SAMPLES, tags={"title": "All of it", "genre": "Rock"})
    embed(path, (3, make_picture(400, 400)))
    return path
