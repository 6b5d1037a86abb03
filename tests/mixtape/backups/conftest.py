"""Fixtures of the tests of backups."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mixtape.accounts.sealing import Sealer
from mixtape.backups.backups import Backups
from mixtape.database.units_of_work import Database
from mixtape.library.covers import Artwork
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from tests.helpers.tracks import Clock, add_track

MakeMixtape = Callable[..., SavedMixtape]
Contents = dict[str, Any]
SECRET_KEY = "a key of the site"


@pytest.fixture
def artwork(database: Database, tmp_path: Path, music: Path, clock: Clock) -> Artwork:
    return Artwork(database, music, tmp_path / "data", clock)


@pytest.fixture
def backups(database: Database, artwork: Artwork, tmp_path: Path, clock: Clock) -> Backups:
    return Backups(database, artwork, tmp_path / "data", Sealer(SECRET_KEY), clock)


@pytest.fixture
def make_mixtape(database: Database, clock: Clock) -> MakeMixtape:
    """Return what stores a shared mixtape of tracks with these paths."""

    def make(title: str, *paths: bytes, **state: str) -> SavedMixtape:
        ids = tuple(
            add_track(database, path, artist="Somebody", album="Something") for path in paths
        )
        mixtapes = Mixtapes(database, clock)
        clock.advance(seconds=1)
        made = mixtapes.create(MixtapeState(title, track_ids=ids, **state))
        return mixtapes.share(made.slug)

    return make


def written(backups: Backups) -> io.BytesIO:
    """Return a backup of all that is there."""
    file = io.BytesIO()
    backups.write(file)
    file.seek(0)
    return file


def rewritten(
    file: io.BytesIO, change: Callable[[Contents], None], part: str = "backup.json"
) -> io.BytesIO:
    """Return a backup of which the JSON of a part was changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == part:
                contents = json.loads(content)
                change(contents)
                content = json.dumps(contents).encode()
            new.writestr(name, content)
    return out
