"""Programs of other people that play, seek, go on with, and cache what is still being made."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_cache.store.cache import AudioCache
from tests.helpers.audio import make_noise, run_ffmpeg
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.gunicorn import Server, play_target
from tests.helpers.nginx import Nginx, temp_paths
from tests.helpers.waiting import LIMIT_S, together

SECONDS = 40
NGINX = """
daemon off;
master_process off;
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{}}
http {{
    access_log off;
    {temp_paths}
    proxy_cache_path {root}/cache keys_zone=slices:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            slice 64k;
            proxy_cache slices;
            proxy_cache_key $uri$is_args$args$slice_range;
            proxy_cache_valid 200 206 1h;
            # We say no-cache, which asks for a look at the validators with every request.
            proxy_ignore_headers Cache-Control;
            proxy_set_header Range $slice_range;
            proxy_http_version 1.1;
            add_header X-Cache $upstream_cache_status;
            proxy_pass {upstream};
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose encoder takes two seconds for a track."""
    root = tmp_path_factory.mktemp("clients")
    ffmpeg = StubFFmpeg(root, speed=20)
    with Server(root, AUDIO_CACHE_FFMPEG=ffmpeg.path) as server:
        make_noise(server.music / "long.flac", samples=SECONDS * 44_100)
        yield server


@pytest.fixture
def name(server: Server, request: pytest.FixtureRequest) -> str:
    """Return a track that nobody has asked for yet."""
    name = f"{request.node.name}.flac"
    os.link(server.music / "long.flac", server.music / name)
    return name


def expected(server: Server, name: str, directory: Path) -> Path:
    """Return the file that a plain encode makes."""
    return AudioCache(directory / "plain").transcode_file(server.music / name, "low")


def run(*command: str | Path, timeout_s: float = LIMIT_S) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout_s
    )


@pytest.mark.slow
@pytest.mark.needs("curl")
def test_curl_gets_the_file_parts_of_it_and_the_rest_of_what_it_has(
    server: Server, name: str, tmp_path: Path
) -> None:
    whole = expected(server, name, tmp_path).read_bytes()
    url = server.address + play_target(name)
    assert run("curl", "-sf", "-r", "-1000", url).stdout == whole[-1000:]
    assert run("curl", "-sf", url).stdout == whole
    begun = tmp_path / "begun.mp3"
    begun.write_bytes(whole[:123_456])
    run("curl", "-sf", "-C", "-", "-o", begun, url)
    assert begun.read_bytes() == whole
    # And of what it has it learns that it is still the same.
    tag, body = tmp_path / "etag", tmp_path / "body"
    run("curl", "-sf", "--etag-save", tag, "-o", body, url)
    run("curl", "-sf", "--etag-compare", tag, "-o", tmp_path / "none", url)
    assert not (tmp_path / "none").exists() or not (tmp_path / "none").stat().st_size


@pytest.mark.slow
def test_ffmpeg_seeks_in_the_url_as_in_the_file(server: Server, name: str, tmp_path: Path) -> None:
    url = server.address + play_target(name)

    def piece(source: str, at: float) -> bytes:
        decoded = ("-t", "2", "-map", "0:a", "-f", "s16le", "pipe:1")
        return run_ffmpeg("-ss", f"{at}", "-i", source, *decoded).stdout

    places = [0.75 * SECONDS, 1.0, 0.4 * SECONDS, SECONDS - 2.5]
    live = together(*(lambda at=at: piece(url, at) for at in places))
    path = f"file:{expected(server, name, tmp_path)}"
    assert live == [piece(path, at) for at in places]
    assert all(len(samples) == 2 * 44100 * 4 for samples in live)


@pytest.mark.slow
@pytest.mark.needs("mpv")
def test_mpv_plays_from_three_quarters_on(server: Server, name: str, tmp_path: Path) -> None:
    wav = tmp_path / "heard.wav"
    url = server.address + play_target(name)
    quiet = ("--no-config", "--no-terminal", "--no-video", "--audio-format=s16")
    run("mpv", *quiet, "--ao=pcm", f"--ao-pcm-file={wav}", "--start=75%", "--length=3", url)
    seconds = (wav.stat().st_size - 44) / (44100 * 4)
    assert 2.5 < seconds < 3.5


@pytest.mark.needs("nginx")
def test_nginx_puts_a_track_together_from_slices_that_it_keeps(
    server: Server, name: str, tmp_path: Path
) -> None:
    whole = expected(server, name, tmp_path).read_bytes()
    with Nginx(tmp_path, lambda port: nginx_config(tmp_path, port, server)) as nginx:
        through = Through(nginx.port)
        plays = [(None, 0, len(whole)), ("100000-", 100_000, len(whole)), ("-70000", -70_000, None)]
        answers = together(*(lambda span=span: through.play(name, span=span) for span, *_ in plays))
        for answer, (_, start, stop) in zip(answers, plays, strict=True):
            assert answer.body == whole[start:stop]
        assert len({answer.headers["ETag"] for answer in answers}) == 1
        kept = through.play(name)
        assert (kept.status, kept.body, kept.headers["X-Cache"]) == (200, whole, "HIT")
        assert "etag mismatch" not in nginx.log.read_text()


def nginx_config(root: Path, port: int, upstream: Server) -> str:
    """Return a configuration with a cache of slices in front of a server."""
    given = {"root": root, "port": port, "upstream": upstream.address}
    return NGINX.format(**given, temp_paths=temp_paths(root))


class Through(Server):
    """The same questions as to a server, to another port."""

    def __init__(self, port: int) -> None:
        self.port = port
