from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.helpers.subsonic import Player, Refused, services_of
from tests.helpers.tracks import Clock

Pairs = list[tuple[str, object]]


@pytest.fixture
def app(listed: Flask, clock: Clock) -> Flask:
    """Return the application, in which time stands still for whoever plays."""
    services_of(listed).now_playing._now = clock
    return listed


def plays(player: Player) -> dict[str, tuple[int, str | None]]:
    """Return how often each starred track was heard, and when last."""
    songs = player.ask("getStarred2")["starred2"]["song"]
    return {one["id"]: (one["playCount"], one.get("played")) for one in songs}


def now_playing(player: Player) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = player.ask("getNowPlaying")["nowPlaying"]["entry"]
    return entries


def test_plays_are_counted_at_their_times_and_by_user(player: Player, ann: Player) -> None:
    for each in (player, ann):
        each.ask("star", [("id", "tr-1"), ("id", "tr-3")])
    before = datetime.now(UTC) - timedelta(days=3)
    at_ms = int(before.timestamp() * 1000)
    told: Pairs = [("id", "tr-1"), ("id", "tr-99"), ("id", "tr-1"), ("id", "tr-3")]
    times: Pairs = [("time", at_ms), ("time", at_ms), ("time", at_ms + 1000)]
    player.ask("scrobble", [*told, *times])
    found = plays(player)
    assert found["tr-1"] == (2, found["tr-1"][1])
    assert datetime.fromisoformat(str(found["tr-1"][1])) == datetime.fromtimestamp(
        (at_ms + 1000) / 1000, UTC
    )
    # The last without a time was heard just now.
    assert datetime.fromisoformat(str(found["tr-3"][1])) > before + timedelta(days=2)
    assert plays(ann) == {"tr-1": (0, None), "tr-3": (0, None)}
    assert now_playing(player) == []


def test_what_begins_is_shown_and_not_counted(
    app: Flask, player: Player, ann: Player, clock: Clock
) -> None:
    player.ask("star", {"id": "tr-1"})
    player.ask("scrobble", {"id": "tr-1", "submission": "false"})
    ann.ask("scrobble", {"id": "tr-3", "submission": "false"})
    clock.advance(minutes=2)
    entries = now_playing(player)
    assert {(one["id"], one["username"]) for one in entries} == {("tr-1", "admin"), ("tr-3", "Ann")}
    [own] = now_playing(ann)
    assert (own["id"], own["minutesAgo"], own["positionMs"]) == ("tr-3", 2, 120_000)
    assert (own["state"], own["playbackRate"], own["playerName"]) == ("playing", 1.0, "test")
    assert isinstance(own["playerId"], int)
    assert plays(player) == {"tr-1": (0, None)}
    clock.advance(minutes=2)
    assert now_playing(player) == []


def test_a_play_that_is_told_from_its_start_to_its_stop_is_counted(
    player: Player, clock: Clock
) -> None:
    player.ask("star", {"id": "tr-1"})
    about: Pairs = [("mediaId", "tr-1"), ("mediaType", "song")]
    player.ask("reportPlayback", [*about, ("state", "starting"), ("positionMs", 0)])
    [one] = now_playing(player)
    assert (one["state"], one["positionMs"]) == ("starting", 0)
    clock.advance(seconds=20)
    player.ask("reportPlayback", [*about, ("state", "playing"), ("positionMs", 0)])
    clock.advance(seconds=100)
    assert now_playing(player)[0]["positionMs"] == 100_000
    for ignored, count in (("true", 0), ("false", 1)):
        player.ask(
            "reportPlayback",
            [*about, ("state", "paused"), ("positionMs", 100_000), ("ignoreScrobble", ignored)],
        )
        assert plays(player)["tr-1"][0] == count
    player.ask("reportPlayback", [*about, ("state", "stopped"), ("positionMs", 100_000)])
    assert now_playing(player) == []
    assert plays(player)["tr-1"][0] == 1


REPORT: Pairs = [
    ("mediaId", "tr-1"),
    ("mediaType", "song"),
    ("state", "playing"),
    ("positionMs", 0),
]


