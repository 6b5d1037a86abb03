from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from audio_cache.encoding import mp3
from tests.helpers.audio import make_noise
from tests.helpers.host import make_app
from tests.helpers.mixtapes import scan, track_id
from tests.helpers.renditions import decode_stereo, find_lag, rendition_of
from tests.helpers.subsonic import Player, Refused, add_device

SECONDS = 40
PHONE = {
    "name": "Phone",
    "platform": "Android",
    "directPlayProfiles": [
        {"containers": ["mp3"], "audioCodecs": ["mp3"], "protocols": ["http"]},
    ],
    "transcodingProfiles": [{"container": "mp3", "audioCodec": "mp3", "protocol": "http"}],
    "maxTranscodingAudioBitrate": 200_000,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, mp3: Path) -> Path:
    """Return a library of a lossy track and two others, of which one is for a single test."""
    music = tmp_path_factory.mktemp("host") / "music"
    music.mkdir()
    for seed, name in enumerate(("long.flac", "cold.flac")):
        make_noise(music / name, samples=SECONDS * 44_100, seed=seed)
    (music / "lossy.mp3").write_bytes(mp3.read_bytes())
    return music


@pytest.fixture(scope="module")
def app(folder: Path) -> Flask:
    app = make_app(folder.parent)
    scan(app)
    return app


@pytest.fixture(scope="module")
def key(app: Flask) -> str:
    return add_device(app)


@pytest.fixture
def source(folder: Path) -> Path:
    return folder / "long.flac"


def decide(app: Flask, player: Player, name: str, info: Any = PHONE, **more: str) -> Any:
    asked = {"mediaId": f"tr-{track_id(app, name)}", "mediaType": "song", "f": "json", **more}
    body = info if isinstance(info, str) else json.dumps(info)
    with player.client.post(
        "/rest/getTranscodeDecision",
        query_string={**player.credentials, **asked},
        data=body,
        content_type="application/json",
    ) as answer:
        assert answer.status_code == 200
        assert answer.json is not None
        return answer.json["subsonic-response"]


def read(player: Player, call: str, asked: dict[str, object], sought: str = "") -> bytes:
    headers = {"Range": f"bytes={sought}"} if sought else None
    with player.open(call, asked, headers=headers) as answer:
        assert answer.status_code == (206 if sought else 200)
        data = answer.get_data()
        assert answer.content_length == len(data)
        return data


def test_a_decision_leads_to_the_stream_that_it_describes(app: Flask, player: Player) -> None:
    found = decide(app, player, "long.flac")["transcodeDecision"]
    assert found["canDirectPlay"] is False
    assert found["canTranscode"] is True
    assert found["transcodeReason"] == ["ContainerNotSupported"]
    source, made = found["sourceStream"], found["transcodeStream"]
    assert (source["container"], source["codec"], source["audioSamplerate"]) == (
        "flac",
        "flac",
        44_100,
    )
    assert made == {
        "protocol": "http",
        "container": "mp3",
        "codec": "mp3",
        "audioChannels": 2,
        "audioBitrate": 192_000,
        "audioSamplerate": 44_100,
    }
    track = f"tr-{track_id(app, 'long.flac')}"
    asked: dict[str, object] = {
        "mediaId": track,
        "mediaType": "song",
        "transcodeParams": found["transcodeParams"],
    }
    whole = read(player, "getTranscodeStream", asked)
    assert whole == read(player, "stream", {"id": track, "maxBitRate": 192})
    assert b"Info" in whole[:2000]


def test_what_can_be_played_as_it_is_is_said_to_be(app: Flask, player: Player) -> None:
    found = decide(app, player, "lossy.mp3")["transcodeDecision"]
    assert found["canDirectPlay"] is True
    assert found["canTranscode"] is False
    assert "transcodeParams" not in found
    # What a decision says of a file stands in XML, too.
    asked = {"mediaId": f"tr-{track_id(app, 'lossy.mp3')}", "mediaType": "song"}
    with player.client.post(
        "/rest/getTranscodeDecision.view",
        query_string={**player.credentials, **asked},
        json=PHONE,
    ) as answer:
        assert b'<transcodeDecision canDirectPlay="true" canTranscode="false"' in answer.data


@pytest.mark.parametrize("body", ["", "x", "[]", '{"maxAudioBitrate": "much"}', "[" * 10_000])
def test_a_body_that_says_nothing_is_refused(app: Flask, player: Player, body: str) -> None:
    found = decide(app, player, "long.flac", body)
    assert found["status"] == "failed"
    assert found["error"]["code"] == 0
    assert "ClientInfo" in found["error"]["message"]


def test_only_songs_are_decided_on(app: Flask, player: Player) -> None:
    assert decide(app, player, "long.flac", mediaType="podcast")["error"]["code"] == 70
    with pytest.raises(Refused, match="10: The parameter “mediaType” is missing"):
        player.ask("getTranscodeDecision", {"mediaId": "tr-1"}, method="POST")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"mediaId": "tr-99999", "mediaType": "song", "transcodeParams": "low"}, 404),
        ({"mediaId": "tr-1", "mediaType": "podcast", "transcodeParams": "low"}, 404),
        ({"mediaId": "tr-1", "mediaType": "song", "transcodeParams": "0001-0005"}, 400),
        ({"mediaId": "tr-1", "mediaType": "song", "transcodeParams": "original"}, 400),
        ({"mediaId": "tr-1", "transcodeParams": "low"}, 400),
        ({"mediaId": "tr-1", "mediaType": "song"}, 400),
        ({"mediaId": "tr-1", "mediaType": "song", "transcodeParams": "low", "offset": "x"}, 400),
    ],
)
def test_a_stream_that_cannot_be_is_an_error_of_http(
    player: Player, asked: dict[str, object], status: int
) -> None:
    with player.open("getTranscodeStream", {**asked, "f": "json"}) as answer:
        assert answer.status_code == status
        assert answer.json is not None
        assert answer.json["subsonic-response"]["error"]["message"]


