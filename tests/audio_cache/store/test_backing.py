"""Two nodes, each with its own directory, and the store behind both."""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from flask.testing import FlaskClient

from audio_cache import AudioCache
from audio_cache.backends.s3_objects import S3Objects
from audio_cache.encoding import ffmpeg as ffmpeg_module
from audio_cache.encoding.rendition import Rendition
from audio_cache.flask_ext import FlaskAudioCache, sign_rendition
from audio_cache.space import parse_space
from audio_cache.store.backing import BackingStore
from audio_cache.store.object_store import StoredObject
from audio_cache.store.room import Limits
from tests.audio_cache.foreign_app import state_of
from tests.helpers.audio import make_noise
from tests.helpers.memory_objects import MemoryObjects
from tests.helpers.s3_server import S3Server
from tests.helpers.waiting import LIMIT_S, wait_until

MakeNode = Callable[..., AudioCache]


class ShakyObjects(MemoryObjects):
    """A store that is away for as long as somebody says so."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.puts = 0
        self.sent_bytes = 0
        # Let so many bytes of an answer that begins at the first pass, then wait for a word.
        self.holds_at: int | None = None
        self.goes_on = threading.Event()

    def stat(self, object_id: str) -> StoredObject | None:
        self._require()
        return super().stat(object_id)

    def open_range(self, object_id: str, start: int, stop: int) -> Iterator[bytes]:
        self._require()
        return self._counted(super().open_range(object_id, start, stop), start)

    def _counted(self, pieces: Iterator[bytes], start: int) -> Iterator[bytes]:
        at = start
        for data in pieces:
            if self.holds_at is not None and start == 0 and at >= self.holds_at:
                assert self.goes_on.wait(LIMIT_S)
                self._require()
            at += len(data)
            self.sent_bytes += len(data)
            yield data

    def put_copy(self, source: Any, object_id: str) -> None:
        self._require()
        self.puts += 1
        super().put_copy(source, object_id)

    def _require(self) -> None:
        if self.is_away:
            raise OSError("the object store failed: nobody answers")


@pytest.fixture
def shared() -> ShakyObjects:
    return ShakyObjects()


@pytest.fixture
def make_node(tmp_path: Path, shared: ShakyObjects) -> Iterator[MakeNode]:
    with ExitStack() as stack:

        def make(name: str, **given: Any) -> AudioCache:
            cache = AudioCache(tmp_path / name, behind=shared, **given)
            stack.callback(cache.close)
            return cache

        yield make


@pytest.fixture
def encodes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is encoded from now on in this process."""
    begun: list[str] = []
    start = ffmpeg_module.FFmpegRun._start

    def note(self: Any, *arguments: Any, **options: Any) -> None:
        begun.append(str(arguments[0]))
        start(self, *arguments, **options)

    monkeypatch.setattr(ffmpeg_module.FFmpegRun, "_start", note)
    return begun


def test_what_one_node_has_made_another_fetches(
    make_node: MakeNode, shared: ShakyObjects, song: Path, tmp_path: Path, encodes: list[str]
) -> None:
    one, other = make_node("one"), make_node("other")
    made = one.transcode_file(song, "low")
    assert one.backing is not None
    assert one.backing.wait(60)
    assert len(list(shared.scan())) == 1
    elsewhere = shutil.copy(song, tmp_path / "another name.flac")
    encodes.clear()
    assert other.store_together(Path(elsewhere), ["low"]) == []
    fetched = other.get_cache_path(Path(elsewhere), "low")
    assert fetched.read_bytes() == made.read_bytes()
    assert other.is_cached(Path(elsewhere), "low")
    assert encodes == []
    assert shared.puts == 1


def test_both_make_the_same_where_the_store_is_away_and_bring_it_there_later(
    make_node: MakeNode, shared: ShakyObjects, song: Path
) -> None:
    one, other = make_node("one"), make_node("other")
    shared.is_away = True
    contents = {node.transcode_file(song, "low").read_bytes() for node in (one, other)}
    assert len(contents) == 1
    assert one.backing is not None
    assert not one.backing.wait(0)
    shared.is_away = False
    assert one.backing.wait(60)
    [found] = shared.scan()
    assert b"".join(shared.open_range(found.id, 0, found.size_bytes)) == contents.pop()