@pytest.mark.parametrize(
    ("call", "arguments", "code"),
    [
        ("scrobble", [], 10),
        ("scrobble", [("id", "tr-99")], 70),
        ("scrobble", [("id", "pl-1")], 70),
        ("scrobble", [("id", "tr-1"), ("time", "now")], 0),
        ("scrobble", [("id", "tr-1")] * 1001, 0),
        *(("reportPlayback", REPORT[:at] + REPORT[at + 1 :], 10) for at in range(4)),
        ("reportPlayback", [("mediaId", "tr-99"), *REPORT[1:]], 70),
        ("reportPlayback", [*REPORT[:1], ("mediaType", "podcast"), *REPORT[2:]], 70),
        ("reportPlayback", [*REPORT[:1], ("mediaType", "film"), *REPORT[2:]], 0),
        ("reportPlayback", [*REPORT[:2], ("state", "idle"), *REPORT[3:]], 0),
        ("reportPlayback", [*REPORT[:3], ("positionMs", -1)], 0),
        ("reportPlayback", [*REPORT, ("playbackRate", 0)], 0),
        ("createBookmark", [("position", 1)], 10),
        ("createBookmark", [("id", "tr-1")], 10),
        ("createBookmark", [("id", "tr-4"), ("position", 1)], 70),
        ("deleteBookmark", [], 10),
        ("deleteBookmark", [("id", "tr-99")], 70),
        ("savePlayQueue", [("id", "tr-1")], 10),
        ("savePlayQueue", [("id", "tr-1"), ("current", "tr-2")], 10),
        ("savePlayQueue", [("id", "x"), ("current", "x")], 70),
        ("savePlayQueue", [("id", "tr-1")] * 10_001 + [("current", "tr-1")], 0),
        ("savePlayQueueByIndex", [("id", "tr-1")], 10),
        ("savePlayQueueByIndex", [("id", "tr-1"), ("currentIndex", 1)], 10),
        ("savePlayQueueByIndex", [("id", "tr-1"), ("currentIndex", -1)], 10),
        ("savePlayQueueByIndex", [("currentIndex", 0)], 10),
    ],
)
def test_what_makes_no_sense_is_refused(
    player: Player, call: str, arguments: Pairs, code: int
) -> None:
    with pytest.raises(Refused) as refused:
        player.ask(call, arguments, method="POST")
    assert refused.value.code == code


def test_bookmarks_are_set_shown_and_removed(player: Player, ann: Player) -> None:
    assert player.ask("getBookmarks") == {"bookmarks": {"bookmark": []}}
    player.ask("createBookmark", {"id": "tr-1", "position": 5_000})
    player.ask("createBookmark", {"id": "tr-1", "position": 61_000, "comment": "the solo"})
    [bookmark] = player.ask("getBookmarks")["bookmarks"]["bookmark"]
    assert (bookmark["position"], bookmark["comment"]) == (61_000, "the solo")
    assert (bookmark["username"], bookmark["entry"]["id"]) == ("admin", "tr-1")
    assert bookmark["entry"]["bookmarkPosition"] == 61_000
    assert {"created", "changed"} <= bookmark.keys()
    assert ann.ask("getBookmarks")["bookmarks"]["bookmark"] == []
    for _ in range(2):
        player.ask("deleteBookmark", {"id": "tr-1"})
    assert player.ask("getBookmarks")["bookmarks"]["bookmark"] == []


def test_a_queue_is_gone_on_with_by_id_and_by_index(player: Player, ann: Player) -> None:
    empty = player.ask("getPlayQueue")["playQueue"]
    assert (empty["entry"], empty["username"], empty["changedBy"]) == ([], "admin", "")
    assert "current" not in empty
    songs: Pairs = [("id", "tr-1"), ("id", "tr-3"), ("id", "tr-1")]
    player.ask("savePlayQueueByIndex", [*songs, ("currentIndex", 2), ("position", 7_000)])
    found = player.ask("getPlayQueueByIndex")["playQueueByIndex"]
    assert (found["currentIndex"], found["position"], found["changedBy"]) == (2, 7_000, "test")
    assert [one["id"] for one in found["entry"]] == ["tr-1", "tr-3", "tr-1"]
    assert player.ask("getPlayQueue")["playQueue"]["current"] == "tr-1"
    player.ask("savePlayQueue", [*songs, ("current", "tr-3")])
    found = player.ask("getPlayQueueByIndex")["playQueueByIndex"]
    assert (found["currentIndex"], found["position"]) == (1, 0)
    # What is gone since is left out.
    player.ask("savePlayQueue", [("id", "tr-4"), ("id", "tr-2"), ("current", "tr-4")])
    found = player.ask("getPlayQueue")["playQueue"]
    assert ([one["id"] for one in found["entry"]], found["current"]) == (["tr-2"], "tr-2")
    assert ann.ask("getPlayQueue")["playQueue"]["entry"] == []
    player.ask("savePlayQueue")
    assert player.ask("getPlayQueueByIndex")["playQueueByIndex"]["entry"] == []


def test_the_extensions_are_told_of(player: Player) -> None:
    told = player.ask("getOpenSubsonicExtensions")["openSubsonicExtensions"]
    assert {"indexBasedQueue", "playbackReport"} <= {one["name"] for one in told}
