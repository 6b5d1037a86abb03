"""Downloads: what their files are called, who may keep them, and what they cost to describe."""

from __future__ import annotations

from pathlib import Path

import feedparser
import pytest
from flask import Flask
from werkzeug.http import parse_options_header

from audio_cache import Composer
from mixtape.takeaway.file_names import safe_name
from mixtape.takeaway.tape import QUALITIES
from tests.helpers.audio import make_audio
from tests.helpers.host import PASSWORD
from tests.helpers.mixtapes import make_scanned_app, share_mixtape


@pytest.fixture
def app(tmp_path: Path, music: Path) -> Flask:
    make_audio(music / "a.flac", samples=44_100)
    return make_scanned_app(tmp_path, password=PASSWORD)


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Für dich", "Fur dich"),
        ("Songs – “yours”", "Songs yours"),
        ("夏の歌", "mixtape"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("Road\r\nSet-Cookie: a=b", "Road Set-Cookie_ a=b"),
    ],
)
def test_a_title_in_any_script_is_the_name_of_the_file(app: Flask, title: str, plain: str) -> None:
    mixtape = share_mixtape(app, "a.flac", title=title)
    for address in ("download/original.zip", "download/low.mp3", "playlist.m3u8", "playlist.xspf"):
        answer = app.test_client().head(f"/mixtapes/{mixtape.slug}/{address}")
        sent = answer.headers["Content-Disposition"]
        # Servers refuse to send other characters in a header.
        assert sent.isascii()
        suffix = address[address.rindex(".") :]
        how, names = parse_options_header(sent)
        assert how == "attachment"
        assert names["filename"] == safe_name(mixtape.title) + suffix
        assert f"{plain}{suffix}" in sent


@pytest.mark.parametrize("name", ["playlist.m3u8", "playlist.xspf", "feed.xml"])
def test_addresses_that_play_are_for_nobody_else_to_keep(app: Flask, name: str) -> None:
    slug = share_mixtape(app, "a.flac").slug
    kept = app.test_client().get(f"/mixtapes/{slug}/{name}").headers["Cache-Control"]
    assert set(kept.split(", ")) >= {"private", "no-cache"}


def test_a_podcast_shows_liner_notes_as_the_page_does(app: Flask) -> None:
    notes = "For **you** <img src=x onerror=alert(1)> & me, I <3 it"
    slug = share_mixtape(app, "a.flac", notes=notes).slug
    feed = app.test_client().get(f"/mixtapes/{slug}/feed.xml").data
    # As it is in the feed: what this reader cleans, apps may show.
    found = feedparser.parse(feed, sanitize_html=False).feed.description
    assert "<strong>you</strong>" in found
    assert "<img" not in found
    assert "I &lt;3 it" in found


def test_the_title_of_a_podcast_is_no_html(app: Flask) -> None:
    slug = share_mixtape(app, "a.flac", title="<b>A & B</b>").slug
    feed = app.test_client().get(f"/mixtapes/{slug}/feed.xml").data
    found = feedparser.parse(feed, sanitize_html=False).feed
    assert found.description == "&lt;b&gt;A &amp; B&lt;/b&gt;"


def test_sizes_take_one_look_at_each_track_for_each_quality(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = share_mixtape(app, "a.flac").slug
    looks = []
    describe = Composer.describe

    def counted(*given: object, **more: object) -> object:
        looks.append(given)
        return describe(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Composer, "describe", counted)
    assert app.test_client().get(f"/mixtapes/{slug}/download/sizes").status_code == 200
    assert len(looks) == len(QUALITIES)
