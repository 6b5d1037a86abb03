"""An application of somebody else, to which the extension is added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask

from audio_cache.flask_ext import AudioCacheState


def make_app(music: Path, **given: Any) -> Flask:
    app = Flask("somebody else's")
    config = {"MUSIC_ROOT": str(music), "DATA_ROOT": str(music.parent / "data"), **given}
    app.config.update(config)
    return app


def state_of(app: Flask) -> AudioCacheState:
    state: AudioCacheState = app.extensions["audio_cache"]
    return state
