from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask

from mixtape.accounts.marks import Subject
from mixtape.library.music_folders import music_folders
from mixtape.web.subsonic.ids import folder_id
from tests.helpers.subsonic import Player, Refused, services_of
from tests.helpers.tracks import add_track

ALBUM = "al-c2luZ2VyAGFsYnVt"
ARTIST = "ar-c2luZ2Vy"
Pairs = list[tuple[str, object]]


@pytest.fixture
def app(listed: Flask) -> Flask:
    return listed


def starred(
    player: Player, call: str = "getStarred2", asked: dict[str, object] | None = None
) -> dict[str, list[str]]:
    [found] = player.ask(call, asked or {}).values()
    assert found.keys() == {"artist", "album", "song"}
    return {kind: [one["id"] for one in each] for kind, each in found.items()}


def test_tracks_albums_and_artists_are_starred_by_each_user(player: Player, ann: Player) -> None:
    nothing: dict[str, list[str]] = {"artist": [], "album": [], "song": []}
    assert starred(player) == nothing
    # Players that go by folders give all of them as `id`.
    player.ask("star", [("id", "tr-1"), ("id", ALBUM), ("artistId", ARTIST)])
    player.ask("star", [("id", "tr-3"), ("albumId", ALBUM)])
    assert starred(player) == {"artist": [ARTIST], "album": [ALBUM], "song": ["tr-3", "tr-1"]}
    assert starred(player, "getStarred") == starred(player)
    assert starred(ann) == nothing
    [song, _] = player.ask("getStarred2")["starred2"]["song"]
    assert datetime.fromisoformat(song["starred"]).tzinfo is not None
    [album] = player.ask("getStarred")["starred"]["album"]
    assert (album["isDir"], album["title"], album["parent"]) == (True, "Album", ARTIST)
    player.ask("unstar", [("id", "tr-1"), ("albumId", ALBUM), ("artistId", ARTIST)])
    assert starred(player) == {**nothing, "song": ["tr-3"]}


def test_what_is_gone_is_not_listed_and_can_be_unstarred(app: Flask, player: Player) -> None:
    services_of(app).marks.star(1, [Subject.track(b"gone.flac")])
    assert starred(player)["song"] == []
    player.ask("unstar", {"id": "tr-4"})
    assert services_of(app).marks.starred(1, "track") == []


def test_ratings_are_shown_and_taken_back(player: Player, ann: Player) -> None:
    for wanted in ("tr-1", ALBUM, ARTIST):
        player.ask("setRating", {"id": wanted, "rating": 4})
    player.ask("star", [("id", "tr-1"), ("id", ALBUM), ("id", ARTIST)])
    found = player.ask("getStarred2")["starred2"]
    assert [one["userRating"] for each in found.values() for one in each] == [4, 4, 4]
    ann.ask("star", {"id": "tr-1"})
    [song] = ann.ask("getStarred2")["starred2"]["song"]
    assert "userRating" not in song
    player.ask("setRating", {"id": "tr-1", "rating": 0})
    [song] = player.ask("getStarred2")["starred2"]["song"]
    assert "userRating" not in song


@pytest.mark.parametrize(
    ("call", "arguments", "code"),
    [
        ("star", [], 10),
        ("star", [("id", "tr-1"), ("id", "tr-99")], 70),
        ("star", [("id", "tr-1"), ("albumId", "al-eAB5")], 70),
        ("star", [("id", "tr-1"), ("artistId", "ar-eA")], 70),
        ("star", [("id", "fd-QQ")], 70),
        ("star", [("id", "tr-1")] * 10_001, 0),
        ("unstar", [], 10),
        ("setRating", [("id", "tr-1")], 10),
        ("setRating", [("rating", 1)], 10),
        ("setRating", [("id", "tr-1"), ("rating", 6)], 0),
        ("setRating", [("id", "tr-1"), ("rating", -1)], 0),
        ("setRating", [("id", "tr-99"), ("rating", 1)], 70),
    ],
)
def test_what_is_not_there_is_refused_and_nothing_changes(
    player: Player, call: str, arguments: Pairs, code: int
) -> None:
    with pytest.raises(Refused) as refused:
        player.ask(call, arguments)
    assert refused.value.code == code
    assert starred(player)["song"] == []


@pytest.mark.parametrize("call", ["getStarred", "getStarred2"])
def test_stars_are_listed_by_music_folder(
    app: Flask, player: Player, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    add_track(services_of(app).database, b"b/four.flac", title="Four", artist="Singer", album="B")
    folders = music_folders({"Album": "/x/Album", "b": "/y/b", "c": "/z/c"})
    several = replace(services_of(app), music_folders=folders)
    monkeypatch.setitem(app.extensions, "mixtape", several)
    other = "ar-b3RoZXI"
    ids = ("tr-1", "tr-3", "tr-5", ALBUM, ARTIST, other)
    player.ask("star", [("id", one) for one in ids])
    whole = starred(player, call)
    assert {kind: len(each) for kind, each in whole.items()} == {"artist": 2, "album": 1, "song": 3}
    numbers = [folder.id for folder in folders]
    in_each = [
        {"artist": [ARTIST], "album": [ALBUM], "song": ["tr-1"]},
        {"artist": [ARTIST], "album": [], "song": ["tr-5"]},
        {"artist": [], "album": [], "song": []},
    ]
    for number, expected in zip(numbers, in_each, strict=True):
        assert starred(player, call, {"musicFolderId": number}) == expected
    assert starred(player, call, {"musicFolderId": -1}) == whole
    with pytest.raises(Refused, match="70: There is no music folder 77"):
        player.ask(call, {"musicFolderId": 77})


def test_a_folder_is_refused_in_words_and_nothing_beside_it_is_starred(player: Player) -> None:
    folder = folder_id(b"Album")
    for call, asked in (
        ("star", [("id", "tr-1"), ("id", folder)]),
        ("unstar", [("id", folder)]),
        ("setRating", [("id", folder), ("rating", 3)]),
    ):
        with pytest.raises(Refused, match="70: Folders have no stars and ratings here"):
            player.ask(call, asked)
    assert starred(player)["song"] == []
