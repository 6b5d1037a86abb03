"""Tracks by their paths: names of any bytes, and what is not for listeners."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound

from audio_cache.flask_ext import FlaskAudioCache, find_track
from tests.audio_cache.foreign_app import make_app
from tests.helpers.gunicorn import Server
from tests.helpers.waiting import LIMIT_S


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


def test_what_lies_in_a_hidden_folder_is_not_found(flac: Path, tmp_path: Path) -> None:
    for folder in ("music/.Trash/album", "music/album/.git", "music/album"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(flac, tmp_path / folder / "a.flac")
    app = make_app(tmp_path / "music")
    FlaskAudioCache(app)
    client = app.test_client()
    for path in (".Trash/album/a.flac", "album/.git/a.flac"):
        assert client.get(f"/play/{path}?quality=original").status_code == 404
    with client.get("/play/album/a.flac?quality=original") as answer:
        assert answer.status_code == 200
