"""Fixtures of the tests of the library."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixtape.files.audio_file import AudioFile
from mixtape.files.opening import Identity
from mixtape.library import scanner as scanner_module


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
