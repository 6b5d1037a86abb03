from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask

from mixtape.accounts.marks import Subject
from tests.helpers.subsonic import Player, Refused, services_of

ALBUM = "al-c2luZ2VyAGFsYnVt"
ARTIST = "ar-c2luZ2Vy"
Pairs = list[tuple[str, object]]


@pytest.fixture
def app(listed: Flask) -> Flask:
    return listed


def starred(player: Player, call: str = "getStarred2") -> dict[str, list[str]]:
    [found] = player.ask(call).values()
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
