from __future__ import annotations

from pathlib import Path

import mutagen.flac
import pytest
from flask import Flask

from tests.helpers.mixtapes import track_id
from tests.helpers.subsonic import Player, Refused, add_device, services_of
from tests.helpers.tracks import add_track


def test_players_get_the_lyrics_of_a_track(app: Flask, player: Player, music: Path) -> None:
    assert "songLyrics" in {
        one["name"] for one in player.ask("getOpenSubsonicExtensions")["openSubsonicExtensions"]
    }
    one = {"id": f"tr-{track_id(app, 'Album/one.flac')}"}
    assert player.ask("getLyricsBySongId", one) == {"lyricsList": {"structuredLyrics": []}}
    song = player.ask("getSong", one)["song"]
    named = {"artist": song["artist"], "title": song["title"].upper()}
    assert player.ask("getLyrics", named) == {"lyrics": {"value": ""}}
    # They are read on demand: no scan is needed.
    (music / "Album" / "one.lrc").write_text("[offset:100]\n[00:02.50]b\n[00:01]a\n", "utf-8")
    file = mutagen.flac.FLAC(music / "Album" / "one.flac")
    file["LYRICS"] = "a\nb"
    file.save()
    common = {"displayArtist": song["artist"], "displayTitle": song["title"], "lang": "und"}
    timed = [{"start": 1000, "value": "a"}, {"start": 2500, "value": "b"}]
    assert player.ask("getLyricsBySongId", one)["lyricsList"]["structuredLyrics"] == [
        {**common, "offset": 100, "synced": True, "line": timed},
        {**common, "offset": 0, "synced": False, "line": [{"value": "a"}, {"value": "b"}]},
    ]
    assert player.ask("getLyrics", named)["lyrics"] == {
        "artist": song["artist"],
        "title": song["title"],
        "value": "a\nb",
    }
    with player.open("getLyricsBySongId", one) as answer:
        assert '<line start="1000">a</line>' in answer.text
    with pytest.raises(Refused, match="70"):
        player.ask("getLyricsBySongId", {"id": "tr-999"})
    assert player.ask("getLyrics") == {"lyrics": {"value": ""}}


def test_a_title_that_many_tracks_have_opens_few_of_them(listed: Flask, music: Path) -> None:
    database, player = services_of(listed).database, Player(listed, add_device(listed))
    for number in range(30):
        add_track(database, b"%02d.flac" % number, title="Intro", artist="Singer")
    words = {"lyrics": {"artist": "Singer", "title": "Intro", "value": "Hello"}}
    (music / "25.txt").write_text("Hello")
    assert player.ask("getLyrics", {"title": "Intro"}) == {"lyrics": {"value": ""}}
    (music / "05.txt").write_text("Hello")
    assert player.ask("getLyrics", {"title": "Intro"}) == words
