"""The README's Python runs as it stands there, and what else it shows exists."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
LARGEST_PICTURE_BYTES = 200_000


@pytest.fixture
def music(tmp_path: Path, flac: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return what stands for /srv/music, in an empty directory that is the current one."""
    folder = tmp_path / "srv" / "music"
    folder.mkdir(parents=True)
    shutil.copy(flac, folder / "song.flac")
    monkeypatch.chdir(tmp_path)
    return folder


def run(snippet: str, music: Path) -> dict[str, Any]:
    """Run a snippet and return what it made."""
    assert "/srv/music" in snippet
    made: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(snippet.replace("/srv/music", str(music)), "README.md", "exec"), made)
    return made


def test_there_is_python_to_run() -> None:
    assert len(SNIPPETS) == 2


def test_the_flask_application_plays_a_track_at_a_lower_quality(music: Path) -> None:
    app = run(SNIPPETS[0], music)["app"]
    with app.test_client().get("/play/song.flac?quality=low") as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "audio/mpeg"
        assert len(answer.data) == answer.content_length
        assert "bitrate=128" in answer.headers["Audio-Cache-Rendition"]


def test_the_application_has_ten_lines_at_most() -> None:
    assert len(SNIPPETS[0].splitlines()) <= 10


def test_the_cache_works_without_a_web_framework(music: Path) -> None:
    made = run(SNIPPETS[1], music)
    assert made["mp3"].parent == Path.cwd() / "cache"
    assert made["mp3"].stat().st_size > 50_000


def test_every_make_target_it_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=[ `\n]*[#`A-Z(])", README))
    assert {"serve", "test"} <= named
    assert named <= targets


def test_it_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) <= 150


def test_its_pictures_are_small_and_sharp() -> None:
    pictures = [ROOT / name for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)]
    assert pictures
    for path in pictures:
        assert path.stat().st_size < LARGEST_PICTURE_BYTES
        with Image.open(path) as picture:
            assert picture.width >= 1000
