from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from mixtape.database.account_tables import LISTENER, User
from tests.helpers.mixtapes import save_mixtape, scan, track_id
from tests.helpers.subsonic import Player, Refused, add_device, services_of
from tests.helpers.tracks import NOON, make_picture

ONE, TWO = "Album/one.flac", "Album/two.mp3"


@pytest.fixture
def other(app: Flask) -> Player:
    """Return a player of a user who is no admin."""
    user = User(name="Ann", name_key="ann", role=LISTENER, created_at=NOON)
    with services_of(app).database.write() as session:
        session.add(user)
        session.flush()
        user_id = user.id
    return Player(app, add_device(app, user_id), "Ann")


def listed(player: Player, **arguments: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = player.ask("getPlaylists", arguments)["playlists"]["playlist"]
    return found


def ids(app: Flask, *names: str) -> list[str]:
    return [f"tr-{track_id(app, name)}" for name in names]


def test_a_mixtape_is_a_playlist(app: Flask, player: Player) -> None:
    assert listed(player) == []
    tape = save_mixtape(app, "Tape", ONE, TWO, ONE, notes="For you")
    [playlist] = listed(player)
    assert playlist["id"] == f"pl-{tape.id}"
    assert (playlist["name"], playlist["comment"], playlist["owner"]) == (
        "Tape",
        "For you",
        "admin",
    )
    assert (playlist["songCount"], playlist["public"]) == (3, False)
    assert {"created", "changed", "duration"} <= playlist.keys()
    whole = player.ask("getPlaylist", {"id": playlist["id"]})["playlist"]
    entries = whole.pop("entry")
    assert whole == playlist
    assert [one["id"] for one in entries] == ids(app, ONE, TWO, ONE)
    services_of(app).mixtapes.share(tape.slug)
    assert listed(player)[0]["public"] is True


def test_a_playlist_is_a_mixtape_that_nobody_else_hears(app: Flask, player: Player) -> None:
    songs = [("songId", one) for one in ids(app, ONE, TWO)]
    made = player.ask("createPlaylist", [("name", " Party\u0007 "), *songs])["playlist"]
    assert [one["id"] for one in made["entry"]] == ids(app, ONE, TWO)
    services = services_of(app)
    [summary] = services.mixtapes.summaries()
    assert (summary.title, summary.tracks, summary.shared) == ("Party", 2, False)
    saved = services.mixtapes.get(summary.slug)
    # As after a save on the web, it is made ahead of its first play.
    runs = services.caching._runs
    assert runs.find(saved.slug) is not None
    empty = player.ask("createPlaylist", {"name": "Empty"})["playlist"]
    assert (empty["songCount"], empty["entry"]) == (0, [])


def test_a_playlist_is_changed_and_its_links_are_opened_and_closed(
    app: Flask, player: Player
) -> None:
    tape = save_mixtape(app, "Tape", ONE, TWO, track_notes=("", "second"))
    one, two = ids(app, ONE, TWO)
    name = f"pl-{tape.id}"
    player.ask(
        "updatePlaylist",
        [
            ("playlistId", name),
            ("name", "New"),
            ("comment", "Words"),
            ("public", "true"),
            ("songIndexToRemove", 0),
            ("songIdToAdd", one),
            ("songIdToAdd", two),
        ],
    )
    mixtapes = services_of(app).mixtapes
    saved = mixtapes.get(tape.slug)
    assert (saved.title, saved.notes, saved.shared) == ("New", "Words", True)
    assert [item.note for item in saved.items] == ["second", "", ""]
    [entry, *_] = player.ask("getPlaylist", {"id": name})["playlist"]["entry"]
    assert entry["id"] == two
    # To open it says nothing of its words and tracks.
    player.ask("updatePlaylist", {"playlistId": name, "public": "false"})
    closed = mixtapes.get(tape.slug)
    assert (closed.shared, closed.revision) == (False, saved.revision)
    assert closed.share_key != saved.share_key
    replaced = player.ask("createPlaylist", [("playlistId", name), ("songId", two)])["playlist"]
    assert (replaced["name"], [one["id"] for one in replaced["entry"]]) == ("New", [two])
    assert [item.note for item in mixtapes.get(tape.slug).items] == ["second"]
    player.ask("deletePlaylist", {"id": name})
    assert listed(player) == []


def test_a_track_that_is_missing_is_not_shown_and_not_lost(
    app: Flask, player: Player, music: Path
) -> None:
    tape = save_mixtape(app, "Tape", ONE, TWO)
    [two] = ids(app, TWO)
    (music / ONE).unlink()
    scan(app)
    whole = player.ask("getPlaylist", {"id": f"pl-{tape.id}"})["playlist"]
    assert (whole["songCount"], [one["id"] for one in whole["entry"]]) == (1, [two])
    player.ask("createPlaylist", [("playlistId", f"pl-{tape.id}"), ("songId", two)])
    paths = [item.path for item in services_of(app).mixtapes.get(tape.slug).items]
    assert paths == [ONE.encode(), TWO.encode()]


def test_playlists_of_others_are_not_there(app: Flask, player: Player, other: Player) -> None:
    tape = save_mixtape(app, "Tape", ONE)
    theirs = other.ask("createPlaylist", {"name": "Ann's"})["playlist"]
    assert [one["name"] for one in listed(player)] == ["Tape"]
    [own] = listed(other, username="ann")
    assert (own["name"], own["owner"]) == ("Ann's", "Ann")
    for someone, name in ((other, "admin"), (player, "Ann"), (player, "nobody")):
        with pytest.raises(Refused, match="50"):
            listed(someone, username=name)
    for someone, name in ((other, f"pl-{tape.id}"), (player, theirs["id"])):
        for call in ("getPlaylist", "deletePlaylist", "getCoverArt"):
            with pytest.raises(Refused, match="70"):
                someone.ask(call, {"id": name})
        for call in ("updatePlaylist", "createPlaylist"):
            with pytest.raises(Refused, match="70"):
                someone.ask(call, {"playlistId": name, "name": "Mine"})
    assert {one.title for one in services_of(app).mixtapes.summaries()} == {"Tape", "Ann's"}


@pytest.mark.parametrize(
    ("call", "arguments", "code"),
    [
        ("getPlaylist", {}, 10),
        ("getPlaylist", {"id": "pl-99"}, 70),
        ("getPlaylist", {"id": "tr-1"}, 70),
        ("createPlaylist", {}, 10),
        ("createPlaylist", {"name": " "}, 0),
        ("createPlaylist", {"name": "x" * 201}, 0),
        ("createPlaylist", {"name": "New", "songId": "tr-99"}, 70),
        ("updatePlaylist", {"name": "New"}, 10),
        ("updatePlaylist", {"playlistId": "pl-1", "songIndexToRemove": 7}, 70),
        ("updatePlaylist", {"playlistId": "pl-1", "songIndexToRemove": "x"}, 0),
        ("updatePlaylist", {"playlistId": "pl-1", "public": "perhaps"}, 0),
        ("updatePlaylist", {"playlistId": "pl-1", "songIdToAdd": "tr-99"}, 70),
        ("deletePlaylist", {}, 10),
        ("deletePlaylist", {"id": "pl-99"}, 70),
    ],
)
def test_what_makes_no_sense_is_refused(
    app: Flask, player: Player, call: str, arguments: dict[str, object], code: int
) -> None:
    tape = save_mixtape(app, "Tape", ONE)
    assert tape.id == 1
    with pytest.raises(Refused) as refused:
        player.ask(call, arguments)
    assert refused.value.code == code
    [summary] = services_of(app).mixtapes.summaries()
    saved = services_of(app).mixtapes.get(summary.slug)
    assert (saved.state, saved.revision) == (tape.state, tape.revision)


def test_the_cover_of_a_playlist_is_that_of_its_mixtape(app: Flask, player: Player) -> None:
    services = services_of(app)
    tape = save_mixtape(app, "Bare", TWO)
    with pytest.raises(Refused, match="70"):
        player.ask("getCoverArt", {"id": f"pl-{tape.id}"})
    assert "coverArt" not in listed(player)[0]
    key = services.artwork.add_upload(make_picture(colour="red"))
    tape = save_mixtape(app, "Red", ONE, cover_key=key)
    assert listed(player)[0]["coverArt"] == f"pl-{tape.id}"
    with player.open("getCoverArt", {"id": f"pl-{tape.id}", "size": 96}) as answer:
        assert answer.mimetype == "image/jpeg"
        # Another cover is seen soon.
        assert "immutable" not in answer.headers.get("Cache-Control", "")
        tag = answer.headers["ETag"]
        red, green, _ = Image.open(io.BytesIO(answer.get_data())).convert("RGB").getpixel((40, 40))
    assert red > 200
    assert green < 60
    with player.open(
        "getCoverArt", {"id": f"pl-{tape.id}", "size": 96}, headers={"If-None-Match": tag}
    ) as answer:
        assert answer.status_code == 304
