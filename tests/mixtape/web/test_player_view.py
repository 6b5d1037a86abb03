from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from mixtape.mixtapes.values import SavedMixtape
from mixtape.web.security import CONTENT_SECURITY_POLICY
from tests.helpers.host import PAGE, PASSWORD, make_app, sign_in
from tests.helpers.mixtapes import scan, services_of, share_mixtape, stream_urls
from tests.helpers.people import add_user, signed_in
from tests.helpers.tracks import make_picture, open_picture, place

NAMES = ("Album/1.flac", "Album/2.flac", "bare.mp3")


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path, mp3: Path) -> Flask:
    """Return the application with a password and three tracks, two of them with a cover."""
    app = make_app(tmp_path, password=PASSWORD)
    place(flac, music / NAMES[0], title="<i>First</i>", artist='A & "B"', album="Album")
    place(flac, music / NAMES[1], title="Second", artist="C")
    place(mp3, music / NAMES[2])
    (music / "Album" / "cover.jpg").write_bytes(make_picture())
    scan(app)
    return app


@pytest.fixture
def mixtape(app: Flask) -> SavedMixtape:
    return share_mixtape(app, *NAMES, title="Long & late", notes="Side A\nSide <B>")


@pytest.fixture
def listener(app: Flask) -> FlaskClient:
    """Return a browser that never signed in."""
    return app.test_client()