def test_what_is_there_and_is_no_such_rendition_is_not_taken(
    make_node: MakeNode, shared: ShakyObjects, song: Path, tmp_path: Path
) -> None:
    cache = make_node("one")
    rendition = cache.identify(song, "low")
    forged = tmp_path / "forged"
    forged.write_bytes(b"x" * rendition.length)
    shared.put(forged, rendition.id)
    assert cache.store_together(song, ["low"]) == ["low"]
    assert cache.get_cache_path(song, "low").read_bytes().startswith(rendition.header)


def test_a_directory_without_room_fetches_nothing_and_loses_nothing(
    make_node: MakeNode, tmp_path: Path
) -> None:
    one = make_node("one")
    track = make_noise(tmp_path / "long.flac", samples=60 * 44_100)
    one.transcode_file(track, "low")
    assert one.backing is not None
    assert one.backing.wait(60)
    small = make_node("small", limits=Limits(max_size=parse_space("500kB")))
    assert small.backing is not None
    small.backing.fetch_soon(small.identify(track, "low"))
    wait_until(lambda: not small.backing._fetching)  # type: ignore[union-attr]
    assert not small.is_cached(track, "low")
    assert small.get_cache_size() < 500_000


@pytest.fixture
def arriving(
    make_node: MakeNode, shared: ShakyObjects, tmp_path: Path
) -> Iterator[tuple[BackingStore, Rendition, bytes]]:
    """Return a node that is just fetching what another has made, of which a third has come."""
    track = make_noise(tmp_path / "long.flac", samples=60 * 44_100)
    one, other = make_node("one"), make_node("other")
    made = one.transcode_file(track, "high").read_bytes()
    assert one.backing is not None
    assert one.backing.wait(60)
    rendition = other.identify(track, "high")
    assert other.backing is not None
    assert other.backing.has(rendition)
    shared.holds_at = len(made) // 3
    other.backing.fetch_soon(rendition)
    yield other.backing, rendition, made
    shared.goes_on.set()


def test_who_listens_first_reads_along_and_the_store_sends_it_once(
    arriving: tuple[BackingStore, Rendition, bytes], shared: ShakyObjects
) -> None:
    backing, rendition, made = arriving
    heard = backing.open_range(rendition.id, 0, len(made))
    begin = next(heard)
    second = backing.open_range(rendition.id, 1000, 5000)
    assert b"".join(second) == made[1000:5000]
    shared.goes_on.set()
    assert begin + b"".join(heard) == made
    wait_until(lambda: not backing._fetching)
    assert shared.sent_bytes == len(made)
    assert b"".join(backing._local.open_range(rendition.id, 0, len(made))) == made


def test_who_jumps_ahead_of_what_arrives_waits_for_nothing(
    arriving: tuple[BackingStore, Rendition, bytes], shared: ShakyObjects
) -> None:
    backing, rendition, made = arriving
    wait_until(lambda: shared.sent_bytes >= (shared.holds_at or 0))
    assert len(made) * 2 // 3 > 1 << 20
    start = len(made) - 100_000
    assert b"".join(backing.open_range(rendition.id, start, len(made))) == made[start:]
    assert not shared.goes_on.is_set()


def test_what_stops_arriving_is_read_on_from_the_store(
    arriving: tuple[BackingStore, Rendition, bytes], shared: ShakyObjects
) -> None:
    backing, rendition, made = arriving
    heard = backing.open_range(rendition.id, 0, len(made))
    begin = next(heard)
    shared.is_away = True
    shared.goes_on.set()
    wait_until(lambda: not backing._fetching)
    shared.is_away = False
    assert begin + b"".join(heard) == made
    assert backing._local.stat(rendition.id) is None


@pytest.fixture
def nodes(
    tmp_path: Path, bucket: str, song: Path
) -> Iterator[tuple[FlaskClient, FlaskClient, list[Flask]]]:
    """Return clients of two hosts that have a bucket behind them."""
    apps = []
    for name in ("one", "other"):
        app = Flask(name)
        app.config.update(
            MUSIC_ROOT=str(song.parent),
            DATA_ROOT=str(tmp_path / name),
            AUDIO_CACHE_OBJECT_STORE=bucket,
        )
        FlaskAudioCache(app)
        apps.append(app)
    yield apps[0].test_client(), apps[1].test_client(), apps
    for app in apps:
        state_of(app).cache.close()


