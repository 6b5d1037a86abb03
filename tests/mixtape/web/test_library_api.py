from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mixtape.web.views.as_json import decode_key, encode_key
from tests.helpers.host import PAGE, PASSWORD, make_app
from tests.helpers.mixtapes import Owner, make_scanned_app, message_of, scan, services_of
from tests.helpers.tracks import NOON, add_track, make_picture, place
from tests.helpers.waiting import wait_until


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path, mp3: Path) -> Iterator[Flask]:
    album = {"artist": "Björk & <b>Co</b>", "album": "Vespertine/1", "date": "2001"}
    place(flac, music / "a" / "1.flac", title="Cocoon", tracknumber="2", **album)
    place(flac, music / "a" / "2.flac", title="Aurora", tracknumber="1", **album)
    (music / "a" / "cover.jpg").write_bytes(make_picture())
    place(mp3, music / "loose.mp3", title="Alone", artist="Nobody")
    app = make_scanned_app(tmp_path)
    yield app
    services_of(app).close()


def link_to(page: str, kind: str) -> str:
    found = re.search(rf'href="(/{kind}/[^"?]+)"', page)
    assert found is not None, page
    return found[1]


def test_the_search_finds_tracks_by_the_beginnings_of_words(owner: Owner) -> None:
    answer = owner.client.get("/api/search?q=bjo+coc").json
    assert answer is not None
    (track,) = answer["tracks"]
    assert track["title"] == "Cocoon"
    assert track["url"] == "/play/a/1.flac"
    assert track["lossless"] is True
    assert track["sizes"]["low"] < track["sizes"]["medium"] < track["sizes"]["high"]
    assert answer["next_offset"] is None


def test_a_found_track_plays_and_shows_its_cover(owner: Owner) -> None:
    answer = owner.client.get("/api/search?q=cocoon").json
    assert answer is not None
    (track,) = answer["tracks"]
    with owner.client.get(track["cover"]) as cover:
        assert cover.mimetype == "image/jpeg"
    with owner.client.get(track["url"] + "?quality=original") as played:
        assert played.status_code == 200


def test_the_search_for_everything_names_albums_and_artists(owner: Owner) -> None:
    answer = owner.client.get("/api/search?q=bj%C3%B6rk&all=1").json
    assert answer is not None
    assert [album["title"] for album in answer["albums"]] == ["Vespertine/1"]
    assert [artist["tracks"] for artist in answer["artists"]] == [2]
    assert owner.page(answer["albums"][0]["url"]).status_code == 200
    assert owner.page(answer["artists"][0]["url"]).status_code == 200


def test_long_results_come_in_pages(app: Flask, owner: Owner) -> None:
    for number in range(120):
        add_track(services_of(app).database, b"n/%03d.flac" % number, title="Same", added_at=NOON)
    seen, offset = [], 0
    while offset is not None:
        answer = owner.client.get(f"/api/search?q=same&offset={offset}").json
        assert answer is not None
        seen += [track["id"] for track in answer["tracks"]]
        offset = answer["next_offset"]
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("query", ["", "q=", "q=%22", "q=*", "q=%00", "q=" + "x" * 5000])
def test_a_search_without_a_word_in_it_finds_nothing(owner: Owner, query: str) -> None:
    answer = owner.client.get(f"/api/search?{query}")
    assert answer.json == {"tracks": [], "next_offset": None}


@pytest.mark.parametrize("query", ["offset=-5", "limit=0", "offset=x&limit=x", "limit=99999"])
def test_odd_pages_are_the_nearest_that_exist(owner: Owner, query: str) -> None:
    answer = owner.client.get(f"/api/search?q=cocoon&{query}").json
    assert answer is not None
    assert len(answer["tracks"]) == 1


def test_artists_lead_to_their_albums_and_those_to_their_tracks(owner: Owner) -> None:
    artists = owner.page("/artists").text
    assert "Björk &amp; &lt;b&gt;Co&lt;/b&gt;" in artists
    artist = owner.page(link_to(artists, "artists")).text
    album = owner.page(link_to(artist, "albums")).text
    assert album.index("Aurora") < album.index("Cocoon")
    assert 'data-url="/play/a/1.flac"' in album


def test_tracks_of_no_album_are_on_their_artists_page(owner: Owner) -> None:
    page = owner.page(f"/artists/{encode_key('nobody')}").text
    assert 'data-title="Alone"' in page


@pytest.mark.parametrize("order", ["name", "newest"])
def test_albums_come_in_both_orders(owner: Owner, order: str) -> None:
    assert "Vespertine/1" in owner.page(f"/albums?order={order}").text


def test_an_order_that_does_not_exist_is_refused_with_those_that_do(owner: Owner) -> None:
    assert "name, newest" in message_of(owner.client.get("/albums?order=size"))


