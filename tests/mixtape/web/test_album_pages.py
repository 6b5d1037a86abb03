from __future__ import annotations

import re
from pathlib import Path

from tests.helpers.host import PAGE
from tests.helpers.mixtapes import make_scanned_app
from tests.helpers.tracks import place


def test_an_album_shows_its_discs_and_the_artists_who_are_others_than_its_own(
    tmp_path: Path, music: Path, flac: Path
) -> None:
    tags = {"album": "Box", "albumartist": "Ann", "discsubtitle": "Early"}
    place(flac, music / "1.flac", title="One", artist="Ann", discnumber="1", **tags)
    tags["discsubtitle"] = ""
    place(flac, music / "2.flac", title="Two", artist="Ben", discnumber="2", **tags)
    client = make_scanned_app(tmp_path).test_client()
    found = client.get("/api/search?q=box&all").json
    assert found is not None
    (album,) = found["albums"]
    page = client.get(album["url"], headers=PAGE).text
    assert re.findall(r"<h2[^>]*>(Disc \d)(?: <span>(\w+)</span>)?</h2>", page) == [
        ("Disc 1", "Early"),
        ("Disc 2", ""),
    ]
    # One queue over both, and an artist only where it is not the album's.
    assert page.count("data-queue") == 1
    assert re.findall(r'class="track-artist"( hidden)?>(Ann|Ben)<', page) == [
        (" hidden", "Ann"),
        ("", "Ben"),
    ]


def test_an_artist_of_a_compilation_has_a_page_that_names_it(
    tmp_path: Path, music: Path, flac: Path
) -> None:
    for name in ("Ann", "Ben"):
        place(flac, music / "Hits" / f"{name}.flac", artist=name, album="Hits")
    client = make_scanned_app(tmp_path).test_client()
    found = client.get("/api/search?q=ben&all").json
    assert found is not None
    (artist,) = found["artists"]
    assert (artist["albums"], artist["appears_on"]) == (0, 1)
    page = client.get(artist["url"], headers=PAGE).text
    assert "Appears on" in page
    assert ">Hits<" in page
    assert "appears on 1 album" in client.get("/artists", headers=PAGE).text