def test_a_play_is_answered_from_the_bucket_and_then_from_here(
    nodes: tuple[FlaskClient, FlaskClient, list[Flask]], song: Path, encodes: list[str]
) -> None:
    one, other, apps = nodes
    state_of(apps[0]).cache.transcode_file(song, "low")
    backing = state_of(apps[0]).cache.backing
    assert backing is not None
    assert backing.wait(60)
    path = f"/play/{song.name}?quality=low"
    whole = one.get(path)
    encodes.clear()
    first = other.get(path, headers={"Range": "bytes=1000-20999"})
    assert first.status_code == 206
    assert first.headers["Cache-Status"] == "audio-cache; hit; detail=object-store"
    assert first.headers["ETag"] == whole.headers["ETag"]
    assert first.data == whole.data[1000:21000]
    wait_until(lambda: other.head(path).headers["Cache-Status"] == "audio-cache; hit")
    for _ in range(50):
        start = random.randrange(len(whole.data))
        stop = random.randrange(start, len(whole.data))
        asked = random.choice((one, other)).get(
            path,
            headers={"Range": f"bytes={start}-{stop}", "If-Range": whole.headers["ETag"]},
        )
        assert asked.data == whole.data[start : stop + 1]
    assert encodes == []


def test_a_bucket_that_answers_nobody_stops_no_music(
    nodes: tuple[FlaskClient, FlaskClient, list[Flask]], s3_server: S3Server, song: Path
) -> None:
    _, other, apps = nodes
    s3_server.pause()
    try:
        answer = other.get(f"/play/{song.name}?quality=low")
        assert answer.status_code == 200
        assert answer.content_length == len(answer.data)
    finally:
        s3_server.go_on()
    backing = state_of(apps[1]).cache.backing
    assert backing is not None
    wait_until(lambda: len(list(backing.store.scan())) == 1)


def test_a_node_without_the_music_plays_what_others_have_made_of_it(
    nodes: tuple[FlaskClient, FlaskClient, list[Flask]], song: Path, encodes: list[str]
) -> None:
    one, other, apps = nodes
    cache = state_of(apps[0]).cache
    made = cache.transcode_file(song, "low").read_bytes()
    assert cache.backing is not None
    assert cache.backing.wait(60)
    apps[1].secret_key = apps[0].secret_key = "a key that all nodes have"
    with apps[0].test_request_context():
        address = sign_rendition(song, "low", 4_000_000_000)
    song.unlink()
    encodes.clear()
    answer = other.get(address)
    assert (answer.status_code, answer.data) == (200, made)
    assert one.get(address).headers["ETag"] == answer.headers["ETag"]
    assert encodes == []


def test_listeners_are_sent_to_the_bucket_where_that_is_wished(
    tmp_path: Path, bucket: str, song: Path
) -> None:
    app = Flask("redirecting")
    app.config.update(
        MUSIC_ROOT=str(song.parent),
        DATA_ROOT=str(tmp_path / "data"),
        AUDIO_CACHE_OBJECT_STORE=bucket,
        AUDIO_CACHE_OBJECT_REDIRECT=True,
    )
    FlaskAudioCache(app)
    cache = AudioCache(tmp_path / "maker", behind=S3Objects(bucket))
    made = cache.transcode_file(song, "low").read_bytes()
    assert cache.backing is not None
    assert cache.backing.wait(60)
    answer = app.test_client().get(f"/play/{song.name}?quality=low")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (307, "no-store")
    request = Request(answer.headers["Location"], headers={"Range": "bytes=100-199"})
    with urlopen(request, timeout=60) as part:
        assert part.status == 206
        assert part.read() == made[100:200]
    # What a script fetches to keep it comes from here: it may not follow to another host.
    by_script = app.test_client().get(
        f"/play/{song.name}?quality=low", headers={"Sec-Fetch-Dest": "empty"}
    )
    assert (by_script.status_code, by_script.data) == (200, made)
    # Nor is it fetched for whoever comes next: he is sent there too.
    assert app.test_client().head(f"/play/{song.name}?quality=low").status_code == 200
    assert not state_of(app).cache.backing._fetching  # type: ignore[union-attr]
    assert app.test_client().get(f"/play/{song.name}?quality=low").status_code == 307
    cache.close()
    state_of(app).cache.close()
