"""How much of the package one play passes through: as much as a reader can follow."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from flask import Flask

import audio_cache
from audio_cache.flask_ext import FlaskAudioCache
from tests.helpers.audio import make_noise

MOST_MODULES = 35
MOST_FOLDERS = 6
PACKAGE = os.path.join(os.path.dirname(audio_cache.__file__), "")


class Visits:
    """The modules of the package whose functions are called, in any thread, while it is entered."""

    def __init__(self) -> None:
        self.modules: set[str] = set()

    def __enter__(self) -> Visits:
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]

    def _note(self, frame: FrameType, event: str, _argument: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(PACKAGE):
            self.modules.add(name.removeprefix(PACKAGE))


@pytest.mark.skipif(sys.gettrace() is not None, reason="coverage traces the same calls")
def test_a_cold_play_passes_through_few_modules(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for name in ("warm up.flac", "cold.flac"):
        make_noise(music / name, samples=441_000, tags={"title": "A"})
    app = Flask("a_play")
    app.config.update(MUSIC_ROOT=str(music), DATA_ROOT=str(tmp_path / "data"))
    FlaskAudioCache(app)
    client = app.test_client()
    # What only a first request of all asks, such as which ffmpeg there is, belongs to no play.
    assert client.get("/play/warm up.flac?quality=low").status_code == 200
    with Visits() as visits:
        response = client.get("/play/cold.flac?quality=low")
        assert len(response.data) == response.content_length
    assert len(visits.modules) <= MOST_MODULES, sorted(visits.modules)
    assert len({os.path.dirname(module) for module in visits.modules}) <= MOST_FOLDERS
