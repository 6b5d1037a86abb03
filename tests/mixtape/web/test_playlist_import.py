from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.helpers.host import PASSWORD, make_app
from tests.helpers.mixtapes import Owner, message_of, scan, services_of, track_id
from tests.helpers.tracks import place

ADDRESS = "/api/playlists?name=Old%20tape.m3u"


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path, mp3: Path) -> Flask:
    app = make_app(tmp_path)
    place(flac, music / "Album" / "1.flac", title="First")
    place(mp3, music / "bare.mp3", title="Bare")
    scan(app)
    return app


def test_a_playlist_becomes_a_draft_and_what_is_not_there_is_told(app: Flask, owner: Owner) -> None:
    content = b"/home/ann/Album/1.flac\n#EXTINF:9,Zoe - Gone\ngone.mp3\nbare.mp3\n"
    answer = owner.send_file(ADDRESS, content)
    assert answer.status_code == 201
    assert answer.json is not None
    assert (answer.json["title"], answer.json["found"]) == ("Old tape", 2)
    assert answer.json["missing"] == ["Zoe – Gone"]
    page = owner.page(answer.json["url"])
    assert page.status_code == 200
    [draft] = services_of(app).drafts.unsaved()
    assert draft.state["title"] == "Old tape"
    wanted = [track_id(app, "Album/1.flac"), track_id(app, "bare.mp3")]
    assert draft.state["track_ids"] == wanted


def test_a_playlist_of_nothing_that_is_there_begins_no_draft(app: Flask, owner: Owner) -> None:
    refused = owner.send_file(ADDRESS, b"gone.mp3\n")
    assert refused.status_code == 400
    assert message_of(refused) == "None of its tracks is in your library."
    assert not services_of(app).drafts.unsaved()


def test_a_file_that_is_too_large_is_refused_unread(owner: Owner) -> None:
    refused = owner.send_file(ADDRESS, b"x" * 2_000_001)
    assert refused.status_code == 400
    assert "larger than 2 MB" in message_of(refused)


def test_nobody_else_imports_anything(tmp_path: Path, app: Flask) -> None:
    visitor = make_app(tmp_path, password=PASSWORD).test_client()
    assert visitor.post(ADDRESS, data=b"bare.mp3\n").status_code in {400, 401}
    assert not services_of(app).drafts.unsaved()
