"""Plays without room: a listener gets the same answer, and nothing is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from audio_cache import AudioCache
from audio_cache.errors import LiveUnavailableError, NoRoomError
from audio_cache.flask_ext import FlaskAudioCache
from audio_cache.live.encodes import Live
from tests.audio_cache.foreign_app import make_app, state_of
from tests.audio_cache.live.house import is_idle, low, read
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.rooms import cache_with_room
from tests.helpers.waiting import LIMIT_S, wait_until


@pytest.fixture
def full(tmp_path: Path, fast: StubFFmpeg) -> AudioCache:
    """Return a cache whose floor is the whole disk."""
    return cache_with_room(tmp_path / "cache", "", "100%", ffmpeg=fast.path)


def test_an_answer_without_room_is_the_file_and_leaves_nothing(
    full: AudioCache, track: Path, whole: bytes
) -> None:
    live = Live(full, max_encoders=1, wait_s=LIMIT_S)
    rendition = low(live, track)
    for start, stop in ((0, len(whole)), (0, 10), (5, 2000), (200_000, 300_001)):
        assert read(live.play(rendition, start, stop)) == whole[start:stop]
        wait_until(is_idle(live), "the end of the encoders")
    assert not list(full.partials())
    assert list(full.entries()) == []
    live.stop(LIMIT_S)


def test_many_listeners_have_an_encoder_each_and_one_too_many_is_told(
    full: AudioCache, track: Path, whole: bytes
) -> None:
    live = Live(full, max_encoders=2, wait_s=0.0)
    rendition = low(live, track)
    answers = []
    while live.busy_encoders < 2:
        answers.append(live.play(rendition, 0, len(whole)))
        wait_until(lambda: not live.growing(), "the end of the encode that found no room")
    with pytest.raises(LiveUnavailableError, match="encoders for listeners are busy"):
        live.play(rendition, 0, len(whole))
    assert [read(answer) for answer in answers] == [whole, whole]
    wait_until(is_idle(live), "the end of the encoders")
    live.stop(LIMIT_S)


def test_a_listener_who_leaves_ends_his_encoder(
    full: AudioCache, track: Path, fast: StubFFmpeg
) -> None:
    live = Live(full, wait_s=LIMIT_S)
    rendition = low(live, track)
    answer = live.play(rendition, 0, rendition.length)
    assert next(answer)
    answer.close()
    wait_until(is_idle(live), "the end of the encoder")
    wait_until(lambda: not fast.running(), "the end of ffmpeg")
    live.stop(LIMIT_S)


def test_a_source_that_cannot_be_encoded_is_no_live_answer_without_room_either(
    track: Path, tmp_path: Path
) -> None:
    failing = StubFFmpeg(tmp_path / "failing", before="exit 1")
    live = Live(cache_with_room(tmp_path / "cache", "", "100%", ffmpeg=failing.path))
    with pytest.raises(LiveUnavailableError, match=r"cannot play live: .*ffmpeg"):
        live.play(low(live, track), 0, 100_000)
    wait_until(is_idle(live), "the end of the encoders")
    live.stop(LIMIT_S)


def test_it_is_stored_as_soon_as_there_is_room(full: AudioCache, track: Path, whole: bytes) -> None:
    live = Live(full, wait_s=LIMIT_S)
    assert read(live.play(low(live, track), 0, len(whole))) == whole
    full.room.limits = cache_with_room(full.cache_dir).room.limits
    assert read(live.play(low(live, track), 0, len(whole))) == whole
    wait_until(is_idle(live), "the end of the encoder")
    assert full.get_cache_path(track, "low").read_bytes() == whole
    live.stop(LIMIT_S)


def test_a_batch_says_what_a_listener_need_not_know(full: AudioCache, track: Path) -> None:
    with pytest.raises(NoRoomError, match="AUDIO_CACHE_MIN_FREE"):
        full.store_together(track, ["low"])


@pytest.fixture
def client(music: Path) -> FlaskClient:
    app = make_app(music, AUDIO_CACHE_MIN_FREE="100%", AUDIO_CACHE_MAX_LIVE=2)
    FlaskAudioCache(app)
    return app.test_client()


def test_over_http_length_tag_and_ranges_are_those_of_the_file(
    client: FlaskClient, music: Path, tmp_path: Path
) -> None:
    track = music / "folder" / "track.flac"
    stored = AudioCache(tmp_path / "other").transcode_file(track, "low").read_bytes()
    whole = client.get("/play/folder/track.flac?quality=low")
    assert whole.data == stored
    assert whole.content_length == len(stored)
    assert whole.headers["Cache-Status"] == "audio-cache; fwd=miss; detail=live"
    part = client.get("/play/folder/track.flac?quality=low", headers={"Range": "bytes=9000-9999"})
    assert (part.status_code, part.data) == (206, stored[9000:10_000])
    assert part.headers["ETag"] == whole.headers["ETag"]
    assert not list(state_of(client.application).cache.entries())
    state_of(client.application).shut_down()
