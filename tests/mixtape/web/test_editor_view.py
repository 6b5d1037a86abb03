from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from mixtape.database.tables import Draft
from tests.helpers.host import PAGE, PASSWORD, make_app
from tests.helpers.mixtapes import (
    Owner,
    make_scanned_app,
    message_of,
    save_mixtape,
    services_of,
    track_id,
)
from tests.helpers.tracks import make_picture, place


@pytest.fixture
def app(tmp_path: Path, music: Path, mp3: Path) -> Iterator[Flask]:
    """Return an application whose music is lossy, so that no save begins to encode."""
    for number, title in enumerate(("Alpha", "Beta", "Gamma"), 1):
        place(mp3, music / f"{number}.mp3", title=title, artist="Somebody")
    app = make_scanned_app(tmp_path)
    yield app
    services_of(app).close()


def begin(owner: Owner, slug: str | None = None) -> dict[str, Any]:
    answer = owner.send("POST", "/api/drafts", {"slug": slug})
    assert answer.status_code == 201
    assert answer.json is not None
    return dict(answer.json)


def state(app: Flask, title: str, *titles: str, **more: Any) -> dict[str, Any]:
    ids = [track_id(app, name) for name in titles]
    return {"title": title, "notes": "", "cover_key": None, "track_ids": ids, **more}


