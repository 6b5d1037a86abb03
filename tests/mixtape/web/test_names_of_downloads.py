"""The headers of downloads: what their files are called, and who may keep them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from werkzeug.http import parse_options_header

from mixtape.takeaway.file_names import safe_name
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
    kept = app.test_client().get(f"/mixtapes/{slug}/{name}").cache_control
    assert (kept.private, kept.no_cache) == (True, True)
