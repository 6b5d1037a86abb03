from __future__ import annotations

import random
from pathlib import Path

import pytest
from flask import Flask

from mixtape.database.tables import Track
from mixtape.web.subsonic.calls.media import choose_quality
from tests.helpers.mixtapes import track_id
from tests.helpers.subsonic import Player, Refused, services_of


def id_of(app: Flask, name: str) -> str:
    return f"tr-{track_id(app, name)}"


@pytest.mark.parametrize(
    ("wanted", "limit", "quality"),
    [
        ("", 0, "original"),
        ("raw", 96, "original"),
        ("mp3", 0, "high"),
        ("opus", 0, "high"),
        ("mp3", 320, "high"),
        ("", 255, "medium"),
        ("", 192, "medium"),
        ("mp3", 128, "low"),
        ("", 64, "low"),
        ("", 900, "original"),
        ("mp3", 900, "high"),
    ],
)
def test_the_quality_is_the_nearest_that_is_not_above(
    wanted: str, limit: int, quality: str
) -> None:
    track = Track(
        path=b"a.flac", folder=b"", lossless=True, size_bytes=10_000_000, duration_s=100.0
    )
    assert choose_quality(track, wanted, limit) == quality


def test_what_is_lossy_is_sent_as_it_is(app: Flask, player: Player, mp3: Path) -> None:
    with player.open("stream", {"id": id_of(app, "Album/two.mp3"), "maxBitRate": 64}) as answer:
        assert answer.get_data() == mp3.read_bytes()


def test_a_cold_stream_has_its_length_and_every_range_of_it_is_that_of_the_whole(
    app: Flask, player: Player
) -> None:
    asked = {"id": id_of(app, "Album/one.flac"), "maxBitRate": 128, "estimateContentLength": "true"}
    with player.open("stream", asked, method="HEAD") as head:
        assert head.status_code == 200
        assert head.mimetype == "audio/mpeg"
        assert head.headers["Accept-Ranges"] == "bytes"
        length = int(head.headers["Content-Length"])
    places = random.Random(7)
    parts = {}
    for _ in range(50):
        start = places.randrange(length)
        stop = min(length, start + places.randrange(1, 9_000))
        sought = {"Range": f"bytes={start}-{stop - 1}"}
        with player.open("stream", asked, headers=sought) as answer:
            assert answer.status_code == 206
            assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{length}"
            assert answer.headers["ETag"] == head.headers["ETag"]
            parts[start, stop] = answer.get_data()
    with player.open("stream", asked) as answer:
        whole = answer.get_data()
    assert len(whole) == length
    assert all(whole[start:stop] == part for (start, stop), part in parts.items())
    with player.open("stream", asked, method="POST") as answer:
        assert answer.get_data() == whole
    sought = {"Range": "bytes=100-199"}
    with player.open("stream", asked, method="POST", headers=sought) as answer:
        assert answer.status_code == 206
        assert answer.get_data() == whole[100:200]


def test_a_download_is_the_file_itself(app: Flask, player: Player, flac: Path) -> None:
    with player.open("download", {"id": id_of(app, "Album/one.flac")}) as answer:
        assert answer.get_data() == flac.read_bytes()
    with player.open("stream", {"id": id_of(app, "Album/one.flac"), "format": "raw"}) as answer:
        assert answer.get_data() == flac.read_bytes()


@pytest.mark.parametrize("call", ["stream", "download", "getCoverArt"])
@pytest.mark.parametrize(
    "wanted",
    ["", "tr-", "tr-0", "tr-99999", "tr--1", "tr-" + "9" * 30, "al-", "../x", "tr-१", "cv-zz", "x"],
)
def test_an_id_of_nothing_is_refused(player: Player, call: str, wanted: str) -> None:
    with pytest.raises(Refused, match="70"):
        player.ask(call, {"id": wanted})


def test_no_id_at_all_is_another_mistake(player: Player) -> None:
    with pytest.raises(Refused, match="10: The parameter “id” is missing"):
        player.ask("stream")


def test_a_track_that_is_gone_is_refused(app: Flask, player: Player, music: Path) -> None:
    wanted = id_of(app, "Album/one.flac")
    (music / "Album" / "one.flac").unlink()
    with pytest.raises(Refused, match="70"):
        player.ask("stream", {"id": wanted, "maxBitRate": 128})


def test_the_library_is_scanned_when_an_admin_asks(app: Flask, player: Player) -> None:
    assert player.ask("getScanStatus")["scanStatus"] == {"scanning": False, "count": 2}
    assert "scanning" in player.ask("startScan")["scanStatus"]
    services_of(app).scanner.wait(30)
