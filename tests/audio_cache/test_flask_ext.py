"""The extension in applications of somebody else: routes, names of any bytes, refusals, hooks."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from flask import Flask, abort, redirect
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from audio_cache.errors import ConfigError
from audio_cache.flask_ext import AudioCacheState, FlaskAudioCache, find_track, send_track
from audio_cache.progress.tracker import ProgressStatus
from audio_cache.quality import QUALITY_LEVELS
from tests.audio_cache.server import LIMIT_S, Server, wait_until


@pytest.fixture
def music(tmp_path: Path, flac: Path) -> Path:
    """Return a music folder with a track, and with what is not for listeners."""
    root = tmp_path / "music"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    shutil.copyfile(flac, root / "folder" / "track.flac")
    shutil.copyfile(flac, tmp_path / "secret" / "track.flac")
    (root / "notes.txt").write_text("not for listeners")
    (root / "out.flac").symlink_to(tmp_path / "secret" / "track.flac")
    (root / "way out").symlink_to(tmp_path / "secret")
    (root / "within.flac").symlink_to("folder/track.flac")
    (root / "loop.flac").symlink_to("loop.flac")
    (root / "dangling.flac").symlink_to("nowhere.flac")
    (root / "folder.flac").mkdir()
    os.mkfifo(root / "pipe.flac")
    return root


def make_app(music: Path, **given: Any) -> Flask:
    app = Flask("somebody else's")
    config = {"MUSIC_ROOT": str(music), "DATA_ROOT": str(music.parent / "data"), **given}
    app.config.update(config)
    return app


def state_of(app: Flask) -> AudioCacheState:
    state: AudioCacheState = app.extensions["audio_cache"]
    return state


@pytest.fixture
def app(music: Path) -> Iterator[Flask]:
    app = make_app(music, AUDIO_CACHE_ON_MISS="live")
    FlaskAudioCache(app)
    yield app
    state_of(app).shut_down()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_three_lines_make_an_application_play(client: FlaskClient, music: Path) -> None:
    answer = client.get("/play/folder/track.flac?quality=low")
    assert (answer.status_code, answer.mimetype) == (200, "audio/mpeg")
    assert answer.data.startswith(b"ID3")
    original = client.get("/play/folder/track.flac?quality=original")
    assert original.data == (music / "folder" / "track.flac").read_bytes()


@pytest.mark.parametrize("quality", QUALITY_LEVELS)
@pytest.mark.parametrize("spelling", [str, str.upper])
def test_every_quality_is_known_in_any_case(
    client: FlaskClient, quality: str, spelling: Any
) -> None:
    url = f"/play/folder/track.flac?quality={spelling(quality)}"
    answer = client.head(url)
    assert answer.status_code == 200
    assert f"quality={quality}" in answer.headers["Audio-Cache-Rendition"]


def test_without_a_quality_the_configured_one_is_played(music: Path) -> None:
    app = make_app(music, AUDIO_CACHE_DEFAULT_QUALITY="high")
    FlaskAudioCache(app)
    told = app.test_client().head("/play/folder/track.flac").headers["Cache-Status"]
    assert told.startswith("audio-cache; fwd=miss")
    named = app.test_client().head("/play/folder/track.flac?x=1&quality=high")
    default = app.test_client().head("/play/folder/track.flac")
    assert named.headers["ETag"] == default.headers["ETag"]


@pytest.mark.parametrize("text", ["best", "", "low,high", "128", "%00", "%ff", "original%2F.."])
def test_an_unknown_quality_is_refused_with_those_that_exist(
    client: FlaskClient, text: str
) -> None:
    answer = client.get(f"/play/folder/track.flac?quality={text}")
    assert answer.status_code == 400
    for quality in QUALITY_LEVELS:
        assert quality in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "missing.flac",
        "folder",
        "folder/",
        "folder.flac",
        "",
        "folder/track.flac/",
        "folder/track.flac/more.flac",
        "../secret/track.flac",
        "folder/../folder/track.flac",
        "folder/./track.flac",
        "%2e%2e/secret/track.flac",
        "..%2Fsecret%2Ftrack.flac",
        "folder%2F%2Ftrack.flac",
        "folder/track.flac%00",
        "folder/track.flac%00.mp3",
        "notes.txt",
        "out.flac",
        "way%20out/track.flac",
        "loop.flac",
        "dangling.flac",
        "pipe.flac",
        "x" * 300 + ".flac",
        "x/" * 3000 + "track.flac",
    ],
)
def test_what_is_not_there_or_not_for_listeners_is_not_found(
    client: FlaskClient, path: str
) -> None:
    for quality in ("low", "original"):
        answer = client.get(f"/play/{path}?quality={quality}")
        assert answer.status_code == 404
        assert "secret" not in answer.text


def test_a_link_within_the_music_is_played(client: FlaskClient) -> None:
    assert client.get("/play/within.flac?quality=original").status_code == 200


def test_a_music_root_that_is_a_link_is_followed(music: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(music)
    app = make_app(tmp_path / "link")
    FlaskAudioCache(app)
    answer = app.test_client().get("/play/folder/track.flac?quality=original")
    assert answer.status_code == 200
    assert app.test_client().get("/play/out.flac").status_code == 404


def test_a_file_that_is_replaced_by_a_link_out_is_refused_at_once(
    client: FlaskClient, music: Path, tmp_path: Path
) -> None:
    url = "/play/folder/track.flac?quality=original"
    assert client.get(url).status_code == 200
    (music / "folder" / "track.flac").unlink()
    (music / "folder" / "track.flac").symlink_to(tmp_path / "secret" / "track.flac")
    assert client.get(url).status_code == 404


def test_find_track_returns_the_absolute_path(music: Path) -> None:
    assert find_track(music, "folder/track.flac") == music / "folder" / "track.flac"
    with pytest.raises(NotFound):
        find_track(music, "../secret/track.flac")
    with pytest.raises(NotFound):
        find_track(music, os.fspath(music.parent / "secret" / "track.flac"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_tracks_are_only_read(client: FlaskClient, method: str) -> None:
    assert client.open("/play/folder/track.flac", method=method).status_code == 405


# Asked for over a socket, as clients really send them.
NAMES = [
    b"plain.flac",
    b"with spaces.flac",
    b" leading.flac",
    b"-dash.flac",
    b"--help.flac",
    b"per%20cent.flac",
    b"100%.flac",
    b"what?.flac",
    b"hash#1.flac",
    b"plus+and&amp=.flac",
    b"semi;colon,.flac",
    b"quote'\".flac",
    b"back\\slash.flac",
    b"new\nline.flac",
    b"tab\t.flac",
    b"bell\x07.flac",
    b"del\x7f.flac",
    "Ä ünïcödé ♫.flac".encode(),
    b"latin \xe4\xf6.flac",
    b"broken \xff\xfe utf-8.flac",
    b"half \xe2\x99.flac",
    b"file:x.flac",
    b"concat:a|b.flac",
    b"http:..flac",
    b"pipe:0.flac",
    b"%03d.flac",
    b"~root.flac",
    b"x" * 250 + b".flac",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, flac: Path) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("names")) as server:
        for name in NAMES:
            shutil.copyfile(flac, os.path.join(os.fsencode(server.music), name))
        shutil.copytree(server.music, server.music / os.fsdecode(b"folder \xff\n%2F?"))
        yield server


def raw_get(server: Server, target: bytes) -> bytes:
    """Return all that comes back for a request target, sent as it is."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S) as connection:
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[2:40])
def test_a_name_may_hold_any_bytes(server: Server, flac: Path, name: bytes) -> None:
    target = b"/play/" + quote_from_bytes(name).encode("ascii")
    original = raw_get(server, target + b"?quality=original")
    head, _, body = original.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == flac.read_bytes()
    low = raw_get(server, target + b"?quality=low")
    assert low.startswith(b"HTTP/1.1 200 ")
    assert low.partition(b"\r\n\r\n")[2].startswith(b"ID3")


