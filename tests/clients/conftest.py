"""A server with a small library, for players that others wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import give_up
from tests.clients.site import ALBUMS, TITLES, Site
from tests.helpers.audio import make_audio, make_noise
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.mixtapes import make_scanned_app, save_mixtape, track_id
from tests.helpers.recorder import Recorder
from tests.helpers.subsonic import add_device, add_link, services_of
from tests.helpers.tracks import make_picture


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose `music` holds four albums, with covers."""
    root = tmp_path_factory.mktemp("site")
    seed = 0
    for folder, artist, album, genre, year, titles, seconds in ALBUMS:
        place = root / "music" / folder
        place.mkdir(parents=True)
        (place / "cover.jpg").write_bytes(make_picture(600, 600))
        for number, title in enumerate(titles, start=1):
            seed += 1
            tags = {
                "title": title,
                "artist": artist,
                "album_artist": artist,
                "album": album,
                "genre": genre,
                "date": year,
                "track": f"{number}/{len(titles)}",
            }
            samples = seconds * 44_100
            if genre == "Pop":
                make_audio(
                    place / f"{number} {title}.mp3", samples=samples, codec="libmp3lame", tags=tags
                )
            else:
                path = place / f"{number} {title}.flac"
                make_noise(path, samples=samples, seed=seed, tags=tags)
    return root


@pytest.fixture(scope="module")
def site(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a server that has made nothing yet, with a mixtape of two tracks."""
    root = tmp_path_factory.mktemp("served")
    (root / "music").symlink_to(library / "music")
    app = make_scanned_app(root)
    save_mixtape(app, "Evening", "Dusk", "Far")
    key, link_key = add_device(app), add_link(app)
    music = root / "music"
    ids = {
        title: f"tr-{track_id(app, str(next(music.glob(f'*/*/* {title}.*')).relative_to(music)))}"
        for title in TITLES
    }
    services_of(app).close()
    with (
        MixtapeServe(root / "music", root / "data") as server,
        Recorder(server.address) as recorder,
    ):
        yield Site(library, recorder, key, link_key, ids)


@pytest.fixture(scope="session")
def packages() -> Path:
    """Return where py-sonic and the extension of Mopidy are, which no lock file has."""
    folder = Path(os.environ.get("CLIENTS", "nowhere")).absolute()
    if not (folder / "mopidy_subidy").exists():
        give_up("py-sonic and mopidy-subidy are missing: make clients")
    return folder
