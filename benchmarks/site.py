"""The smallest application with the audio cache: what the benchmarks of serving are run against."""

from __future__ import annotations

import logging
import os

from flask import Flask

from audio_cache.flask_ext import FlaskAudioCache

IDLE_TASKS = 4


def make_site() -> Flask:
    """Return the application over BENCH_MUSIC_ROOT and BENCH_DATA_ROOT."""
    app = Flask(__name__)
    app.config["MUSIC_ROOT"] = os.environ["BENCH_MUSIC_ROOT"]
    app.config["DATA_ROOT"] = os.environ["BENCH_DATA_ROOT"]
    # A warning for every miss is right in production and costs the terminal's time here.
    app.logger.setLevel(logging.ERROR)
    FlaskAudioCache(app)
    state = app.extensions["audio_cache"]
    state.warm_up()
    for number in range(IDLE_TASKS):
        state.tracker.create_task(f"idle-{number}")

    @app.get("/small")
    def small() -> str:
        """Answer with next to nothing: what any answer of this server costs."""
        return "ok"

    return app
