"""Tracks of CUE sheets in a mixtape: saved, cached, and heard by who has its link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.helpers.audio import make_noise
from tests.helpers.mixtapes import Owner, make_scanned_app, save_mixtape, services_of, stream_urls
from tests.helpers.renditions import rendition_of
from tests.helpers.sheets import SAMPLES, write_sheet
from tests.helpers.waiting import wait_until


@pytest.fixture
def app(tmp_path: Path, music: Path) -> Iterator[Flask]:
    write_sheet(music / "Album" / "album.cue", "album.flac")
    make_noise(music / "Album" / "album.flac", samples=SAMPLES)
    app = make_scanned_app(tmp_path)
    yield app
    services_of(app).close()


def test_a_mixtape_of_them_is_cached_and_plays(app: Flask, owner: Owner, music: Path) -> None:
    mixtape = save_mixtape(app, "Tape", "Song 3", "Song 1")
    caching = services_of(app).caching
    assert caching.readiness(mixtape).ready["medium"] == 0
    assert caching.start_mixtape(mixtape, ["medium"])
    wait_until(lambda: caching.readiness(mixtape).ready["medium"] == 2)
    urls = stream_urls(owner.client, mixtape)
    for number, url in zip((3, 1), urls, strict=True):
        answer = owner.client.get(f"{url}?quality=medium")
        wanted = rendition_of(music / "Album" / "album.cue" / f"0{number}.flac", "medium")
        assert answer.headers["Cache-Status"] == "audio-cache; hit"
        assert answer.content_length == wanted.length


def test_the_owner_hears_them_in_the_library_and_is_told_their_sizes(
    app: Flask, owner: Owner
) -> None:
    tracks = owner.client.get("/api/search?q=Song").json
    assert tracks is not None
    found = sorted(tracks["tracks"], key=lambda track: int(track["number"]))
    assert [track["title"] for track in found] == ["Song 1", "Song 2", "Song 3"]
    for track in found:
        assert track["url"] == f"/play/Album/album.cue/0{track['number']}.flac"
        assert track["mime"] == "audio/mpeg"
        head = owner.client.head(f"{track['url']}?quality=original")
        assert head.status_code == 200
        # But for the tag in front, which is not counted.
        assert 0 <= (head.content_length or 0) - track["sizes"]["original"] < 4096
