"""A copy of the sources with one quality more, "insane" at 320k, and programs that run on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_FIRST = '        "high": QualitySetting('
_ENTRY = '        "insane": QualitySetting(bitrate="320k", format="mp3"),\n'
_LIMIT_S = 100


class ExtendedSources:
    """The packages with a quality more, in a folder of their own.

    Args:
        folder: where they are put.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "src", folder, ignore=shutil.ignore_patterns("__pycache__"))
        table = folder / "audio_cache" / "quality.py"
        text = table.read_text("utf-8")
        assert text.count(_FIRST) == 1
        table.write_text(text.replace(_FIRST, _ENTRY + _FIRST), "utf-8")

    def run(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with the extended packages in place of ours."""
        paths = os.pathsep.join((str(self.folder), str(ROOT)))
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": paths, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_S,
        )

    def ask(self, script: str, *arguments: str | Path, **environment: str) -> dict[str, Any]:
        """Return the JSON object that a script prints; it has to succeed."""
        done = self.run("-c", script, *arguments, **environment)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
