"""Packages that players are made with: py-sonic, and subsonic-api of npm."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conftest import find_program
from tests.clients.site import ALBUMS, SHORT_S, Site
from tests.helpers.renditions import undisturbed
from tests.helpers.waiting import LIMIT_S

pytestmark = pytest.mark.clients


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.needs("node")
def test_subsonic_api_finds_and_plays(site: Site, tmp_path: Path) -> None:
    node = find_program("node")
    assert node is not None
    script = Path(__file__).with_name("subsonic_api.mjs")
    said = subprocess.run(
        [node, script, site.address, site.name, site.key, "Dark", "no"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        stdin=subprocess.DEVNULL,
    )
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert found["pings"] == {"token": "ok", "post": "ok", "apiKey": "ok"}
    assert found["refused"] == "failed"
    assert sorted(found["artists"]) == ["Ada", "Bö & Co", "Cy"]
    assert found["albums"] == {album: list(titles) for _, _, album, _, _, titles, _ in ALBUMS}
    assert (found["song"]["duration"], found["song"]["id"]) == (SHORT_S, site.ids["Dark"])
    assert found["made"] == digest(undisturbed(site.file_of("Dark"), tmp_path, "low"))
    assert found["file"] == digest(site.file_of("Dark").read_bytes())
    assert found["cover"] == "image/jpeg"
    assert found["playlists"] == ["Evening"]
    assert found["random"] == 4
    assert "transcoding" in found["extensions"]


@pytest.fixture
def libsonic(packages: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(packages)
    return importlib.import_module("libsonic")


@pytest.mark.parametrize("way", [{}, {"legacyAuth": True}], ids=["token", "password"])
def test_py_sonic_finds_and_plays(
    libsonic: Any, site: Site, tmp_path: Path, way: dict[str, bool]
) -> None:
    player = libsonic.Connection(
        "http://127.0.0.1", site.name, site.key, port=site.recorder.port, **way
    )
    assert player.ping()
    assert player.getLicense()["license"]["valid"]
    index = player.getArtists()["artists"]["index"]
    assert [a["name"] for each in index for a in each["artist"]] == ["Ada", "Bö & Co", "Cy"]
    albums = player.getAlbumList2("alphabeticalByName", size=500)["albumList2"]["album"]
    assert [album["name"] for album in albums] == sorted(album for _, _, album, *_ in ALBUMS)
    songs = player.getAlbum(albums[-1]["id"])["album"]["song"]
    assert [song["title"] for song in songs] == ["Dusk", "Dark", "Deep"]
    top = player.getIndexes()["indexes"]["index"]
    assert [folder["name"] for each in top for folder in each["artist"]] == ["Ada", "Bo", "Cy"]
    found = player.search2("blue sky")["searchResult2"]["song"]
    assert [song["title"] for song in found] == ["Blue Sky"]
    [tape] = player.getPlaylists()["playlists"]["playlist"]
    entries = player.getPlaylist(tape["id"])["playlist"]["entry"]
    assert [entry["title"] for entry in entries] == ["Dusk", "Far"]
    with player.stream(site.ids["Dew"], maxBitRate=128, tformat="mp3") as made:
        assert made.read() == undisturbed(site.file_of("Dew"), tmp_path, "low")
    with player.getCoverArt(songs[0]["coverArt"]) as cover:
        assert cover.read(2) == b"\xff\xd8"
    assert player.star(sids=[site.ids["Dew"]])["status"] == "ok"
    starred = player.getStarred2()["starred2"]["song"]
    assert [song["title"] for song in starred] == ["Dew"]
    assert player.unstar(sids=[site.ids["Dew"]])["status"] == "ok"
    assert player.scrobble(site.ids["Dew"])["status"] == "ok"
