from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.mixtapes import (
    Owner,
    make_scanned_app,
    message_of,
    services_of,
    share_mixtape,
)
from tests.helpers.people import ANNS_PASSWORD


@pytest.fixture
def app(tmp_path: Path, music: Path, mp3: Path) -> Flask:
    """Return the application with two tracks."""
    for name in ("a.mp3", "b.mp3"):
        (music / name).write_bytes(mp3.read_bytes())
    return make_scanned_app(tmp_path)


@pytest.fixture
def mixtape(app: Flask) -> SavedMixtape:
    return share_mixtape(app, "a.mp3", "b.mp3")


def downloaded(owner: Owner) -> bytes:
    with owner.client.get("/admin/backup") as answer:
        return answer.data


def put(owner: Owner, url: str, content: bytes) -> TestResponse:
    return owner.client.put(url, data=content, headers={"X-CSRFToken": owner.token()})


def uploaded(owner: Owner, content: bytes, piece: int = 400) -> str:
    """Send a backup in pieces and return the address that it is known by."""
    begun = owner.send("POST", "/admin/restores")
    assert begun.status_code == 201
    assert begun.json is not None
    url = f"/admin/restores/{begun.json['key']}"
    for offset in range(0, len(content), piece):
        answer = put(owner, f"{url}?offset={offset}", content[offset : offset + piece])
        assert answer.json == {"bytes": min(offset + piece, len(content))}
    return url


def json_of(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_a_backup_is_downloaded_under_a_name_with_its_day(
    owner: Owner, mixtape: SavedMixtape
) -> None:
    with owner.client.get("/admin/backup") as answer:
        content = answer.data
    assert answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(content)
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename=mixtape-20")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert mixtape.slug.encode() in archive.read("backup.json")


def test_a_backup_is_looked_into_and_then_restored(
    owner: Owner, app: Flask, mixtape: SavedMixtape
) -> None:
    content = downloaded(owner)
    services = services_of(app)
    services.mixtapes.delete(mixtape.slug)
    url = uploaded(owner, content)
    found = json_of(owner.client.get(url))
    assert (found["new"], found["conflicts"], found["lost"]) == (1, 0, 0)
    assert found["mixtapes"] == [
        {"title": "A tape", "kind": "new", "shared": True, "tracks": 2, "lost": 0}
    ]
    assert services.mixtapes.summaries() == ()
    done = json_of(owner.send("POST", url, {"existing": "keep"}))
    assert (done["added"], done["replaced"], done["safety"]) == (1, 0, None)
    # Whoever has the old link hears it again.
    assert owner.page(f"/mixtapes/{mixtape.slug}").status_code == 200
    assert owner.client.get(url).status_code == 404


def test_what_was_changed_since_is_replaced_only_where_that_is_asked(
    owner: Owner, app: Flask, mixtape: SavedMixtape
) -> None:
    content = downloaded(owner)
    services = services_of(app)
    state = replace(services.mixtapes.get(mixtape.slug).state, title="Changed")
    services.mixtapes.save(mixtape.slug, state, revision=mixtape.revision)
    assert json_of(owner.client.get(uploaded(owner, content)))["conflicts"] == 1
    done = json_of(owner.send("POST", uploaded(owner, content), {"existing": "keep"}))
    assert (done["kept"], done["added"]) == (1, 0)
    assert services.mixtapes.get(mixtape.slug).title == "Changed"
    done = json_of(owner.send("POST", uploaded(owner, content), {"existing": "replace"}))
    assert done["replaced"] == 1
    assert Path(done["safety"]).exists()
    assert services.mixtapes.get(mixtape.slug).title == "A tape"


def test_a_file_that_is_no_backup_is_refused_with_the_reason(owner: Owner) -> None:
    url = uploaded(owner, b"GIF89a")
    answer = owner.client.get(url)
    assert answer.status_code == 400
    assert message_of(answer).startswith("This is no backup of mixtape")
    assert owner.send("POST", url, {"existing": "keep"}).status_code == 400


@pytest.mark.parametrize("body", [{}, {"existing": "all"}, {"existing": ["keep"]}])
def test_what_becomes_of_mixtapes_that_are_here_has_to_be_said(
    owner: Owner, mixtape: SavedMixtape, body: dict[str, object]
) -> None:
    url = uploaded(owner, downloaded(owner))
    answer = owner.send("POST", url, body)
    assert answer.status_code == 400
    assert "keep, replace, both" in message_of(answer)


def test_an_upload_can_be_forgotten_and_none_can_be_guessed(owner: Owner) -> None:
    url = uploaded(owner, b"anything")
    assert owner.send("DELETE", url).status_code == 204
    for address in (url, "/admin/restores/" + "a" * 22, "/admin/restores/x"):
        assert owner.client.get(address).status_code == 404
        assert put(owner, f"{address}?offset=0", b"x").status_code == 404
    begun = uploaded(owner, b"")
    for offset in ("", "?offset=5", "?offset=-1", "?offset=x"):
        assert put(owner, begun + offset, b"x").status_code == 400


def test_nothing_is_taken_without_the_token_of_the_page(owner: Owner) -> None:
    url = uploaded(owner, b"anything")
    for method, address in (("POST", "/admin/restores"), ("PUT", f"{url}?offset=0")):
        assert owner.client.open(address, method=method, data=b"x").status_code == 400
    for method in ("POST", "DELETE"):
        assert owner.client.open(url, method=method).status_code == 400


def test_people_who_are_not_here_are_named_and_added_only_where_that_is_asked(
    owner: Owner, app: Flask
) -> None:
    users, devices = services_of(app).users, services_of(app).devices
    ann = users.add("Ann", "admin", ANNS_PASSWORD)
    devices.add(ann.id, "Phone", is_recoverable=True)
    content = downloaded(owner)
    users.remove(ann.id, None)
    found = json_of(owner.client.get(uploaded(owner, content, 4_000)))
    assert found["people"] == [{"name": "Ann", "role": "admin"}]
    assert (found["devices"], found["locked"]) == (1, 0)
    done = json_of(owner.send("POST", uploaded(owner, content, 4_000), {"existing": "keep"}))
    assert (done["people"], done["devices"]) == (0, 0)
    assert users.find("Ann") is None
    asked: dict[str, object] = {"existing": "keep", "people": "yes"}
    assert owner.send("POST", uploaded(owner, content, 4_000), asked).status_code == 400
    asked = {"existing": "keep", "people": True}
    done = json_of(owner.send("POST", uploaded(owner, content, 4_000), asked))
    assert (done["people"], done["devices"]) == (1, 1)
    assert users.find_by_password("Ann", ANNS_PASSWORD) is not None
