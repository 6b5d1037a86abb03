"""Import paths of earlier versions, which stay importable."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

import audio_cache

EARLIER = {
    "audio_cache.audio_cache": ("AudioCache", "QUALITY_SETTINGS", "QualityLevel"),
    "audio_cache.cache_worker": ("CacheWorker", "schedule_mixtape_caching"),
    "audio_cache.progress_tracker": (
        *("ProgressCallback", "ProgressEvent", "ProgressStatus", "ProgressTracker"),
        "get_progress_tracker",
    ),
}


@pytest.mark.parametrize(("module", "names"), EARLIER.items())
def test_earlier_modules_give_the_very_same_names(module: str, names: tuple[str, ...]) -> None:
    earlier = importlib.import_module(module)
    for name in names:
        assert getattr(earlier, name) is getattr(audio_cache, name)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("audio_cache.flask_ext", "FlaskAudioCache"),
        ("audio_cache.debug_cache", "explain"),
        ("audio_cache.debug_cache", "main"),
    ],
)
def test_doors_stay_where_they_are(module: str, name: str) -> None:
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("module", [*EARLIER, "audio_cache.debug_cache", "audio_cache.flask_ext"])
def test_each_can_be_the_first_import_of_a_program(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
