from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from audio_cache.flask_ext import get_state
from tests.helpers.host import PASSWORD, make_app, sign_in
from tests.helpers.mixtapes import (
    message_of,
    scan,
    services_of,
    share_mixtape,
    stream_urls,
    track_id,
)
from tests.helpers.tracks import place


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path) -> Flask:
    app = make_app(tmp_path, password=PASSWORD)
    place(flac, music / "1.flac", title="First", REPLAYGAIN_TRACK_GAIN="-6.5 dB")
    place(flac, music / "2.flac", title="Second", album="Album")
    (music / "broken.flac").write_bytes(b"no music")
    scan(app)
    return app


@pytest.fixture
def owner(app: Flask) -> FlaskClient:
    client = app.test_client()
    sign_in(client)
    return client


def store(app: Flask, path: Path) -> None:
    with app.app_context():
        get_state().cache.transcode_file(path, "low")


def test_tracks_come_by_their_ids_in_the_order_asked_for(app: Flask, owner: FlaskClient) -> None:
    first, second = track_id(app, "1.flac"), track_id(app, "2.flac")
    broken = track_id(app, "broken.flac")
    answer = owner.get(f"/api/tracks?ids={second},{broken},999,{first}")
    assert answer.json is not None
    told = answer.json["tracks"]
    assert [track["title"] for track in told] == ["Second", "First"]
    assert [track["gain"] for track in told] == [None, {"track": [-6.5, None], "album": [None] * 2}]
    assert told[0]["album_url"].startswith("/albums/")
    assert told[1]["album_url"] == ""


@pytest.mark.parametrize("ids", ["", "a", "1,,2", "-1", "²", ",".join(["1"] * 501)])
def test_what_are_no_ids_is_refused_with_a_word(owner: FlaskClient, ids: str) -> None:
    for address in ("/api/tracks", "/api/tracks/addresses"):
        answer = owner.get(address, query_string={"ids": ids})
        assert answer.status_code == 400
        assert "`ids`" in message_of(answer)


def test_the_loudness_line_is_there_once_the_track_is_stored(
    app: Flask, owner: FlaskClient, music: Path
) -> None:
    url = f"/api/tracks/{track_id(app, '1.flac')}/loudness"
    assert owner.get(url).status_code == 204
    store(app, music / "1.flac")
    answer = owner.get(url)
    assert (answer.status_code, answer.mimetype) == (200, "application/octet-stream")
    assert max(answer.data) == 255
    assert "max-age=86400" in answer.headers["Cache-Control"]
    again = owner.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert owner.get("/api/tracks/999/loudness").status_code == 404


def test_a_listener_gets_the_line_by_the_address_of_the_track(app: Flask, music: Path) -> None:
    mixtape = share_mixtape(app, "1.flac")
    listener = app.test_client()
    (url,) = stream_urls(listener, mixtape)
    assert listener.get(f"{url}/loudness").status_code == 204
    store(app, music / "1.flac")
    assert listener.get(f"{url}/loudness").status_code == 200
    assert listener.get(f"{url[:-1]}/loudness").status_code == 404
    assert listener.get(f"/api/tracks/{track_id(app, '1.flac')}/loudness").status_code == 401
    services_of(app).mixtapes.unshare(mixtape.slug)
    assert listener.get(f"{url}/loudness").status_code == 404