def page_of(client: FlaskClient, mixtape: SavedMixtape) -> str:
    answer = client.get(f"/mixtapes/{mixtape.slug}", headers=PAGE)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_whoever_has_the_link_sees_title_notes_and_tracks(
    listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    page = page_of(listener, mixtape)
    assert "<h1>Long &amp; late</h1>" in page
    assert "Side A<br>\nSide &lt;B&gt;" in page
    assert "3 tracks" in page
    assert "<i>First" not in page
    for words in ("<i>First</i>", 'A & "B"', "Second", "bare", "FLAC 16/44.1"):
        assert str(escape(words)) in page


def test_every_track_has_an_address_of_its_own_that_plays(
    listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    urls = stream_urls(listener, mixtape)
    assert len(set(urls)) == 3
    for url in urls:
        with listener.get(f"{url}?quality=original") as answer:
            assert answer.status_code == 200
            assert answer.mimetype in {"audio/flac", "audio/mpeg"}
            assert answer.headers["Audio-Cache-Rendition"].startswith("quality=original")


def test_a_stream_comes_at_the_quality_and_range_that_is_asked_for(
    listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    url = stream_urls(listener, mixtape)[0] + "?quality=low"
    with listener.head(url) as head:
        assert head.status_code == 200
        assert head.data == b""
    with listener.get(url) as whole:
        assert whole.mimetype == "audio/mpeg"
        assert "bitrate=128" in whole.headers["Audio-Cache-Rendition"]
        content = whole.get_data()
    assert len(content) == head.content_length
    with listener.get(url, headers={"Range": "bytes=1000-1999"}) as part:
        assert part.status_code == 206
        assert part.get_data() == content[1000:2000]
    assert listener.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert listener.get(url.replace("low", "best")).status_code == 400


def test_covers_of_the_mixtape_are_shown_in_their_sizes(
    listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    assert mixtape.cover_key is not None
    for size in (96, 320, 640):
        address = f"/mixtapes/{mixtape.slug}/covers/{mixtape.cover_key}?size={size}"
        with listener.get(address) as answer:
            assert answer.mimetype == "image/jpeg"
            assert "private" in answer.headers["Cache-Control"]
            assert max(open_picture(answer.get_data()).size) == min(size, 300)
    assert listener.get(address.replace("640", "641")).status_code == 400
    page = page_of(listener, mixtape)
    shown = set(re.findall(r'(?:src|data-cover)="(/mixtapes/[^"]+/covers/[^"]+)"', page))
    assert len(shown) == 3
    for address in shown:
        with listener.get(address.replace("&amp;", "&")) as answer:
            assert answer.status_code == 200


def test_the_page_presents_itself_to_who_is_sent_the_link(
    listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    page = page_of(listener, mixtape)
    assert "<title>Long &amp; late – mixtape</title>" in page
    assert '<meta property="og:title" content="Long &amp; late">' in page
    assert '<meta property="og:description" content="3 tracks · ' in page
    [image] = re.findall(r'<meta property="og:image" content="([^"]+)">', page)
    assert image.startswith(f"http://localhost/mixtapes/{mixtape.slug}/covers/")
    with listener.get(image.removeprefix("http://localhost")) as answer:
        assert answer.mimetype == "image/jpeg"


def test_no_search_engine_keeps_any_of_it(listener: FlaskClient, mixtape: SavedMixtape) -> None:
    page = f"/mixtapes/{mixtape.slug}"
    addresses = [page, f"{page}/covers/{mixtape.cover_key}", *stream_urls(listener, mixtape)]
    for address in [*addresses, "/mixtapes/" + "A" * 22]:
        with listener.get(address, headers=PAGE) as answer:
            assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
            assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert "public" not in answer.headers.get("Cache-Control", "")
    assert '<meta name="robots" content="noindex, nofollow">' in page_of(listener, mixtape)


def test_a_listener_gets_no_cookie_and_no_way_into_the_library(
    listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    answer = listener.get(f"/mixtapes/{mixtape.slug}", headers=PAGE)
    assert "Set-Cookie" not in answer.headers
    assert "csrf" not in answer.text
    assert 'href="/"' not in answer.text
    assert "Album/1.flac" not in answer.text
    assert mixtape.share_key not in answer.text


def test_a_track_whose_file_is_missing_is_listed_and_not_played(
    app: Flask, listener: FlaskClient, music: Path, mixtape: SavedMixtape
) -> None:
    (music / NAMES[0]).unlink()
    before = stream_urls(listener, mixtape)
    answer = listener.get(before[0])
    assert answer.status_code == 404
    assert answer.json == {"error": {"status": 404, "message": "There is no such track."}}
    scan(app)
    assert stream_urls(listener, mixtape) == before[1:]
    assert "This file is missing at the moment." in page_of(listener, mixtape)


def test_a_track_that_cannot_be_read_is_listed_and_not_played(
    app: Flask, listener: FlaskClient, music: Path
) -> None:
    (music / "broken.flac").write_bytes(b"fLaC" + bytes(100))
    scan(app)
    mixtape = share_mixtape(app, "broken.flac")
    assert stream_urls(listener, mixtape) == []
    assert "This file cannot be read." in page_of(listener, mixtape)


def test_an_empty_mixtape_says_so_and_has_no_player(app: Flask, listener: FlaskClient) -> None:
    page = page_of(listener, share_mixtape(app))
    assert "Nothing on this mixtape yet" in page
    assert 'id="player"' not in page


def test_the_same_track_twice_is_two_places_of_one_address(
    app: Flask, listener: FlaskClient
) -> None:
    mixtape = share_mixtape(app, NAMES[0], NAMES[0])
    first, second = stream_urls(listener, mixtape)
    assert first == second
    assert re.findall(r'data-key="(\d+)"', page_of(listener, mixtape)) == ["0", "1"]


def test_a_mixtape_that_is_not_shared_is_shown_to_its_owner_alone(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    services_of(app).mixtapes.unshare(mixtape.slug)
    assert listener.get(f"/mixtapes/{mixtape.slug}", headers=PAGE).status_code == 404
    owner = app.test_client()
    sign_in(owner)
    assert "only you can open it" in page_of(owner, mixtape)
    [url, *_] = stream_urls(owner, mixtape)
    with owner.get(url) as answer:
        assert answer.status_code == 200
    assert listener.get(url).status_code == 404


def test_a_link_that_leads_nowhere_says_what_to_do(listener: FlaskClient) -> None:
    answer = listener.get("/mixtapes/" + "A" * 22, headers=PAGE)
    assert answer.status_code == 404
    assert "ask whoever sent it to you" in answer.text
    assert "To the library" not in answer.text


def test_a_name_that_is_no_text_is_played(
    app: Flask, listener: FlaskClient, music: Path, mp3: Path
) -> None:
    name = os.fsdecode(b"caf\xe9 \n.mp3")
    (music / name).write_bytes(mp3.read_bytes())
    scan(app)
    [url] = stream_urls(listener, share_mixtape(app, name))
    with listener.get(url) as answer:
        assert answer.get_data() == mp3.read_bytes()


def test_trying_many_links_is_slowed_down_and_hinders_nobody_else(
    listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    statuses = [listener.get(f"/mixtapes/{n:022}").status_code for n in range(61)]
    assert statuses == [404] * 60 + [429]
    assert listener.get(f"/mixtapes/{61:022}").headers["Retry-After"] == "60"
    # The same address has the right link too: a household, or a proxy that was not declared.
    [url, *_] = stream_urls(listener, mixtape)
    assert listener.head(url).status_code == 200


def test_no_number_of_plays_is_too_many(listener: FlaskClient, mixtape: SavedMixtape) -> None:
    [url, *_] = stream_urls(listener, mixtape)
    for _ in range(100):
        with listener.head(url) as answer:
            assert answer.status_code == 200


def test_files_that_vanished_are_no_guesses(
    listener: FlaskClient, music: Path, mixtape: SavedMixtape
) -> None:
    [url, *_] = stream_urls(listener, mixtape)
    (music / NAMES[0]).unlink()
    assert {listener.head(url).status_code for _ in range(100)} == {404}


def test_a_song_plays_on_other_devices_and_no_script_of_another_site_reads_it(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    with listener.get(stream_urls(listener, mixtape)[0]) as answer:
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_what_a_page_needs_besides_music_and_covers_is_small(
    listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    page = page_of(listener, mixtape)
    loaded = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page))
    scripts = [address for address in loaded if address.endswith("mixtape.js")]
    while scripts:
        with listener.get(scripts.pop()) as answer:
            found = re.findall(r'from "\./([\w-]+\.js)"', answer.text)
        fresh = {f"/static/js/{name}" for name in found} - loaded
        loaded |= fresh
        scripts += fresh
    assert len(loaded) > 15
    total = len(page.encode())
    for address in loaded:
        with listener.get(address, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.status_code == 200, address
            total += len(answer.get_data())
    assert total < 350_000


def test_plays_are_counted_on_the_page_of_whoever_made_the_mixtape_alone(
    app: Flask, listener: FlaskClient, mixtape: SavedMixtape
) -> None:
    add_user(app)
    pages = {
        "owner": signed_in(app, "", PASSWORD).page(f"/mixtapes/{mixtape.slug}").text,
        "ann": signed_in(app, "Ann").page(f"/mixtapes/{mixtape.slug}").text,
        "listener": page_of(listener, mixtape),
    }
    counting = {who for who, page in pages.items() if "data-playback-url" in page}
    assert counting == {"owner"}
    assert 'name="csrf-token"' in pages["owner"]
    assert 'name="csrf-token"' not in pages["listener"]