@pytest.mark.parametrize("page", ["/artists", "/albums", "/search?q=vespertine"])
def test_long_lists_have_a_link_to_the_rest(app: Flask, owner: Owner, page: str) -> None:
    for number in range(60):
        columns = {"artist": f"Artist {number:02}", "album": f"Vespertine {number:02}"}
        add_track(services_of(app).database, b"n/%02d.flac" % number, **columns)
    first = owner.page(page).text
    more = re.search(r'href="([^"]+)" data-more', first)
    assert more is not None
    rest = owner.page(more[1].replace("&amp;", "&")).text
    assert "data-more>" not in rest
    assert "Artist 59" not in first
    assert "59" in rest


@pytest.mark.parametrize("kind", ["artists", "albums"])
@pytest.mark.parametrize("key", ["-", "x", "AAAA", "%00", "w6Q", "🎵", encode_key("a", "b", "c")])
def test_keys_that_lead_nowhere_are_not_found(owner: Owner, kind: str, key: str) -> None:
    answer = owner.client.get(f"/{kind}/{key}")
    assert answer.status_code == 404
    assert "library has no such" in message_of(answer)


@pytest.mark.parametrize("keys", [("",), ("ac/dc",), ("ä", "ö?#&%"), ("", "")])
def test_a_key_survives_its_address(keys: tuple[str, ...]) -> None:
    assert decode_key(encode_key(*keys), len(keys)) == keys
    assert re.fullmatch(r"[\w-]+", encode_key(*keys), re.ASCII)


def test_covers_are_kept_for_ever_by_the_browser(app: Flask, owner: Owner) -> None:
    (album,) = services_of(app).catalogue.albums("vespertine").items
    for size in (96, 320, 640):
        with owner.client.get(f"/art/{album.cover_key}/{size}.jpg") as answer:
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]
            assert "private" in answer.headers["Cache-Control"]
    drawn = owner.client.get("/art/drawn/123.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert "immutable" in drawn.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["0" * 32 + "/96.jpg", "../../x/96.jpg", "x/96.jpg"])
def test_covers_that_do_not_exist_are_not_found(owner: Owner, path: str) -> None:
    assert owner.client.get(f"/art/{path}").status_code == 404


def test_covers_come_in_three_sizes_only(app: Flask, owner: Owner) -> None:
    (album,) = services_of(app).catalogue.albums("vespertine").items
    assert "96, 320, 640" in message_of(owner.client.get(f"/art/{album.cover_key}/5000.jpg"))


def test_a_new_scan_finds_what_came_and_says_so(
    app: Flask, owner: Owner, music: Path, flac: Path
) -> None:
    place(flac, music / "new.flac", title="Just arrived")
    assert owner.send("POST", "/api/scan").json is not None
    services_of(app).scanner.wait(60)
    progress = owner.client.get("/api/scan").json
    assert progress is not None
    assert (progress["running"], progress["added"], progress["seen"]) == (False, 1, 4)
    found = owner.client.get("/api/search?q=arrived").json
    assert found is not None
    assert len(found["tracks"]) == 1


def test_a_scan_needs_the_token(app: Flask) -> None:
    answer = app.test_client().post("/api/scan")
    assert answer.status_code == 400
    message_of(answer)


def test_files_that_could_not_be_read_are_listed_with_the_reason(
    app: Flask, owner: Owner, music: Path
) -> None:
    (music / "broken.flac").write_bytes(b"this is no music")
    scan(app)
    assert "1 file could not be read" in owner.page("/albums").text
    page = owner.page("/unreadable").text
    assert "broken.flac" in page


def test_creating_the_app_scans_nothing_by_itself(tmp_path: Path, music: Path, flac: Path) -> None:
    place(flac, music / "1.flac", title="Waits")
    app = make_app(tmp_path)
    assert services_of(app).catalogue.counts().tracks == 0
    assert "Nothing here yet" in app.test_client().get("/albums", headers=PAGE).text
    services_of(app).start()
    wait_until(lambda: services_of(app).catalogue.counts().tracks == 1)
    services_of(app).close()


@pytest.mark.parametrize(
    "path",
    [
        "/artists",
        "/artists/-",
        "/albums",
        "/albums/-",
        "/search",
        "/unreadable",
        "/api/search?q=a",
        "/api/scan",
        "/art/drawn/1.svg",
        "/art/" + "0" * 32 + "/96.jpg",
    ],
)
def test_the_library_is_for_those_who_are_signed_in(locked: FlaskClient, path: str) -> None:
    assert locked.get(path).status_code == 401
    page = locked.get(path, headers=PAGE)
    assert page.status_code == 302
    assert page.location.startswith("/login")


def test_nobody_signed_out_is_shown_the_ways_through_the_library(tmp_path: Path) -> None:
    client = make_app(tmp_path, password=PASSWORD).test_client()
    assert "site-nav" not in client.get("/login", headers=PAGE).text