def save(owner: Owner, key: str, saved: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = owner.send("POST", f"/api/drafts/{key}/save", {"state": saved, **more})
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return dict(answer.json)


def test_a_new_mixtape_begins_as_a_draft_with_an_address_of_its_own(owner: Owner) -> None:
    url = begin(owner)["url"]
    assert url.startswith("/mixtapes/drafts/")
    assert "New mixtape" in owner.page(url).text


def drafts_in(app: Flask) -> int:
    with services_of(app).database.read() as session:
        return session.scalars(select(func.count()).select_from(Draft)).one()


def test_looking_at_an_editor_stores_nothing(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Tape", "Alpha")
    before = drafts_in(app)
    for address in ("/mixtapes/new", f"/mixtapes/{mixtape.slug}/edit"):
        assert owner.page(address).status_code == 200
    assert drafts_in(app) == before


def test_a_draft_goes_on_from_the_mixtape_that_its_page_was_opened_with(
    app: Flask, owner: Owner
) -> None:
    mixtape = save_mixtape(app, "Tape", "Alpha")
    services_of(app).mixtapes.save(mixtape.slug, mixtape.state, revision=mixtape.revision)
    body = {"slug": mixtape.slug, "base_revision": mixtape.revision}
    draft = owner.send("POST", "/api/drafts", body).json
    assert draft is not None
    answer = owner.send("POST", f"/api/drafts/{draft['key']}/save", {"state": state(app, "Mine")})
    assert answer.status_code == 409


@pytest.mark.parametrize("revision", ["1", 1.5, True, [1], 10**30])
def test_a_revision_that_is_no_number_is_refused(owner: Owner, revision: Any) -> None:
    answer = owner.send("POST", "/api/drafts", {"slug": None, "base_revision": revision})
    assert answer.status_code == 400


def test_json_that_nests_too_deeply_is_refused(
    app: Flask, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/api/drafts/{begin(owner)['key']}"
    deep = '{"state": ' + "[" * 100_000 + "]" * 100_000 + "}"
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    answer = owner.client.put(address, data=deep, content_type="application/json")
    assert answer.status_code == 400
    assert "JSON object" in answer.text


def test_what_was_autosaved_is_there_again(app: Flask, owner: Owner) -> None:
    key = begin(owner)["key"]
    kept = state(app, "Night train", "Gamma", "Alpha", notes="Slow.")
    answer = owner.send("PUT", f"/api/drafts/{key}", {"revision": 0, "state": kept})
    assert answer.json == {"revision": 1}
    draft = owner.client.get(f"/api/drafts/{key}").json
    assert draft is not None
    assert [track["title"] for track in draft["tracks"]] == ["Gamma", "Alpha"]
    assert (draft["title"], draft["notes"], draft["revision"]) == ("Night train", "Slow.", 1)
    assert "Night train" in owner.page("/mixtapes").text


def test_an_autosave_from_an_old_revision_is_told_of_the_conflict(app: Flask, owner: Owner) -> None:
    address = f"/api/drafts/{begin(owner)['key']}"
    owner.send("PUT", address, {"revision": 0, "state": state(app, "First tab")})
    answer = owner.send("PUT", address, {"revision": 0, "state": state(app, "Second tab")})
    assert answer.status_code == 409
    assert "changed elsewhere" in message_of(answer)
    draft = owner.client.get(address).json
    assert draft is not None
    assert draft["title"] == "First tab"


def test_a_save_makes_a_mixtape_of_the_draft(app: Flask, owner: Owner) -> None:
    key = begin(owner)["key"]
    answer = save(owner, key, state(app, "Night train", "Beta", "Alpha"))
    mixtape = services_of(app).mixtapes.get(answer["slug"])
    assert [track.title for track in mixtape.tracks] == ["Beta", "Alpha"]
    # The save ends at the link, which can be given away at once.
    assert mixtape.shared
    assert answer["edit_url"] == f"/mixtapes/{mixtape.slug}/edit"
    assert owner.client.get(f"/api/drafts/{key}").status_code == 404
    assert "Night train" in owner.page("/mixtapes").text


def test_a_stored_mixtape_is_edited_in_a_draft_until_it_is_saved(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Before", "Alpha")
    draft = begin(owner, mixtape.slug)
    assert draft["title"] == "Before"
    after = state(app, "After", "Beta")
    owner.send("PUT", f"/api/drafts/{draft['key']}", {"revision": 0, "state": after})
    assert services_of(app).mixtapes.get(mixtape.slug).title == "Before"
    assert "After" in owner.page(f"/mixtapes/{mixtape.slug}/edit").text
    assert "unsaved changes" in owner.page("/mixtapes").text
    assert save(owner, draft["key"], after)["slug"] == mixtape.slug
    assert services_of(app).mixtapes.get(mixtape.slug).title == "After"


def test_a_mixtape_that_was_saved_elsewhere_is_replaced_only_on_demand(
    app: Flask, owner: Owner
) -> None:
    mixtape = save_mixtape(app, "Before", "Alpha", "Beta")
    key = begin(owner, mixtape.slug)["key"]
    less = replace(mixtape.state, track_ids=mixtape.state.track_ids[1:])
    services_of(app).mixtapes.save(mixtape.slug, less, revision=mixtape.revision)
    mine = {"state": state(app, "Mine", "Gamma")}
    answer = owner.send("POST", f"/api/drafts/{key}/save", mine)
    assert answer.status_code == 409
    assert "changed elsewhere" in message_of(answer)
    save(owner, key, mine["state"], overwrite=True)
    assert services_of(app).mixtapes.get(mixtape.slug).title == "Mine"


def test_a_discarded_draft_is_gone_and_the_mixtape_is_as_it_was(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Before", "Alpha")
    key = begin(owner, mixtape.slug)["key"]
    owner.send("PUT", f"/api/drafts/{key}", {"revision": 0, "state": state(app, "After")})
    assert owner.send("DELETE", f"/api/drafts/{key}").status_code == 204
    assert begin(owner, mixtape.slug)["title"] == "Before"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": " \t"}, "needs a title"),
        ({"title": "x" * 201}, "longer than 200"),
        ({"notes": "x" * 10_001}, "longer than 10,000"),
        ({"track_ids": [987_654]}, "o longer in the library"),
        ({"track_ids": [1] * 1_001}, "more than 1,000 tracks"),
        ({"cover_key": "0" * 32}, "none that was uploaded"),
        ({"title": 5}, "“title” of a mixtape is a text"),
        ({"track_ids": "12"}, "list of ids"),
        ({"track_ids": [True]}, "list of ids"),
        ({"cover_key": 7}, "key that the upload"),
    ],
)
def test_what_cannot_be_saved_is_refused_in_words(
    app: Flask, owner: Owner, change: dict[str, Any], words: str
) -> None:
    key = begin(owner)["key"]
    body = {"state": {**state(app, "Fine", "Alpha"), **change}}
    answer = owner.send("POST", f"/api/drafts/{key}/save", body)
    assert answer.status_code == 400
    assert words in message_of(answer)
    assert services_of(app).mixtapes.summaries() == ()


@pytest.mark.parametrize(
    "body",
    [
        *([], "x", None, {}, {"state": 1}, {"state": {}, "revision": "1"}),
        {"state": {"cover_key": "\ud83d"}, "revision": 0},
    ],
)
def test_an_autosave_of_something_else_is_refused(owner: Owner, body: Any) -> None:
    answer = owner.send("PUT", f"/api/drafts/{begin(owner)['key']}", body)
    assert answer.status_code == 400
    message_of(answer)


def test_a_cover_is_taken_made_anew_and_shown(app: Flask, owner: Owner) -> None:
    answer = owner.send_file("/api/covers", make_picture(400, 300, "PNG"))
    assert answer.status_code == 201
    assert answer.json is not None
    key = answer.json["cover_key"]
    with owner.client.get(answer.json["url"]) as picture:
        assert picture.mimetype == "image/jpeg"
    saved = save(owner, begin(owner)["key"], state(app, "With cover", "Alpha", cover_key=key))
    assert services_of(app).mixtapes.get(saved["slug"]).cover_key == key


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a JPEG, PNG or WebP picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG, PNG or WebP picture"),
        (make_picture(20, 20), "20 × 20 pixels"),
        (b"x" * 10_000_001, "10 MB: choose one of up to 10 MB"),
        (make_picture(kind="GIF"), "not a JPEG, PNG or WebP picture"),
    ],
)
def test_a_cover_that_is_not_accepted_is_told_in_words(
    owner: Owner, content: bytes, words: str
) -> None:
    answer = owner.send_file("/api/covers", content)
    assert answer.status_code == 400
    assert words in message_of(answer)


def test_a_request_larger_than_anything_we_take_is_refused_unread(owner: Owner) -> None:
    answer = owner.send_file("/api/drafts", b"x" * 12_000_001)
    assert answer.status_code in {400, 413}
    message_of(answer)


def test_sharing_opens_closes_and_renews_the_link(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha")
    shared = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/share").json
    assert shared is not None
    assert shared["shared"] is True
    assert shared["link"].endswith(f"/mixtapes/{mixtape.slug}")
    renewed = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/renew").json
    assert renewed is not None
    assert renewed["slug"] != mixtape.slug
    assert owner.send("POST", f"/api/mixtapes/{mixtape.slug}/share").status_code == 404
    closed = owner.send("POST", f"/api/mixtapes/{renewed['slug']}/unshare").json
    assert closed is not None
    assert closed["shared"] is False


def test_a_deleted_mixtape_is_gone_with_its_draft(app: Flask, owner: Owner) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha")
    key = begin(owner, mixtape.slug)["key"]
    assert owner.send("DELETE", f"/api/mixtapes/{mixtape.slug}").status_code == 204
    assert owner.page(f"/mixtapes/{mixtape.slug}/edit").status_code == 404
    assert owner.client.get(f"/api/drafts/{key}").status_code == 404


def test_a_missing_track_is_shown_as_such_and_stays_on_the_tape(
    app: Flask, owner: Owner, music: Path
) -> None:
    mixtape = save_mixtape(app, "Night train", "Alpha", "Beta")
    (music / "1.mp3").unlink()
    services_of(app).scanner.start()
    services_of(app).scanner.wait(60)
    tracks = begin(owner, mixtape.slug)["tracks"]
    assert [bool(track["problem"]) for track in tracks] == [True, False]
    assert "1 file missing" in owner.page("/mixtapes").text


ADDRESSES = [
    ("POST", "/api/drafts"),
    ("PUT", "/api/drafts/x"),
    ("DELETE", "/api/drafts/x"),
    ("POST", "/api/drafts/x/save"),
    ("POST", "/api/covers"),
    ("POST", "/api/mixtapes/x/share"),
    ("POST", "/api/mixtapes/x/unshare"),
    ("POST", "/api/mixtapes/x/renew"),
    ("DELETE", "/api/mixtapes/x"),
    ("POST", "/api/mixtapes/x/cache"),
    ("POST", "/api/caching/x/cancel"),
    ("POST", "/api/cache-folder/"),
    ("POST", "/api/cache-folder/x"),
]


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_nothing_is_changed_without_the_token(app: Flask, method: str, address: str) -> None:
    answer = app.test_client().open(address, method=method, json={})
    assert answer.status_code == 400
    assert "open for too long" in message_of(answer)


@pytest.mark.parametrize(
    ("method", "address"),
    [
        *ADDRESSES,
        ("GET", "/mixtapes"),
        ("GET", "/mixtapes/new"),
        ("GET", "/mixtapes/drafts/x"),
        ("GET", "/mixtapes/x/edit"),
        ("GET", "/mixtapes/signed-in"),
        ("GET", "/api/session"),
        ("GET", "/api/drafts/x"),
        ("GET", "/api/mixtapes/x/readiness"),
    ],
)
def test_the_editor_is_for_those_who_are_signed_in(
    locked: FlaskClient, method: str, address: str
) -> None:
    answer = locked.open(address, method=method)
    assert answer.status_code == 401
    assert "session has ended" in message_of(answer)


@pytest.mark.parametrize("address", ["/mixtapes/drafts/x", "/mixtapes/x/edit", "/mixtapes/é/edit"])
def test_a_mixtape_or_draft_that_is_not_there_is_a_page_with_a_way_out(
    owner: Owner, address: str
) -> None:
    answer = owner.page(address)
    assert answer.status_code == 404
    assert "There is no such" in answer.text


def test_markup_in_a_title_is_text(app: Flask, owner: Owner) -> None:
    title = "</script><img src=x onerror=alert(1)>'\""
    mixtape = save_mixtape(app, title, "Alpha")
    for address in ("/mixtapes", f"/mixtapes/{mixtape.slug}/edit"):
        assert "<img src=x" not in owner.page(address).text


def test_the_session_address_gives_whoever_signed_in_again_a_token(tmp_path: Path) -> None:
    app = make_app(tmp_path, password=PASSWORD)
    client = app.test_client()
    assert client.get("/api/session").status_code == 401
    assert client.get("/mixtapes/new", headers=PAGE).status_code == 302  # to sign in
    services_of(app).close()


def test_half_an_emoji_in_a_draft_breaks_no_page(owner: Owner) -> None:
    draft = begin(owner)
    kept = {"title": "Night \ud83d train", "notes": "\ude82", "cover_key": None, "track_ids": []}
    body = {"state": kept, "revision": draft["revision"]}
    assert owner.send("PUT", f"/api/drafts/{draft['key']}", body).status_code == 200
    assert "Night ? train" in owner.page("/mixtapes").text
