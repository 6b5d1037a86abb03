"""What a listener reaches: the library and what is theirs, and nothing that is somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from mixtape.web.access import ADMIN_ENDPOINTS, OPEN_ENDPOINTS, USER_ENDPOINTS
from tests.helpers.host import PAGE, PASSWORD
from tests.helpers.mixtapes import Owner, make_scanned_app, services_of, share_mixtape, track_id
from tests.helpers.people import add_user, signed_in
from tests.helpers.tracks import make_picture, place
from tests.mixtape.web.attacker import PLACEHOLDER, come_from_elsewhere

TITLE = "The first one's own"
NOTE = "for nobody else"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, mp3: Path, flac: Path) -> Flask:
    root = tmp_path_factory.mktemp("listeners")
    place(flac, root / "music" / "a" / "1.flac", title="Song", artist="Somebody", album="Album")
    place(mp3, root / "music" / "b.mp3", title="Alone", artist="Nobody")
    app = make_scanned_app(root, password=PASSWORD)
    add_user(app)
    add_user(app, "Eve", "admin")
    return app


@pytest.fixture(scope="module")
def theirs(app: Flask) -> SavedMixtape:
    """Return a mixtape of the first user that nobody else may see, with a draft and a cover."""
    services = services_of(app)
    key = services.artwork.add_upload(make_picture())
    state = MixtapeState(TITLE, notes=NOTE, track_ids=(track_id(app, "Song"),), cover_key=key)
    mixtape = services.mixtapes.create(state)
    services.drafts.begin(mixtape.slug)
    return mixtape


@pytest.fixture(scope="module")
def draft_key(app: Flask) -> str:
    """Return the key of the first user's draft of a mixtape that was never saved."""
    drafts = services_of(app).drafts
    draft = drafts.begin()
    drafts.save(draft.key, {"title": TITLE, "track_ids": []}, revision=0)
    return draft.key


@pytest.fixture(scope="module")
def ann(app: Flask) -> Owner:
    return signed_in(app, "ann")


@pytest.fixture(scope="module")
def eve(app: Flask) -> Owner:
    return signed_in(app, "eve")