def test_so_may_the_names_of_folders(server: Server, flac: Path) -> None:
    target = "/play/" + quote_from_bytes(b"folder \xff\n%2F?/half \xe2\x99.flac")
    assert raw_get(server, target.encode()).startswith(b"HTTP/1.1 200 ")
    cut = target.replace("%FF", "%FE")
    assert raw_get(server, cut.encode()).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "target",
    [
        b"/play/../music/plain.flac",
        b"/play/%2e%2e/music/plain.flac",
        b"/play/..%2fmusic%2fplain.flac",
        b"/play/plain.flac%00",
        b"/play/%00",
        b"/play/%0A",
        b"/play/plain.flac%0A",
        b"/play//etc/passwd",
        b"/play/%2Fetc%2Fpasswd",
        b"/play/broken%20%EF%BF%BD%EF%BF%BD%20utf-8.flac",
    ],
)
def test_raw_targets_that_lead_nowhere(server: Server, target: bytes) -> None:
    status = raw_get(server, target).split(b" ", 2)[1]
    assert status in {b"404", b"308"}  # 308 puts doubled slashes right, and the next answer is 404
    assert server.ask("/small").body == b"small"


def test_switched_off_everything_is_the_original(music: Path) -> None:
    app = make_app(music, AUDIO_CACHE_ENABLED="false")
    FlaskAudioCache(app)
    answer = app.test_client().get("/play/folder/track.flac?quality=low")
    assert answer.headers["Cache-Status"] == "audio-cache; fwd=bypass"
    assert answer.data == (music / "folder" / "track.flac").read_bytes()
    assert app.test_client().get("/play/folder/track.flac?quality=bad").status_code == 400


