from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from mixtape.errors import AudioFileError
from mixtape.files.formats import size_text
from mixtape.files.opening import Identity
from mixtape.library import folders as folders_module
from mixtape.library import scanner as scanner_module
from mixtape.web.views.artwork import draw_placeholder
from tests.helpers.audio import make_audio
from tests.helpers.host import PAGE, make_app, page_of
from tests.helpers.tracks import make_picture, open_picture, place


def browse_raw(client: FlaskClient, path: bytes) -> str:
    """Get a folder as a server hands over its address: bytes as latin-1."""
    raw = (b"/browse/" + path).decode("latin-1")
    answer = client.get("/", headers=PAGE, environ_overrides={"PATH_INFO": raw})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_empty_library_says_where_music_belongs(client: FlaskClient, music: Path) -> None:
    page = page_of(client)
    assert "No music yet" in page
    assert str(music) in page


def test_a_track_is_shown_with_its_words_length_format_and_size(
    client: FlaskClient, music: Path
) -> None:
    tags = {"title": '<b>Bold</b> & "loud"', "artist": "O'Neill"}
    path = make_audio(music / "a.flac", samples=96_000 * 2, rate=96_000, bits=24, tags=tags)
    page = page_of(client)
    assert "<b>Bold" not in page
    assert escape(tags["title"]) in page
    assert "O&#39;Neill" in page
    assert ">0:02<" in page
    assert "FLAC 24/96" in page
    assert size_text(path.stat().st_size) in page
    assert 'data-mime="audio/flac"' in page
    assert 'data-lossless="true"' in page


def test_folders_lead_down_and_breadcrumbs_lead_back(client: FlaskClient, music: Path) -> None:
    (music / "Soul & Funk" / "50% #1?").mkdir(parents=True)
    assert 'href="/browse/Soul%20%26%20Funk"' in page_of(client)
    below = "/browse/Soul%20%26%20Funk/50%25%20%231%3F"
    assert f'href="{below}"' in page_of(client, "/browse/Soul%20%26%20Funk")
    page = page_of(client, below)
    crumbs = re.findall(r'<li><a href="([^"]+)"', page)
    assert crumbs == ["/browse/", "/browse/Soul%20%26%20Funk"]
    assert 'aria-current="page">50% #1?<' in page
    assert "Nothing to play in here" in page
    assert "Back to Soul &amp; Funk" in page


def test_names_of_any_bytes_can_be_browsed_and_played(client: FlaskClient, music: Path) -> None:
    folder = b"caf\xe9"
    os.mkdir(os.path.join(os.fsencode(music), folder))
    make_audio(music / "plain.mp3", samples=4410, codec="libmp3lame")
    os.rename(music / "plain.mp3", os.path.join(os.fsencode(music), folder, b"s\xff\n?.mp3"))
    assert 'href="/browse/caf%E9"' in page_of(client)
    page = browse_raw(client, folder)
    assert '<h1 tabindex="-1">caf\ufffd</h1>' in page
    assert 'data-url="/play/caf%E9/s%FF%0A%3F.mp3"' in page
    raw = "/play/caf\xe9/s\xff\n?.mp3"
    with client.get("/", environ_overrides={"PATH_INFO": raw}) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "audio/mpeg"


@pytest.mark.parametrize(
    "address", ["/browse/..", "/browse/../outside", "/browse/%2e%2e/outside", "/browse/.git"]
)
def test_no_address_leads_out_of_the_library(
    client: FlaskClient, music: Path, address: str
) -> None:
    (music.parent / "outside").mkdir()
    (music / ".git").mkdir()
    assert client.get(address, headers=PAGE).status_code == 404


def test_home_shows_folders_until_there_are_albums(
    client: FlaskClient, music: Path, flac: Path
) -> None:
    place(flac, music / "Shelf" / "a.flac", title="A", artist="Somebody", album="Record")
    assert 'href="/browse/Shelf"' in page_of(client)
    page_of(client, "/browse/Shelf")  # a look into a folder is enough to know its albums
    page = page_of(client)
    assert '<h1 tabindex="-1">Albums</h1>' in page
    assert "Record" in page
    assert 'href="/browse/Shelf"' in page_of(client, "/browse/")


def test_a_first_scan_is_told_of_at_home_and_nowhere_else(client: FlaskClient, music: Path) -> None:
    (music / "Shelf").mkdir()
    scanner = client.application.extensions["mixtape"].scanner
    assert "Your music is being read" not in page_of(client)
    scanner.progress = scanner_module.ScanProgress(running=True)
    assert "Your music is being read" in page_of(client)
    assert 'data-fills-in="home"' in page_of(client)
    assert "Your music is being read" not in page_of(client, "/browse/")


