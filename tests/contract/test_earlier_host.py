"""The application that the contract came from, run on this package in place of its own.

It needs a checkout of it, named by EARLIER_APP, with the environment that docs/migrating.md makes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import audio_cache
from tests.helpers.audio import make_audio

PACKAGE = Path(audio_cache.__file__)
SCRIPT = Path(__file__).with_name("earlier_host.py")
LIMIT_S = 120
TRACKS = ["Album/one.flac", "Album/two.flac", "lossy.mp3", "broken.flac", "gone.flac"]


@pytest.fixture(scope="module")
def checkout() -> Path:
    named = os.environ.get("EARLIER_APP")
    if not named:
        pytest.skip("EARLIER_APP names no checkout of the earlier application")
    return Path(named)


@pytest.fixture(scope="module")
def seen(checkout: Path, flac: Path, mp3: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what a visit to the application saw."""
    root = tmp_path_factory.mktemp("earlier")
    shutil.copytree(checkout / "src", root / "src", ignore=lambda *_: ["audio_cache"])
    music = root / "music"
    (music / "Album").mkdir(parents=True)
    for name in TRACKS[:2]:
        shutil.copy(flac, music / name)
    shutil.copy(mp3, music / "lossy.mp3")
    # Of other audio: half a copy would be played as the whole that it says it is, which is stored.
    broken = make_audio(music / "broken.flac", samples=132_300, seed=7)
    os.truncate(broken, broken.stat().st_size // 2)
    own = checkout / ".venv" / "bin" / "python"
    done = subprocess.run(
        [own if own.exists() else sys.executable, SCRIPT, *TRACKS],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(root / "src"), str(PACKAGE.parents[1])]),
            "APP_ENV": "production",
            "PASSWORD": "secret",
            "MUSIC_ROOT": str(music),
            "DATA_ROOT": str(root / "data"),
        },
        cwd=root,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_runs_on_this_package(seen: Any) -> None:
    assert Path(seen["package"]) == PACKAGE


def test_a_save_caches_and_tells_of_every_track(seen: Any) -> None:
    told = {event["message"] for event in seen["events"] if "track" in event.get("step", "")}
    failed = {message for message in told if message.startswith("✗ Failed: broken.flac - ")}
    assert len(failed) == 1
    assert told - failed >= {
        "✓ Cached: one.flac",
        "✓ Cached: two.flac",
        "⊘ Skipped: lossy.mp3 (No transcoding needed)",
        "⊘ Skipped: gone.flac (missing)",
    }


def test_a_failed_track_does_not_end_the_stream_and_its_own_end_does(seen: Any) -> None:
    assert seen["events"][0] == {"type": "connected", "task_id": "summer-vibes"}
    last = seen["events"][-1]
    assert (last["step"], last["status"]) == ("completed", "completed")
    assert (last["current"], last["total"]) == (4, 4)


def test_what_was_cached_plays_as_mp3_with_ranges(seen: Any) -> None:
    for name in TRACKS[:2]:
        assert seen["plays"][name] == {
            "status": 200,
            "type": "audio/mpeg",
            "is_mp3": True,
            "range_status": 206,
            "range_fits": True,
        }
    assert seen["plays"]["broken.flac"]["type"] == "audio/flac"


def test_its_figures_and_its_clearing_are_right(seen: Any) -> None:
    assert seen["stats"]["cached_files"] == 2
    assert seen["cleared"]["deleted_files"] == 2
    assert seen["stats_after"] == {"cache_size_bytes": 0, "cache_size_mb": 0.0, "cached_files": 0}
