"""Fixtures that many tests share."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings

from audio_cache import AudioCache
from audio_cache.serving import playback
from conftest import find_program, give_up
from tests.helpers.audio import DATA, make_audio
from tests.helpers.outside import no_settings_from_outside
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.privacy import HOST, USER, Secrets
from tests.helpers.redis_server import RedisServer
from tests.helpers.s3_server import S3Server

# Time is no property: a busy machine may take its time with any example.
settings.register_profile("patient", deadline=None)
# Where the same was just run with many.
settings.register_profile("few", deadline=None, max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))

# A shell that starts something in the background may let it ignore Ctrl+C, and all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TAGS = {
    "title": "Ein Stück",
    "artist": "Ähnliche Töne",
    "album": "Probe",
    "track": "3",
    "date": "2024",
    "genre": "Test",
}


@pytest.fixture(scope="session", autouse=True)
def only_settings_of_tests() -> Iterator[None]:
    """Keep the settings of whoever runs the tests out of them."""
    with no_settings_from_outside():
        yield


@pytest.fixture(scope="session", autouse=True)
def none_on_standby() -> Iterator[None]:
    """Let no ffmpeg wait in the process of the tests, where each start is one for what they do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(playback, "keep_ready", lambda most: None)
        yield


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Return a Redis of this session's own."""
    program = find_program("redis-server")
    if program is None:
        give_up("redis-server is missing: apt-get install redis-server")
    with RedisServer(tmp_path_factory.mktemp("redis"), program) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Return the address of a Redis that holds nothing."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Return a PostgreSQL of this session's own."""
    program = find_program("postgres")
    if program is None:
        give_up("postgres is missing: apt-get install postgresql")
    with PostgresServer(Path(program).resolve().parent) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """Return a server that speaks S3, of this session's own."""
    with S3Server() as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an empty bucket, with the environment that leads to it."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server.new_bucket()


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the directory of the committed audio files."""
    return DATA


@pytest.fixture(scope="session")
def shared_audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory for files that the whole session reads and nobody changes."""
    return tmp_path_factory.mktemp("audio")


@pytest.fixture(scope="session")
def flac(shared_audio: Path) -> Path:
    """Return a tagged FLAC of 3 s at 44.1 kHz; copy it before changing it."""
    return make_audio(shared_audio / "three seconds.flac", samples=132_300, tags=TAGS)


@pytest.fixture(scope="session")
def wav(shared_audio: Path) -> Path:
    """Return a WAV of 2 s at 48 kHz; copy it before changing it."""
    path = shared_audio / "two seconds.wav"
    return make_audio(path, samples=96_000, rate=48_000, codec="pcm_s16le")


@pytest.fixture(scope="session")
def mp3(shared_audio: Path) -> Path:
    """Return a lossy file, which is never transcoded."""
    return make_audio(shared_audio / "lossy.mp3", samples=44_100, codec="libmp3lame", tags=TAGS)


@pytest.fixture
def song(tmp_path: Path, flac: Path) -> Path:
    """Return a FLAC of 3 s that a test may change."""
    return Path(shutil.copy2(flac, tmp_path / "song.flac"))


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Return the secrets of a machine whose user and host have names that are found again."""
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, USER)
    monkeypatch.setenv("HOSTNAME", HOST)
    monkeypatch.setattr(socket, "gethostname", lambda: HOST)
    monkeypatch.setattr(platform, "node", lambda: HOST)
    return Secrets(tmp_path)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[AudioCache]:
    """Return a cache with nothing in it."""
    cache = AudioCache(tmp_path / "cache")
    yield cache
    cache.close()