def test_a_file_that_is_no_music_is_named_and_cannot_be_played(
    client: FlaskClient, music: Path
) -> None:
    (music / "broken.flac").write_bytes(b"nothing of the kind")
    page = page_of(client)
    assert "broken.flac" in page
    assert "This file holds no music that can be read." in page
    assert "data-track" not in page
    assert "Play all" not in page


def test_the_pages_of_a_big_folder_go_on_below_each_other(
    client: FlaskClient, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders_module, "PAGE_SIZE", 2)
    for number in range(5):
        (music / f"{number}").mkdir()
    first, last = page_of(client, "/browse/"), page_of(client, "/browse/?page=3")
    assert 'href="/browse/?page=2" data-more>Load more' in first
    assert "data-more>" not in last
    assert client.get("/browse/?page=4", headers=PAGE).status_code == 404


def test_the_demo_library_says_that_it_is_one(tmp_path: Path) -> None:
    client = make_app(tmp_path, music_root=None).test_client()
    page = page_of(client)
    assert "This is the demo library" in page
    album = page_of(client, unescape(re.findall(r'href="(/browse/[^"]+)"', page)[0]))
    assert 'data-title="First Light"' in album


def test_a_cover_is_sent_small_and_known_again(client: FlaskClient, music: Path) -> None:
    (music / "cover.jpg").write_bytes(make_picture())
    with client.get("/cover/?size=96") as answer:
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        assert answer.cache_control.private
        etag = answer.headers["ETag"]
    with client.get("/cover/?size=96", headers={"If-None-Match": etag}) as again:
        assert again.status_code == 304


def test_a_folder_without_a_picture_gets_a_drawn_one(client: FlaskClient, music: Path) -> None:
    (music / "A").mkdir()
    make_audio(music / "A" / "a.flac", samples=441)
    folder = client.get("/cover/A")
    (address,) = re.findall(r'data-key.*data-cover="([^"]+)"', page_of(client, "/browse/A"))
    track = client.get(address)
    assert folder.mimetype == track.mimetype == "image/svg+xml"
    assert folder.data == draw_placeholder("A").encode()
    assert draw_placeholder("A") != draw_placeholder("B")
    assert draw_placeholder(os.fsdecode(b"\xff"))


def test_there_is_no_cover_of_what_is_outside(client: FlaskClient, music: Path) -> None:
    (music / "out").symlink_to("/")
    assert client.get("/cover/out").status_code == 404


def test_the_cover_of_a_folder_comes_in_the_sizes_of_all_covers(
    client: FlaskClient, music: Path
) -> None:
    (music / "cover.jpg").write_bytes(make_picture(1000, 1000))
    for size in (96, 320, 640):
        with client.get(f"/cover/?size={size}") as answer:
            assert open_picture(answer.data).size == (size, size)
    for size in ("small", "0", "97", "", "+96"):
        assert client.get("/cover/", query_string={"size": size}).status_code == 400


def test_a_folder_that_is_still_being_read_says_so_and_is_shown_anew(
    client: FlaskClient, music: Path, flac: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner_module, "_ON_THE_SPOT", 1)
    for number in range(3):
        place(flac, music / f"{number}.flac", title=str(number))
    page = page_of(client)
    assert "This folder is still being read" in page
    assert "data-fills-in" in page
    scanner = client.application.extensions["mixtape"].scanner
    assert scanner.wait(60).error is None
    page = page_of(client)
    assert "data-fills-in" not in page
    assert re.findall(r'data-title="(\d)"', page) == ["0", "1", "2"]


def test_what_somebody_looks_at_is_in_the_catalogue_from_then_on(
    client: FlaskClient, music: Path, flac: Path
) -> None:
    place(flac, music / "a.flac", title="Seen", artist="Somebody", album="Record")
    assert "Record" not in page_of(client, "/albums")
    assert "1 track" in page_of(client)
    albums = page_of(client, "/albums")
    assert "Record" in albums
    assert "1 album" in albums


def test_a_track_is_the_same_one_in_its_folder_and_on_its_album(
    client: FlaskClient, music: Path, flac: Path
) -> None:
    place(flac, music / "a.flac", title="Same", artist="Somebody", album="Record")
    row = re.compile(r'data-key="\d+" data-url="[^"]+" data-cover="[^"]+"')
    rows = {row.findall(page_of(client, address))[0] for address in ("/", "/search?q=same")}
    assert len(rows) == 1


def test_a_file_that_may_not_be_read_says_what_the_system_says(
    client: FlaskClient, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, known: Identity) -> None:
        raise AudioFileError("Permission denied")

    monkeypatch.setattr(scanner_module, "read_audio_file", refuse)
    (music / "locked.flac").touch()
    page = page_of(client)
    assert "locked.flac" in page
    assert "Permission denied" in page