def test_on_miss_original_the_next_request_is_a_hit(music: Path) -> None:
    app = make_app(music, AUDIO_CACHE_ON_MISS="original")
    FlaskAudioCache(app)
    client = app.test_client()
    first = client.get("/play/folder/track.flac?quality=low")
    assert first.headers["Cache-Status"] == "audio-cache; fwd=miss"
    assert first.data == (music / "folder" / "track.flac").read_bytes()
    cache = state_of(app).cache
    wait_until(lambda: cache.is_cached(music / "folder" / "track.flac", "low"))
    second = client.get("/play/folder/track.flac?quality=low")
    assert second.headers["Cache-Status"] == "audio-cache; hit"
    assert second.headers["ETag"] != first.headers["ETag"]
    state_of(app).shut_down()


def test_the_environment_wins(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIO_CACHE_ENABLED", "0")
    app = make_app(music, AUDIO_CACHE_ENABLED=True)
    FlaskAudioCache(app)
    assert not state_of(app).settings.enabled


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"MUSIC_ROOT": None}, "MUSIC_ROOT"),
        ({"MUSIC_ROOT": ""}, "MUSIC_ROOT"),
        ({"AUDIO_CACHE_MAX_LIVE": "some"}, "AUDIO_CACHE_MAX_LIVE"),
        ({"AUDIO_CACHE_ON_MISS": "silence"}, "AUDIO_CACHE_ON_MISS"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start(
    music: Path, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        FlaskAudioCache(make_app(music, **config))


def test_the_state_is_in_the_extensions_of_each_application(music: Path, tmp_path: Path) -> None:
    extension = FlaskAudioCache()
    apps = [make_app(music), make_app(music, DATA_ROOT=str(tmp_path / "other"))]
    for app in apps:
        extension.init_app(app)
    first, second = map(state_of, apps)
    assert first.music_root == second.music_root == music
    assert first.cache.cache_dir == tmp_path / "data" / "cache" / "audio"
    assert second.cache.cache_dir == tmp_path / "other" / "cache" / "audio"
    assert first.live is not second.live


def test_authorize_is_asked_before_every_answer(music: Path) -> None:
    asked: list[str] = []

    def authorize() -> None:
        asked.append("asked")
        abort(403)

    app = make_app(music)
    FlaskAudioCache(app, authorize=authorize)
    client = app.test_client()
    for url in ("/play/folder/track.flac", "/play/missing", "/editor/progress/summer"):
        assert client.get(url).status_code == 403
    assert len(asked) == 3


def test_authorize_may_answer_itself_or_let_pass(music: Path) -> None:
    passes = False

    def authorize() -> Response | None:
        return None if passes else redirect("/login")

    app = make_app(music)
    FlaskAudioCache(app, authorize=authorize)
    client = app.test_client()
    url = "/play/folder/track.flac?quality=original"
    assert client.get(url).headers["Location"] == "/login"
    passes = True
    assert client.get(url).status_code == 200


def test_the_host_may_have_routes_of_its_own(app: Flask, music: Path) -> None:
    @app.get("/by-number/<int:number>")
    def by_number(number: int) -> Response:
        return send_track(music / "folder" / ("track.flac" if number == 1 else "no.flac"), "low")

    client = app.test_client()
    played = client.get("/by-number/1", headers={"Range": "bytes=0-9"})
    assert (played.status_code, len(played.data)) == (206, 10)
    assert client.get("/by-number/2").status_code == 404


def test_what_the_host_does_to_answers_still_works(app: Flask) -> None:
    @app.after_request
    def mark(response: Response) -> Response:
        response.headers["X-Frame-Options"] = "DENY"
        return response

    client = app.test_client()
    for url in ("/play/folder/track.flac?quality=low", "/play/none.flac"):
        assert client.get(url).headers["X-Frame-Options"] == "DENY"
    assert client.head("/play/folder/track.flac?quality=low").data == b""


def test_progress_of_a_run_is_streamed_and_that_of_none_is_not_found(
    app: Flask, client: FlaskClient
) -> None:
    assert client.get("/editor/progress/unheard-of").status_code == 404
    tracker = state_of(app).tracker
    task = "a mixtape of this test"
    tracker.create_task(task)
    tracker.emit(task, "caching", ProgressStatus.COMPLETED, "Done", 1, 1)
    answer = client.get(f"/editor/progress/{task}")
    assert answer.mimetype == "text/event-stream"
    assert '"type": "connected"' in answer.text
    assert '"message": "Done"' in answer.text
    tracker.cleanup_task(task)


def test_shutting_down_twice_is_no_harm(app: Flask, client: FlaskClient) -> None:
    state_of(app).shut_down()
    state_of(app).shut_down()
    answer = client.get("/play/folder/track.flac?quality=low")
    assert answer.headers["Cache-Status"] == "audio-cache; fwd=miss"
