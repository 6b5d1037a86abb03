"""What pages ask for when something is played, added or jumped to from anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mixtape.library.catalogue import Catalogue
from mixtape.mixtapes.values import MAX_TRACKS
from tests.helpers.host import PASSWORD, make_app
from tests.helpers.mixtapes import (
    Owner,
    make_scanned_app,
    message_of,
    save_mixtape,
    services_of,
    track_id,
)
from tests.helpers.tracks import add_track, place


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path) -> Iterator[Flask]:
    for disc, number, title in ((1, 1, "One"), (1, 2, "Two"), (2, 1, "Three")):
        tags = {"title": title, "artist": "Band", "album": "Double", "date": "1999"}
        folder = music / "Band" / f"Disc {disc}"
        place(
            flac, folder / f"{number}.flac", discnumber=str(disc), tracknumber=str(number), **tags
        )
    place(flac, music / "Band" / "10.flac", title="Ten", artist="Band")
    place(flac, music / "Band" / "9.flac", title="Nine", artist="Band")
    (music / "Band" / "broken.flac").write_bytes(b"fLaC")
    app = make_scanned_app(tmp_path)
    yield app
    services_of(app).close()


def address_of(page: str, kind: str) -> str:
    found = re.search(rf'data-play-from="(/api/{kind}/[^"?]+)', page)
    assert found is not None, page
    return found[1]


def titles(owner: Owner, url: str) -> list[str]:
    answer = owner.client.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return [track["title"] for track in answer.json["tracks"]]


def link(owner: Owner, page: str, kind: str) -> str:
    """Return the last of the links to a kind: whoever has no name comes first."""
    return re.findall(rf'href="(/{kind}/[^"?]+)"', owner.page(page).text)[-1]


def test_an_album_an_artist_and_a_folder_are_played_as_a_whole(owner: Owner) -> None:
    album = address_of(owner.page(link(owner, "/albums", "albums")).text, "albums")
    artist = address_of(owner.page(link(owner, "/artists", "artists")).text, "artists")
    assert titles(owner, album) == ["One", "Two", "Three"]
    assert titles(owner, artist) == ["One", "Two", "Three", "Nine", "Ten"]
    assert titles(owner, "/api/folder-tracks/Band") == ["Nine", "Ten", "One", "Two", "Three"]
    assert titles(owner, "/api/folder-tracks/") == titles(owner, "/api/folder-tracks/Band")
    shuffled = {tuple(titles(owner, f"{artist}?shuffled=1")) for _ in range(20)}
    assert len(shuffled) > 1
    assert {tuple(sorted(order)) for order in shuffled} == {("Nine", "One", "Ten", "Three", "Two")}


@pytest.mark.parametrize(
    "address", ["/api/albums/-/tracks", "/api/artists/AAAA/tracks", "/api/folder-tracks/None"]
)
def test_what_is_not_there_cannot_be_played(owner: Owner, address: str) -> None:
    assert owner.client.get(address).status_code == 404


def test_the_discs_of_an_album_have_headings_and_their_own_numbers(owner: Owner) -> None:
    page = owner.page(link(owner, "/albums", "albums")).text
    assert re.findall(r"<h2[^>]*>(Disc \d)</h2>", page) == ["Disc 1", "Disc 2"]
    numbers = re.findall(r'track-number" aria-hidden="true">(\d*)<', page)
    assert numbers == ["", "1", "2", "1"]  # the first is that of the template for found tracks


def test_other_lists_number_the_places(owner: Owner) -> None:
    page = owner.page("/browse/Band").text
    assert re.findall(r'track-number" aria-hidden="true">(\d*)<', page)[1:] == ["1", "2"]


def test_mixtapes_to_add_to_come_with_those_that_are_not_saved(app: Flask, owner: Owner) -> None:
    first = save_mixtape(app, "First", "One")
    draft = services_of(app).drafts.begin()
    services_of(app).drafts.save(draft.key, {"track_ids": [1]}, revision=0)
    found: list[dict[str, Any]] = owner.client.get("/api/mixtapes").json["mixtapes"]  # type: ignore[index]
    assert [each["title"] for each in found] == ["Untitled", "First"]
    assert [each["saved"] for each in found] == [False, True]
    assert found[1]["link"].endswith(f"/mixtapes/{first.slug}")
    answer = owner.send("POST", found[0]["url"], {"track_ids": [track_id(app, "Two")]})
    assert answer.json == {"added": [track_id(app, "Two")], "repeated": []}
    answer = owner.send("DELETE", found[0]["url"], {"track_ids": [track_id(app, "Two")]})
    assert answer.status_code == 204
    assert services_of(app).drafts.get(draft.key).state["track_ids"] == [1]


def test_a_mixtape_grows_asks_about_repeats_and_shrinks_again(app: Flask, owner: Owner) -> None:
    slug = save_mixtape(app, "Tape", "One").slug
    address = f"/api/mixtapes/{slug}/tracks"
    one, two = track_id(app, "One"), track_id(app, "Two")
    ids = {"track_ids": [one, two]}
    assert owner.send("POST", address, ids).json == {"added": [], "repeated": [one]}
    answer = owner.send("POST", address, {**ids, "repeats": "skip"})
    assert answer.json == {"added": [two], "repeated": [one]}
    assert owner.send("DELETE", address, {"track_ids": [two]}).status_code == 204
    assert services_of(app).mixtapes.get(slug).state.track_ids == (one,)


def test_a_new_mixtape_is_made_of_tracks_and_shared_by_its_link(app: Flask, owner: Owner) -> None:
    ids = [track_id(app, "Two"), track_id(app, "One")]
    made = owner.send("POST", "/api/mixtapes", {"title": " \ud800Two & One ", "track_ids": ids})
    assert made.status_code == 201
    assert made.json is not None
    assert made.json["shared"] is False
    shared = owner.send("POST", made.json["share_url"]).json
    assert shared is not None
    assert shared["link"] == made.json["link"]
    assert services_of(app).mixtapes.get_shared(made.json["slug"]).state.track_ids == tuple(ids)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "ids of the tracks"),
        ({"track_ids": []}, "ids of the tracks"),
        ({"track_ids": ["1"]}, "ids of the tracks"),
        ({"track_ids": [True]}, "ids of the tracks"),
        ({"track_ids": [1] * (MAX_TRACKS + 1)}, "a mixtape holds 1,000 at most"),
        ({"track_ids": [1], "repeats": "maybe"}, "'maybe'"),
        ({"track_ids": [10**12]}, "track 1000000000000"),
    ],
)
def test_what_cannot_be_added_is_named(
    app: Flask, owner: Owner, body: dict[str, Any], message: str
) -> None:
    slug = save_mixtape(app, "Tape", "One").slug
    answer = owner.send("POST", f"/api/mixtapes/{slug}/tracks", body)
    assert answer.status_code == 400
    assert message in message_of(answer)


def test_a_new_mixtape_needs_a_title_and_nobody_else_makes_one(
    owner: Owner, tmp_path: Path
) -> None:
    for title in (None, "", " ", 5):
        answer = owner.send("POST", "/api/mixtapes", {"title": title, "track_ids": [1]})
        assert answer.status_code == 400
    assert owner.client.post("/api/mixtapes", json={}).status_code == 400  # without a token
    (tmp_path / "other").mkdir()
    stranger = make_app(tmp_path / "other", password=PASSWORD).test_client()
    assert stranger.get("/api/mixtapes").status_code == 401


def test_letters_lead_to_where_they_begin(
    tmp_path: Path, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = client.application
    for number, artist in enumerate(("42", "Abba", "The Aces", "Élan", "Zoo", "Ärzte", "Бах")):
        path = b"%d.flac" % number
        add_track(services_of(app).database, path, title="T", artist=artist, album=f"By {artist}")
    # A page of the catalogue holds 50, which would take as many albums here.
    for of_kind in (Catalogue.albums, Catalogue.artists):
        monkeypatch.setitem(of_kind.__kwdefaults__, "limit", 2)
    page = Owner(client).page("/albums").text
    assert re.findall(r'letter=[^"]+" data-page-link>([^<]+)<', page) == ["#", "A", "E", "Z", "…"]
    assert "Recently added" in page
    page = Owner(client).page("/albums?letter=E").text
    cards = re.findall(r'folder-name">([^<]+)<', page)
    assert cards == ["By Élan", "By Zoo"]
    assert "Recently added" not in page
    page = Owner(client).page("/artists?letter=%E2%80%A6").text
    assert re.findall(r'folder-name">([^<]+)<', page) == ["Бах"]
