"""Whatever the published description lets a player ask, the answer is one that it describes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mixtape.web.subsonic.ids import album_id, artist_id, folder_id
from mixtape.web.subsonic.table import CALLS
from tests.helpers.mixtapes import make_scanned_app, save_mixtape, track_id
from tests.helpers.subsonic import NAME, SALT, add_device, services_of, token
from tests.helpers.tracks import place

# The lowest versions of what mixtape needs are too low for it.
schemathesis = pytest.importorskip("schemathesis")

from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.core.failures import FailureGroup  # noqa: E402
from schemathesis.specs.openapi.checks import response_schema_conformance  # noqa: E402
from schemathesis.specs.openapi.schemas import OpenApiSchema  # noqa: E402

# `make conformance` asks for more.
EXAMPLES: Final = int(os.environ.get("SCHEMA_EXAMPLES", "6"))
DATA: Final = Path(__file__).parents[3] / "data" / "opensubsonic"
PUBLISHED: Final = json.loads((DATA / "openapi.json").read_text("utf-8"))
OPERATIONS: Final = [
    (path, method)
    for path, methods in PUBLISHED["paths"].items()
    if path.removeprefix("/rest/") in CALLS
    for method in methods
]
# What these are answered with is music or a picture, or an error as HTTP has it.
OF_BYTES: Final = frozenset({"stream", "download", "getCoverArt", "getTranscodeStream"})
IDS: Final = frozenset(
    {"id", "albumId", "artistId", "songId", "songIdToAdd", "mediaId", "playlistId", "current"}
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, flac: Path, mp3: Path) -> Flask:
    root = tmp_path_factory.mktemp("host")
    folder = root / "music" / "Album"
    folder.mkdir(parents=True)
    place(flac, folder / "one.flac", title="One", artist="A", album="Album", genre="Jazz")
    place(mp3, folder / "two.mp3")
    app = make_scanned_app(root)
    save_mixtape(app, "A tape", "One")
    return app


@pytest.fixture(scope="module")
def key(app: Flask) -> str:
    return add_device(app)


@pytest.fixture(scope="module")
def ids(app: Flask) -> list[str]:
    """Return ids of all kinds of what the library holds."""
    one = services_of(app).catalogue.tracks([track_id(app, "One")])[0]
    cover = [] if one.cover_key is None else [f"cv-{one.cover_key}"]
    return [
        f"tr-{one.id}",
        album_id(one.album_artist_key, one.album_key),
        artist_id(one.album_artist_key),
        folder_id(one.folder),
        "pl-1",
        *cover,
    ]


@pytest.fixture(scope="module")
def described(app: Flask) -> OpenApiSchema:
    """Return the description, for which the modules of the application are read but once."""
    schema = schemathesis.openapi.from_dict(PUBLISHED)
    schema.app = app
    return schema


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_are_as_the_description_has_them(
    described: OpenApiSchema, key: str, path: str, method: str, ids: list[str]
) -> None:
    ask_all(described, key, path, method, ids)


def test_an_answer_that_is_not_as_described_is_found(
    described: OpenApiSchema, key: str, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CALLS, "tokenInfo", lambda call: {"tokenInfo": {"username": 5}})
    with pytest.raises(FailureGroup):
        ask_all(described, key, "/rest/tokenInfo", "get", ids)


def ask_all(described: OpenApiSchema, key: str, path: str, method: str, ids: list[str]) -> None:
    """Ask whatever a call may be asked, by either way to sign in, and check each answer."""
    operation = described[path][method]
    ways = [{"apiKey": key}, {"u": NAME, **token(key, SALT)}]
    checks = [not_a_server_error]
    if path.removeprefix("/rest/") not in OF_BYTES:
        checks.append(response_schema_conformance)

    @given(case=operation.as_strategy(), data=st.data())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def ask(case: schemathesis.Case, data: st.DataObject) -> None:
        asked = case.query if method == "get" else case.body
        # Of ids that were made up there is nothing.
        for name in sorted(IDS & asked.keys()) if isinstance(asked, dict) else ():
            if data.draw(st.integers(0, 3)):
                real = data.draw(st.sampled_from(ids))
                asked[name] = [real] if isinstance(asked[name], list) else real
        way = data.draw(st.sampled_from(ways))
        case.query = {**(case.query or {}), **way, "v": "1.16.1", "c": "schema", "f": "json"}
        case.call_and_validate(checks=checks)

    ask()