@pytest.mark.parametrize("name", ["cold.flac", "long.flac"])
def test_from_an_offset_on_comes_the_end_of_the_finished_file(
    app: Flask, player: Player, folder: Path, name: str
) -> None:
    track = f"tr-{track_id(app, name)}"
    asked: dict[str, object] = {"id": track, "maxBitRate": 128}
    if name == "long.flac":
        read(player, "stream", asked)
    rendition = rendition_of(folder / name, "low")
    second = 25.5
    first = rendition.offset_at(second)
    places = random.Random(3)
    length = rendition.length - first
    parts = {}
    for _ in range(10):
        start = places.randrange(length)
        stop = min(length, start + places.randrange(1, 9_000))
        sought = f"{start}-{stop - 1}"
        parts[start, stop] = read(player, "stream", {**asked, "timeOffset": second}, sought)
    tail = read(player, "stream", {**asked, "timeOffset": second})
    stated = {
        "mediaId": track,
        "mediaType": "song",
        "transcodeParams": "low",
        "offset": second,
    }
    assert read(player, "getTranscodeStream", stated) == tail
    whole = read(player, "stream", asked)
    assert tail == whole[first:]
    assert all(tail[start:stop] == part for (start, stop), part in parts.items())


def test_the_offset_is_the_time_that_is_heard(
    app: Flask, player: Player, source: Path, tmp_path: Path
) -> None:
    track = f"tr-{track_id(app, 'long.flac')}"
    original, alone = decode_stereo(source), tmp_path / "tail.mp3"
    for second in (0.001, 7, 25.5, 38.9):
        tail = read(player, "stream", {"id": track, "format": "mp3", "timeOffset": second})
        # For a decoder that knows nothing of where it comes from.
        alone.write_bytes(tail)
        # The first frame overlaps one that is not there.
        made = decode_stereo(alone)[mp3.FRAME_SAMPLES : mp3.FRAME_SAMPLES + 20_000]
        wanted = int(second * 44_100)
        begin = max(0, wanted - 3_000)
        lag = find_lag(made, original[begin : wanted + 30_000])
        place = begin - lag - mp3.FRAME_SAMPLES
        assert wanted - mp3.FRAME_SAMPLES <= place <= wanted


def test_each_offset_has_a_tag_of_its_own(app: Flask, player: Player) -> None:
    asked: dict[str, object] = {"id": f"tr-{track_id(app, 'long.flac')}", "maxBitRate": 128}
    tags = []
    for second in (0, 10, 10.001, 20):
        with player.open("stream", {**asked, "timeOffset": second}, method="HEAD") as head:
            assert head.status_code == 200
            assert head.headers["Accept-Ranges"] == "bytes"
            tags.append(head.headers["ETag"])
    # The third is heard in the same frame as the second.
    assert len(set(tags)) == 3
    assert tags[1] == tags[2]
    same = {"If-None-Match": tags[1]}
    with player.open("stream", {**asked, "timeOffset": 10}, headers=same) as answer:
        assert answer.status_code == 304
    other = {"If-Range": tags[3], "Range": "bytes=5-9"}
    with player.open("stream", {**asked, "timeOffset": 10}, headers=other) as answer:
        assert answer.status_code == 200


def test_an_offset_beyond_the_end_gives_the_last_frame(app: Flask, player: Player) -> None:
    asked: dict[str, object] = {"id": f"tr-{track_id(app, 'long.flac')}", "maxBitRate": 128}
    whole = read(player, "stream", asked)
    for second in (SECONDS, 9_999_999, 2**53):
        tail = read(player, "stream", {**asked, "timeOffset": second})
        assert 0 < len(tail) < 1_000
        assert whole.endswith(tail)


def test_of_a_file_as_it_is_no_part_is_cut_off(app: Flask, player: Player, source: Path) -> None:
    lossy = f"tr-{track_id(app, 'lossy.mp3')}"
    whole = read(player, "stream", {"id": lossy, "maxBitRate": 64, "timeOffset": 1})
    assert whole == read(player, "download", {"id": lossy})
    track = f"tr-{track_id(app, 'long.flac')}"
    raw = read(player, "stream", {"id": track, "format": "raw", "timeOffset": 10})
    assert raw == source.read_bytes()
    # Who asks for a part of what has to be made for it gets it, in the best quality.
    best = read(player, "stream", {"id": track, "format": "mp3"})
    made = read(player, "stream", {"id": track, "timeOffset": 10})
    assert best.endswith(made)
    assert len(made) < len(best)


def test_an_offset_is_a_number_from_0(player: Player) -> None:
    with pytest.raises(Refused, match="“timeOffset=-1” has to be a number from 0"):
        player.ask("stream", {"id": "tr-1", "timeOffset": "-1"})