def test_every_address_stands_in_one_of_the_three_lists(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints == OPEN_ENDPOINTS | USER_ENDPOINTS | ADMIN_ENDPOINTS
    assert len(OPEN_ENDPOINTS) + len(USER_ENDPOINTS) + len(ADMIN_ENDPOINTS) == len(endpoints)


def ways(rule: Rule, values: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the methods and the address of a route with what stands in its places."""
    path = PLACEHOLDER.sub(lambda place: values[place[1]], rule.rule)
    for method in sorted((rule.methods or set()) - {"OPTIONS"}):
        yield method, path


def fillings(mixtape: SavedMixtape, draft_key: str, cover_key: str) -> dict[str, str]:
    """Return what names a mixtape and all that belongs to it, by the names of the places."""
    return {
        "slug": mixtape.slug,
        "task_id": mixtape.slug,
        "token": str(mixtape.tracks[0].id),
        "key": draft_key,
        "link_id": str(mixtape.link.id),
        "track_id": str(mixtape.tracks[0].id),
        "device_id": "1",
        "user_id": "1",
        "size": "320",
        "number": "1",
        "name": "icon-192",
        "quality": "low",
        "kind": "verify",
        "object_id": "0" * 48,
        "filename": "js/app.js",
        "file_path": "b.mp3",
        "path": "a",
    }


@pytest.mark.slow
@pytest.mark.parametrize("who", ["ann", "eve"])
def test_on_no_route_is_anything_of_somebody_elses(
    app: Flask, theirs: SavedMixtape, draft_key: str, who: str, request: pytest.FixtureRequest
) -> None:
    visitor: Owner = request.getfixturevalue(who)
    is_admin, token = who == "eve", visitor.token()
    cover = str(theirs.own_cover_key)
    asked = 0
    for rule in app.url_map.iter_rules():
        # These end the session, and what follows would prove nothing.
        if rule.endpoint in {"auth.logout", "auth.sign_in"}:
            continue
        # What admins may do to the site itself is not done here.
        if is_admin and rule.endpoint in ADMIN_ENDPOINTS and "GET" not in (rule.methods or ()):
            continue
        key = cover if rule.endpoint.startswith(("player.", "installing.")) else draft_key
        for method, path in ways(rule, fillings(theirs, key, cover)):
            for headers in ({}, PAGE):
                come_from_elsewhere(visitor.client)
                answer = visitor.client.open(
                    path,
                    method=method,
                    headers={**headers, "X-CSRFToken": token},
                    json={"track_ids": [theirs.tracks[0].id], "state": {}, "revision": 1},
                    buffered=False,
                )
                with answer:
                    content = b"" if answer.is_streamed else answer.get_data()
                asked += 1
                where = f"{method} {path}: {answer.status}"
                assert answer.status_code < 500, where
                assert TITLE.encode() not in content, where
                assert NOTE.encode() not in content, where
                assert draft_key.encode() not in content, where
                if rule.endpoint in ADMIN_ENDPOINTS and not is_admin:
                    assert answer.status_code == 403, where
                elif "slug" in rule.arguments or "task_id" in rule.arguments:
                    assert answer.status_code in {404, 400}, where
                elif rule.endpoint.startswith("drafts.") and "key" in rule.arguments:
                    assert answer.status_code in {404, 400} or method == "DELETE", where
    assert asked > 150
    kept = services_of(app)
    left = kept.mixtapes.get(theirs.slug)
    assert (left.title, left.revision, left.user_id, left.shared) == (TITLE, 1, 1, False)
    assert kept.drafts.get(draft_key).state["title"] == TITLE
    assert kept.drafts.of(theirs.slug) is not None


def test_the_same_walk_by_whose_it_is_does_reach_them(
    app: Flask, theirs: SavedMixtape, draft_key: str
) -> None:
    owner = signed_in(app, password=PASSWORD)
    for path in ("/mixtapes", f"/mixtapes/{theirs.slug}", f"/mixtapes/{theirs.slug}/edit"):
        assert TITLE.replace("'", "&#39;") in owner.page(path).text
    assert owner.client.get(f"/api/drafts/{draft_key}").status_code == 200
    assert owner.client.get(f"/api/mixtapes/{theirs.slug}/readiness").status_code == 200
    cover = f"/mixtapes/{theirs.slug}/covers/{theirs.own_cover_key}"
    with owner.client.get(cover) as answer:
        assert answer.status_code == 200


def test_a_listener_has_the_library_and_makes_tapes_that_only_they_see(
    app: Flask, ann: Owner, eve: Owner
) -> None:
    home = ann.page("/").text
    assert "Album" in home
    assert 'href="/admin"' not in home
    assert 'href="/people"' not in home
    assert 'href="/devices"' in home
    with ann.client.get("/play/b.mp3") as answer:
        assert answer.status_code == 200
    made = ann.send("POST", "/api/mixtapes", {"title": "Hers", "track_ids": [1]})
    assert made.status_code == 201
    assert made.json is not None
    slug = made.json["slug"]
    assert "Hers" in ann.page("/mixtapes").text
    for other in (eve, signed_in(app, password=PASSWORD)):
        assert "Hers" not in other.page("/mixtapes").text
        assert other.page(f"/mixtapes/{slug}").status_code == 404
        assert "Hers" not in other.client.get("/api/mixtapes").text
    assert ann.send("POST", f"/api/mixtapes/{slug}/cache", {"qualities": ["low"]}).status_code < 500
    assert ann.send("DELETE", f"/api/mixtapes/{slug}").status_code == 204


@pytest.mark.parametrize("who", ["ann", "eve"])
def test_a_link_is_good_for_other_users_as_for_anybody(
    app: Flask, who: str, request: pytest.FixtureRequest
) -> None:
    visitor: Owner = request.getfixturevalue(who)
    tape = share_mixtape(app, "Song", title="For all")
    page = visitor.page(f"/mixtapes/{tape.slug}")
    assert page.status_code == 200
    assert "For all" in page.text
    services_of(app).mixtapes.unshare(tape.slug)
    assert visitor.page(f"/mixtapes/{tape.slug}").status_code == 404
    services_of(app).share_links.change(
        tape.slug, tape.link.id, {"is_open": True, "password": "1234"}
    )
    assert visitor.page(f"/mixtapes/{tape.slug}").status_code == 401


def test_an_admin_looks_after_the_site(app: Flask, eve: Owner) -> None:
    assert eve.page("/admin").status_code == 200
    assert 'href="/people"' in eve.page("/").text
    details = eve.client.get("/healthz?details").json
    assert details is not None
    assert "checks" in details
    assert eve.client.get("/metrics").status_code == 200


def test_a_listener_sees_nothing_of_how_the_site_is(ann: Owner) -> None:
    assert ann.client.get("/healthz?details").json == {"status": "ok"}
    assert ann.client.get("/metrics").status_code == 401
    answer = ann.page("/admin")
    assert answer.status_code == 403
    assert "Only admins" in answer.text


def test_a_page_that_is_not_there_is_that_for_a_listener_too(ann: Owner) -> None:
    assert ann.page("/nowhere").status_code == 404
