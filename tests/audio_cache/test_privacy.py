"""What whoever may play learns of the machine that the music is on: nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from audio_cache import CacheWorker
from audio_cache.errors import EncodeError
from audio_cache.flask_ext import FlaskAudioCache
from audio_cache.progress.callback import ProgressCallback
from tests.audio_cache.foreign_app import make_app, state_of
from tests.helpers.privacy import COMMENT, FOLDER, TITLE, Secrets, damage, has_comment
from tests.helpers.waiting import wait_until

HIT = "audio-cache; hit"
LIVE = "audio-cache; fwd=miss; detail=live"
ORIGINAL = "audio-cache; fwd=miss"


@pytest.fixture
def served(secrets: Secrets) -> Iterator[Flask]:
    (secrets.root / "music").mkdir()
    app = make_app(secrets.root / "music", AUDIO_CACHE_ON_MISS="live")
    FlaskAudioCache(app)
    yield app
    state_of(app).shut_down()


@pytest.fixture
def visitor(served: Flask) -> FlaskClient:
    return served.test_client()


def rest(app: Flask) -> None:
    wait_until(lambda: state_of(app).live.busy_encoders == 0)


def address(path: Path, quality: str = "low") -> str:
    return f"/play/{path.parent.name}/{path.name}?quality={quality}"


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_no_answer_to_a_play_tells_where_the_music_is(
    served: Flask, visitor: FlaskClient, secrets: Secrets, suffix: str
) -> None:
    path = secrets.place(suffix)
    kinds = []
    for _ in range(2):
        for headers in ({}, {"Range": "bytes=0-999"}, {"Range": "bytes=99999999-"}):
            with visitor.get(address(path), headers=headers) as answer:
                secrets.assert_untold(answer)
                kinds.append(answer.headers["Cache-Status"])
                assert COMMENT.encode() not in answer.get_data()
                assert COMMENT.encode("utf-16-le") not in answer.get_data()
        with visitor.head(address(path)) as answer:
            secrets.assert_untold(answer)
            etag = answer.headers["ETag"]
        with visitor.get(address(path), headers={"If-None-Match": etag}) as answer:
            assert answer.status_code == 304
            secrets.assert_untold(answer)
        rest(served)
    assert (kinds[0], kinds[-1]) == (LIVE, HIT)


def test_nor_does_that_to_an_original_or_to_a_refusal(
    served: Flask, visitor: FlaskClient, secrets: Secrets
) -> None:
    path = secrets.place()
    assert has_comment(path)
    missing = path.with_name("other.flac")
    asked = [
        (address(path, "original"), 200),
        (address(path, "best"), 400),
        (address(missing), 404),
        ("/play/" + "../" * 3, 404),
    ]
    for target, status in asked:
        with visitor.get(target) as answer:
            assert answer.status_code == status
            secrets.assert_untold(answer)
    damage(path)
    for _ in range(2):
        # A server that meets this error hangs up, with what was sent so far.
        with contextlib.suppress(EncodeError), visitor.get(address(path)) as answer:
            secrets.assert_untold(answer)
        rest(served)
    with visitor.get(address(path)) as answer:
        assert "Audio-Cache-Damage" in answer.headers
        secrets.assert_untold(answer)


def test_the_files_that_a_cache_holds_tell_nothing_either(secrets: Secrets, served: Flask) -> None:
    cache = state_of(served).cache
    for number, suffix in enumerate((".flac", ".wav")):
        content = cache.transcode_file(secrets.place(suffix, seed=number), "low").read_bytes()
        for text in (*secrets.texts, COMMENT):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                assert text.encode(encoding) not in content, text
        assert TITLE.encode("utf-16-le") in content or TITLE.encode() in content


def test_the_events_of_a_run_tell_names_of_tracks_and_nothing_of_their_places(
    served: Flask, visitor: FlaskClient, secrets: Secrets
) -> None:
    sound, broken = secrets.place(), secrets.place(seed=1)
    damage(broken)
    missing = sound.with_name("missing.flac")
    state = state_of(served)
    callback = ProgressCallback("a-run", state.tracker, total_tracks=3)
    worker = CacheWorker(state.cache)
    worker.cache_mixtape([sound, broken, missing], ["low"], callback)
    state.tracker.emit("a-run", "done", "completed", "Done")
    with visitor.get("/editor/progress/a-run") as answer:
        assert '"track_failed"' in answer.text
        assert '"track_cached"' in answer.text
        secrets.assert_untold(answer, may_hold=sound.name)
        assert FOLDER not in answer.text
