"""Fixtures of the tests of serving."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audio_cache.serving.player import Player
from tests.audio_cache.serving.representation_site import (
    BODY,
    Site,
)
from tests.helpers.processes import open_files
from tests.helpers.waiting import LIMIT_S


@pytest.fixture(params=["memory", "file"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Return a site; when the test is over, no file that it opened is open any more."""
    before = open_files()
    if request.param == "memory":
        yield Site()
    else:
        path = tmp_path / "body"
        path.write_bytes(BODY)
        yield Site(path)
    assert open_files() == before


@pytest.fixture
def player(tmp_path: Path) -> Iterator[Player]:
    before = set(open_files())
    player = Player(tmp_path)
    yield player
    player.live.stop(LIMIT_S)
    player.playback.open_files.close()
    player.cache.facts.close()
    # What others have left is closed whenever it is collected.
    assert set(open_files()) <= before


@pytest.fixture
def track(flac: Path, tmp_path: Path) -> Path:
    """Return a FLAC of the test's own."""
    return Path(shutil.copyfile(flac, tmp_path / "a track.flac"))
