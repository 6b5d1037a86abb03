"""Damaged tracks as the library, a mixtape, the editor and the owner's page tell of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from audio_cache import Damage
from audio_cache.flask_ext import get_state
from audio_cache.sources.source import version_of
from mixtape.library.damage import describe_damage
from tests.helpers.audio import make_audio
from tests.helpers.mixtapes import make_scanned_app, share_mixtape

MIDDLE = Damage(at_s=83.9, until_s=200.0, lost_s=1.0, heard_s=199.0)
WORDS = "damaged at 1:23"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (MIDDLE, WORDS),
        (Damage(None, 200.0, 0.0, 200.0), "damaged: not the music that the file states"),
        (Damage(83.9, 83.9, 116.1, 83.9), "damaged: ends at 1:23 of 3:20"),
        (Damage(10.0, 83.9, 120.0, 80.0), "damaged at 0:10"),
        (Damage(0.0, 0.0, 200.0, 0.0), "damaged: nothing of it can be played"),
        (Damage(200.0, 200.0, 0.0, 200.0), "damaged at 3:20"),
    ],
)
def test_damage_is_told_in_a_few_words(damage: Damage, words: str) -> None:
    assert str(describe_damage(damage)) == words


@pytest.fixture
def track(tmp_path: Path) -> Path:
    music = tmp_path / "music"
    music.mkdir()
    make_audio(music / "sound.flac", samples=4410, tags={"title": "Sound"})
    return make_audio(music / "rot & <b>.flac", samples=4410, tags={"title": "Rot"})


@pytest.fixture
def app(track: Path, tmp_path: Path) -> Flask:
    app = make_scanned_app(tmp_path)
    with app.app_context():
        facts = get_state().cache.facts
        facts.note_damage(str(track), version_of(track.stat()), MIDDLE)
        facts.note_damage("/elsewhere/x.flac", version_of(track.stat()), MIDDLE)
    return app


def test_every_page_with_the_track_marks_it(app: Flask) -> None:
    client = app.test_client()
    slug = share_mixtape(app, "rot & <b>.flac", "sound.flac").slug
    for address in ("/", f"/mixtapes/{slug}", "/albums"):
        page = client.get(address, follow_redirects=True).text
        assert page.count(WORDS) == (0 if address == "/albums" else 1)
    assert WORDS in client.get(f"/mixtapes/{slug}/edit").text


def test_it_is_told_with_the_readiness_of_a_mixtape(app: Flask) -> None:
    mixtape = share_mixtape(app, "sound.flac", "rot & <b>.flac")
    found = app.test_client().get(f"/api/mixtapes/{mixtape.slug}/readiness").get_json()
    assert found["damage"] == {str(mixtape.tracks[1].id): WORDS}


def test_the_search_tells_of_it(app: Flask) -> None:
    found = app.test_client().get("/api/search?q=rot").get_json()
    assert [track["damage"] for track in found["tracks"]] == [WORDS]
    found = app.test_client().get("/api/search?q=sound").get_json()
    assert [track["damage"] for track in found["tracks"]] == [""]


def test_the_owner_sees_what_is_damaged_in_the_library(app: Flask) -> None:
    page = app.test_client().get("/admin").text
    assert f'rot &amp; &lt;b&gt;.flac <span class="quiet">{WORDS}</span>' in page
    assert "elsewhere" not in page


def test_a_file_that_was_changed_since_is_not_called_damaged(app: Flask, track: Path) -> None:
    track.write_bytes(track.read_bytes())
    assert WORDS not in app.test_client().get("/").text
    assert "None is known." in app.test_client().get("/admin").text
