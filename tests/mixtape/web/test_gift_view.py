"""The page of a mixtape as a present, and what the editor sends for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from mixtape.library.collages import CARD_SIZE
from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.host import PAGE, make_app
from tests.helpers.mixtapes import (
    Owner,
    message_of,
    save_mixtape,
    scan,
    services_of,
    share_mixtape,
    track_id,
)
from tests.helpers.tracks import embed, make_picture, open_picture, place

NAMES = ("1.flac", "2.flac", "3.flac")


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path) -> Iterator[Flask]:
    """Return the application with three tracks, each with a cover of its own."""
    for name, colour in zip(NAMES, ("red", "lime", "blue"), strict=True):
        path = place(flac, music / name, title=f"Track {name[0]}", artist="Somebody")
        embed(path, (3, make_picture(colour=colour)))
    app = make_app(tmp_path)
    scan(app)
    yield app
    services_of(app).close()


@pytest.fixture
def gift(app: Flask) -> SavedMixtape:
    return share_mixtape(
        app,
        *NAMES,
        notes="# Hello\n*you* <script>",
        sender="Tom & I",
        recipient="Anna",
        side_b=2,
        track_notes=("", "Ours <3"),
    )


def page_of(app: Flask, mixtape: SavedMixtape) -> str:
    answer = app.test_client().get(f"/mixtapes/{mixtape.slug}", headers=PAGE)
    assert answer.status_code == 200
    return answer.text


def begin(owner: Owner) -> str:
    answer = owner.send("POST", "/api/drafts", {"slug": None})
    assert answer.json is not None
    return str(answer.json["key"])


def test_the_page_shows_all_that_was_given(app: Flask, gift: SavedMixtape) -> None:
    page = page_of(app, gift)
    for words in ("To Anna", "From Tom &amp; I", "Ours &lt;3", "<em>you</em> &lt;script&gt;"):
        assert words in page
    assert re.findall(r"<h2 id=\"side-\w\">([^<]+)", page) == ["Side A", "Side B"]
    assert re.findall(r'<ol class="tracks[^"]*" start="(\d)"', page) == ["1", "3"]
    assert re.findall(r'class="track-number"[^>]*>(\d)', page) == ["1", "2", "3"]
    assert f'datetime="{gift.day.isoformat()}"' in page


def test_a_plain_mixtape_has_no_sides_names_or_notes(app: Flask) -> None:
    page = page_of(app, share_mixtape(app, *NAMES))
    for words in ("Side A", "From ", "Liner notes", "track-note"):
        assert words not in page
    assert 'aria-label="Tracks"' in page


def test_the_owners_empty_tape_says_how_to_add_music(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Empty")
    page = owner.page(f"/mixtapes/{mixtape.slug}").text
    assert "Come back later" not in page
    assert f'href="/mixtapes/{mixtape.slug}/edit"' in page
    assert "Add music" in page


@pytest.mark.parametrize(
    ("size", "shape"), [("96", (96, 96)), ("320", (320, 320)), ("card", CARD_SIZE)]
)
def test_the_cover_is_made_of_those_of_its_tracks(
    app: Flask, gift: SavedMixtape, size: str, shape: tuple[int, int]
) -> None:
    [shown] = re.findall(r'class="mixtape-cover">.*?<img src="([^"]+)"', page_of(app, gift), re.S)
    address = shown.replace("size=640", f"size={size}")
    assert address != shown
    with app.test_client().get(address) as answer:
        assert answer.mimetype == "image/jpeg"
        assert "immutable" in answer.headers["Cache-Control"]
        assert open_picture(answer.get_data()).size == shape


def test_a_link_is_previewed_by_a_card(app: Flask, gift: SavedMixtape) -> None:
    [image] = re.findall(r'<meta property="og:image" content="([^"]+)">', page_of(app, gift))
    assert image.endswith("?size=card")
    with app.test_client().get(image.removeprefix("http://localhost")) as answer:
        assert open_picture(answer.get_data()).size == CARD_SIZE


def test_a_chosen_cover_takes_the_place_of_the_made_one(app: Flask) -> None:
    chosen = services_of(app).artwork.add_upload(make_picture(colour="black"))
    mixtape = share_mixtape(app, *NAMES, cover_key=chosen)
    assert f"/covers/{chosen}?size=640" in page_of(app, mixtape)


def test_the_list_of_mixtapes_shows_made_covers(
    app: Flask, owner: Owner, gift: SavedMixtape
) -> None:
    [shown] = re.findall(r'<img src="(/mixtapes/[^"]+)"', owner.page("/mixtapes").text)
    with owner.client.get(shown) as answer:
        assert answer.mimetype == "image/jpeg"


def test_what_makes_a_gift_is_drafted_and_saved(app: Flask, owner: Owner) -> None:
    key = begin(owner)
    ids = [track_id(app, name) for name in NAMES]
    state: dict[str, Any] = {
        "title": "Gift",
        "notes": "",
        "cover_key": None,
        "track_ids": ids,
        "track_notes": ["", "Ours"],
        "sender": "Tom",
        "recipient": "Anna",
        "made_on": "2020-02-29",
        "side_b": 1,
    }
    assert owner.send("PUT", f"/api/drafts/{key}", {"state": state, "revision": 0}).json
    drafted = owner.send("GET", f"/api/drafts/{key}").json
    assert drafted is not None
    assert [track["note"] for track in drafted["tracks"]] == ["", "Ours", ""]
    assert (drafted["made_on"], drafted["side_b"]) == ("2020-02-29", 1)
    answer = owner.send("POST", f"/api/drafts/{key}/save", {"state": state})
    assert answer.json is not None
    stored = services_of(app).mixtapes.get(answer.json["slug"]).state
    assert stored.as_json() == {
        **state,
        "track_ids": tuple(ids),
        "track_notes": ("", "Ours"),
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"made_on": "29.11.2026"}, "is like 2026-11-29, and not 29.11.2026"),
        ({"made_on": 7}, "is like 2026-11-29"),
        ({"side_b": "1"}, "a whole number of tracks"),
        ({"side_b": True}, "a whole number of tracks"),
        ({"side_b": 9}, "ide B begins after 9 tracks"),
        ({"sender": 1}, "“sender” of a mixtape is a text"),
        ({"recipient": "x" * 101}, "longer than 100 characters"),
        ({"track_notes": "x"}, "a list of texts"),
        ({"track_notes": [1]}, "a list of texts"),
        ({"track_notes": ["x" * 501]}, "longer than 500 characters"),
    ],
)
def test_what_no_gift_has_is_refused_in_words(
    app: Flask, owner: Owner, change: dict[str, Any], words: str
) -> None:
    state = {"title": "Gift", "track_ids": [track_id(app, NAMES[0])], **change}
    answer = owner.send("POST", f"/api/drafts/{begin(owner)}/save", {"state": state})
    assert answer.status_code == 400
    assert words in message_of(answer)


def test_liner_notes_are_previewed_as_the_page_shows_them(owner: Owner) -> None:
    answer = owner.send("POST", "/api/liner-notes", {"notes": "*you* <script>"})
    assert answer.json == {"html": "<p><em>you</em> &lt;script&gt;</p>\n"}
    for notes in (None, 7, "x" * 10_001):
        assert owner.send("POST", "/api/liner-notes", {"notes": notes}).status_code == 400


def test_the_drawing_of_the_cassette_needs_no_style_or_script_of_the_page(
    app: Flask, gift: SavedMixtape
) -> None:
    page = page_of(app, gift)
    assert "cassette-drawing" in page
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=", page)
