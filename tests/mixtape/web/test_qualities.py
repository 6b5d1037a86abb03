"""The pages and what scripts are sent offer the qualities of the one table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from audio_cache import QUALITY_LEVELS, QUALITY_SETTINGS
from mixtape.web.views.as_json import quality_fields
from tests.helpers.extra_quality import ExtendedSources
from tests.helpers.mixtapes import Owner, make_scanned_app, save_mixtape, services_of
from tests.helpers.tracks import place

HOST_SCRIPT = """
import json, sys
from pathlib import Path
from tests.helpers.host import PAGE
from tests.helpers.mixtapes import Owner, save_mixtape, make_scanned_app, services_of

app = make_scanned_app(Path(sys.argv[1]))
owner = Owner(app.test_client())
mixtape = save_mixtape(app, "Tape", "Alpha")
begun = owner.send("POST", f"/api/mixtapes/{mixtape.slug}/cache", {"qualities": ["insane"]})
owner.client.get(begun.json["task"]["url"]).get_data()
app.extensions["mixtape_monitor"].recount()
print(json.dumps({
    "pages": [owner.page(url).text for url in ("/", f"/mixtapes/{mixtape.slug}", "/admin")],
    "begun": begun.status_code,
    "ready": owner.client.get(f"/api/mixtapes/{mixtape.slug}/readiness").json,
    "found": owner.client.get("/api/search?q=Alpha").json,
    "admin": owner.client.get("/admin/figures").json["cache"]["qualities"],
    "metrics": owner.client.get("/metrics").text,
}))
services_of(app).close()
"""


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path) -> Iterator[Flask]:
    place(flac, music / "1.flac", title="Alpha")
    app = make_scanned_app(tmp_path)
    yield app
    services_of(app).close()


def offered(page: str) -> list[tuple[str, str]]:
    """Return value and label of what the player's menu offers."""
    [menu] = re.findall(r'<select [^>]*id="quality".*?</select>', page, re.DOTALL)
    return re.findall(r'<option value="(\w+)">(\w+)</option>', menu)


def test_the_player_offers_auto_and_every_quality_the_best_first(app: Flask) -> None:
    page = Owner(app.test_client()).page("/").text
    assert offered(page) == [
        ("auto", "Auto"),
        *((level, level.capitalize()) for level in QUALITY_LEVELS),
    ]


def test_every_page_carries_the_qualities_for_its_scripts(app: Flask) -> None:
    mixtape = save_mixtape(app, "Tape", "Alpha")
    owner = Owner(app.test_client())
    for url in ("/", f"/mixtapes/{mixtape.slug}", f"/mixtapes/{mixtape.slug}/edit", "/admin"):
        [carried] = re.findall(r"data-qualities='([^']+)'", owner.page(url).text)
        assert app.json.loads(carried) == quality_fields()


def test_a_quality_is_told_with_its_label_and_bitrate() -> None:
    assert quality_fields() == [
        {"name": "high", "label": "High", "kbps": 256},
        {"name": "medium", "label": "Medium", "kbps": 192},
        {"name": "low", "label": "Low", "kbps": 128},
        {"name": "original", "label": "Original", "kbps": 0},
    ]


@pytest.mark.parametrize(
    ("chosen", "is_ahead", "usual"),
    [
        ("low,original,high", "true", ["low", "high"]),
        ("low", "false", ["low"]),
        ("original", "true", ["medium"]),
    ],
)
def test_readiness_tells_what_is_made_where_nothing_is_asked_for_in_particular(
    app: Flask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chosen: str,
    is_ahead: str,
    usual: list[str],
) -> None:
    services_of(app).close()
    monkeypatch.setenv("AUDIO_CACHE_PRECACHE_QUALITIES", chosen)
    monkeypatch.setenv("AUDIO_CACHE_PRECACHE_ON_UPLOAD", is_ahead)
    app = make_scanned_app(tmp_path)
    mixtape = save_mixtape(app, "Tape", "Alpha")
    answer = app.test_client().get(f"/api/mixtapes/{mixtape.slug}/readiness").json
    services_of(app).close()
    assert answer is not None
    assert answer["usual"] == usual
    assert set(answer["ready"]) == set(QUALITY_SETTINGS)


@pytest.mark.slow
def test_one_entry_in_the_table_makes_a_quality_that_the_host_offers(
    tmp_path: Path, music: Path, flac: Path
) -> None:
    place(flac, music / "1.flac", title="Alpha")
    found = ExtendedSources(tmp_path / "src").ask(HOST_SCRIPT, tmp_path)
    library, mixtape, admin = found["pages"]
    for page in (library, mixtape):
        assert offered(page)[:3] == [("auto", "Auto"), ("insane", "Insane"), ("high", "High")]
    for page in (library, mixtape, admin):
        [carried] = re.findall(r"data-qualities='([^']+)'", page)
        assert '{"kbps": 320, "label": "Insane", "name": "insane"}' in carried
    assert found["begun"] == 202
    assert found["ready"]["ready"] == {"insane": 1, "high": 0, "medium": 0, "low": 0}
    [track] = found["found"]["tracks"]
    assert track["sizes"]["insane"] > track["sizes"]["high"]
    assert [(each["quality"], each["entries"]) for each in found["admin"]] == [
        ("insane", 1),
        ("high", 0),
        ("medium", 0),
        ("low", 0),
    ]
    assert 'mixtape_cache_entries{quality="insane"} 1.0' in found["metrics"]
