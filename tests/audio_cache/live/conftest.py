"""Fixtures of the tests of live plays."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_cache.encoding.ffmpeg import running_count
from audio_cache.encoding.rendition import Rendition
from audio_cache.store.cache import AudioCache
from tests.audio_cache.live.house import SECONDS, House
from tests.audio_cache.live.site import Site, reference
from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.gunicorn import Server
from tests.helpers.processes import open_files
from tests.helpers.waiting import LIMIT_S, wait_until


@pytest.fixture(scope="module")
def track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_noise(tmp_path_factory.mktemp("live") / "track.flac", samples=SECONDS * 44_100)


@pytest.fixture(scope="module")
def whole(track: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes that the plain encode of the track gives."""
    cache = AudioCache(tmp_path_factory.mktemp("reference"))
    return cache.transcode_file(track, "low").read_bytes()


@pytest.fixture
def slow(tmp_path: Path) -> StubFFmpeg:
    """Return an ffmpeg that takes a minute for the track, which no test waits for."""
    return StubFFmpeg(tmp_path, speed=0.5)


@pytest.fixture
def steady(tmp_path: Path) -> StubFFmpeg:
    """Return an ffmpeg that takes three seconds for the track: it is caught on its way."""
    return StubFFmpeg(tmp_path, speed=10)


@pytest.fixture
def gentle(tmp_path: Path) -> StubFFmpeg:
    """Return an ffmpeg that takes 15 s for the track: there is time to end it on its way."""
    return StubFFmpeg(tmp_path, speed=2)


@pytest.fixture
def fast(tmp_path: Path) -> StubFFmpeg:
    return StubFFmpeg(tmp_path)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    before = set(open_files())
    house = House(tmp_path / "cache")
    yield house
    for live in house.lives:
        live.stop(LIMIT_S)
    assert [live.busy_encoders for live in house.lives] == [0] * len(house.lives)
    assert not [thread for thread in threading.enumerate() if thread.name == "encoder"]
    assert running_count() == 0

    def left_open() -> set[str]:
        for live in house.lives:
            live.cache.facts.close()
        return set(open_files()) - before

    wait_until(lambda: not left_open(), f"the end of {left_open()}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, StubFFmpeg]]:
    """Return a server for all tests that want nothing special of theirs."""
    root = tmp_path_factory.mktemp("site")
    ffmpeg = StubFFmpeg(root, speed=20)
    with Server(root, AUDIO_CACHE_FFMPEG=ffmpeg.path) as server:
        yield server, ffmpeg


@pytest.fixture
def site(
    running: tuple[Server, StubFFmpeg],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Site:
    server, ffmpeg = running
    name = request.node.name[:60]
    # Of the same length as the other, but other audio: a copy would be cached with the first.
    own = make_noise(
        server.music / f"{name}.flac", samples=SECONDS * 44_100, seed=zlib.crc32(name.encode())
    )
    return Site(server, ffmpeg, own, reference(own, tmp_path / "reference"))


@pytest.fixture
def rendition(flac: Path, tmp_path: Path) -> Rendition:
    return AudioCache(tmp_path / "cache").get_rendition(flac, "low")
