"""A whole site on five hosts, and what befalls it while it works and plays.

Two web nodes and three workers, each a network namespace with a mount and a disk of its own, share
a PostgreSQL, a Redis and a bucket. The hosts are as real as namespaces are, and the engines are
real processes.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from audio_cache import AudioCache, QualityLevel
from conftest import find_program, give_up
from tests.helpers.audio import make_noise
from tests.helpers.celery_worker import CeleryWorker
from tests.helpers.hosts import Host, Network
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.mixtapes import make_scanned_app, services_of, share_mixtape, stream_urls
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.redis_server import RedisServer
from tests.helpers.s3_server import S3Server
from tests.helpers.waiting import LIMIT_S, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TRACKS = 40
SECONDS = 30
PASSWORD = "correct horse battery"
KEY = "a key of sixteen characters or more"
WEB = ("web1", "web2")
WORKERS = ("worker1", "worker2", "worker3")
DONE_WITHIN_S = 420.0
# Events with their ids, as a listener got them.
Told = list[tuple[str, dict[str, Any]]]


@dataclass
class Site:
    """The site, its parts by name."""

    network: Network
    hosts: dict[str, Host]
    redis: RedisServer
    s3: S3Server
    music: Path
    root: Path
    environment: dict[str, str]
    slug: str
    urls: list[str]
    stack: ExitStack
    web: dict[str, MixtapeServe] = field(default_factory=dict)
    workers: dict[str, CeleryWorker] = field(default_factory=dict)

    def start_web(self, name: str) -> None:
        """Start a web node, whose data is where it was."""
        host = self.hosts[name]
        program = host.command(*SERVE)
        given = {**self.environment, "HOST": host.address, "PASSWORD": PASSWORD, "SECRET_KEY": KEY}
        server = MixtapeServe(
            self.mount(name), self.root / name / "data", tuple(program), **given, PORT="5000"
        )
        self.web[name] = self.stack.enter_context(server)

    def start_worker(self, name: str) -> None:
        """Start a worker."""
        worker = CeleryWorker(
            self.redis.url,
            self.mount(name),
            self.root / name / "data",
            name,
            jobs=1,
            host=self.hosts[name],
            **self.environment,
        )
        self.workers[name] = self.stack.enter_context(worker)

    def mount(self, name: str) -> Path:
        """Return where a host has the music: each elsewhere."""
        mount = self.root / name / f"the music of {name}"
        mount.parent.mkdir(exist_ok=True)
        if not mount.is_symlink():
            mount.symlink_to(self.music)
        return mount

    def last_words(self) -> dict[str, list[str]]:
        """Return what each worker said last."""
        return {name: each.log().splitlines()[-15:] for name, each in self.workers.items()}

    def encoded(self) -> list[str]:
        """Return the tracks that workers say they have encoded, each as often as it was."""
        return [
            os.path.basename(path)
            for worker in self.workers.values()
            for path in re.findall(r"cached '([^']+)' at", worker.log())
        ]


SERVE = (sys.executable, "-m", "mixtape")


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[Site]:
    program = find_program("redis-server")
    if program is None:
        give_up("redis-server is missing: apt-get install redis-server")
    root = tmp_path_factory.mktemp("site")
    music = root / "music"
    music.mkdir()
    for number in range(TRACKS):
        tags = {"title": f"Track {number:02}"}
        path = music / f"{number:02}.flac"
        make_noise(path, samples=SECONDS * 44_100, seed=number, tags=tags)
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        hosts = {name: network.add(name) for name in (*WEB, *WORKERS)}
        (root / "redis").mkdir()
        server = RedisServer(root / "redis", program, network.address)
        s3 = stack.enter_context(S3Server(network.address))
        stack.enter_context(server)
        environment = {
            **s3.environment,
            "AUDIO_CACHE_ENGINE": "celery",
            "AUDIO_CACHE_REDIS": server.url,
            "AUDIO_CACHE_OBJECT_STORE": s3.new_bucket(),
            "AUDIO_CACHE_PRECACHE_ON_UPLOAD": "false",
        }
        database = stack.enter_context(postgres_server.new_database())
        environment["DATABASE_URL"] = database
        slug, urls = _make_tape(root, music, database)
        site = Site(network, hosts, server, s3, music, root, environment, slug, urls, stack)
        for name in WEB:
            site.start_web(name)
        for name in WORKERS:
            site.start_worker(name)
        yield site


def _make_tape(root: Path, music: Path, database: str) -> tuple[str, list[str]]:
    """Share a mixtape of all tracks; return its slug and the addresses that play them."""
    home = root / "maker"
    home.mkdir()
    (home / "music").symlink_to(music)
    app = make_scanned_app(home, secret_key=KEY, database_url=database)
    shared = share_mixtape(app, *(f"{number:02}.flac" for number in range(TRACKS)))
    urls = stream_urls(app.test_client(), shared)
    services_of(app).close()
    return shared.slug, urls


class Visitor:
    """A browser that keeps its cookie wherever the balancer sends it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._cookie = ""

    def sign_in(self, name: str) -> None:
        """Sign in at a node."""
        page = self.ask(name, "GET", "/login")[1].decode()
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token is not None
        form = f"password={PASSWORD.replace(' ', '+')}&csrf_token={token[1]}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert self.ask(name, "POST", "/login", form, headers)[0] == 303

    def post(self, name: str, path: str, body: Any) -> int:
        """Send JSON as the page's scripts do."""
        token = json.loads(self.ask(name, "GET", "/api/session")[1])["csrf_token"]
        headers = {"X-CSRFToken": token, "Content-Type": "application/json"}
        return self.ask(name, "POST", path, json.dumps(body), headers)[0]

    def ask(
        self,
        name: str,
        method: str,
        path: str,
        body: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Ask a node, and keep its cookie."""
        connection = self.connect(name)
        try:
            given = {"Cookie": self._cookie, "Accept": "text/html,*/*", **(headers or {})}
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            cookie = answer.getheader("Set-Cookie")
            if cookie:
                self._cookie = cookie.partition(";")[0]
            return answer.status, answer.read()
        finally:
            connection.close()

    def connect(self, name: str) -> http.client.HTTPConnection:
        """Return a connection to a node."""
        return http.client.HTTPConnection(self._site.hosts[name].address, 5000, timeout=LIMIT_S)

    def follow(
        self, path: str, told: list[tuple[str, dict[str, Any]]], is_over: Callable[[], bool]
    ) -> None:
        """Follow a progress stream, at one node or the other, as an EventSource does."""
        last, nodes = "", itertools.cycle(WEB)
        while not is_over():
            connection = self.connect(next(nodes))
            with suppress(OSError, http.client.HTTPException):
                headers = {"Cookie": self._cookie, "Last-Event-ID": last}
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                if answer.status == 204:
                    return
                event_id = ""
                for line in answer if answer.status == 200 else ():
                    if line.startswith(b"id: "):
                        event_id = line[4:].strip().decode()
                    elif line.startswith(b"data: ") and event_id:
                        last = event_id
                        told.append((event_id, json.loads(line[6:])))
                        event_id = ""
            connection.close()
            time.sleep(0.2)


class Music:
    """Music that is being listened to: pieces of a track at the speed at which it is heard."""

    def __init__(self, visitor: Visitor, node: str, url: str, expected: bytes) -> None:
        self._visitor = visitor
        self._node = node
        self._url = url
        self._expected = expected
        self.errors: list[str] = []
        self.longest_s = 0.0
        self.heard_bytes = 0

    def play(self, is_over: Callable[[], bool]) -> None:
        """Listen again and again until something is over."""
        at, step = 0, 32_000
        while not is_over():
            began = time.monotonic()
            stop = min(at + step, len(self._expected))
            headers = {"Range": f"bytes={at}-{stop - 1}"}
            try:
                status, data = self._visitor.ask(self._node, "GET", self._url, headers=headers)
                if (status, data) != (206, self._expected[at:stop]):
                    self.errors.append(f"{status} with {len(data)} bytes at {at}")
            except OSError as error:
                self.errors.append(repr(error))
            took_s = time.monotonic() - began
            self.longest_s = max(self.longest_s, took_s)
            self.heard_bytes += stop - at
            at = stop % len(self._expected)
            time.sleep(max(0.0, 1.0 - took_s))


def reference(site: Site, track: int, quality: QualityLevel) -> bytes:
    """Return the rendition of a track as a machine of its own makes it."""
    cache = AudioCache(site.root / "reference")
    path = cache.transcode_file(site.music / f"{track:02}.flac", quality)
    cache.close()
    return path.read_bytes()


def test_a_mixtape_is_cached_whatever_befalls_the_hosts(site: Site) -> None:
    visitor = Visitor(site)
    visitor.sign_in("web1")
    told: Told = []
    is_over = threading.Event()
    deadline = time.monotonic() + DONE_WITHIN_S

    def ends() -> bool:
        return is_over.is_set() or time.monotonic() > deadline

    music = Music(
        visitor, "web2", f"{site.urls[-1]}?quality=high", reference(site, TRACKS - 1, "high")
    )
    begun = visitor.post("web1", f"/api/mixtapes/{site.slug}/cache", {"qualities": ["medium"]})
    assert begun in {200, 202}
    stream = f"/editor/progress/{site.slug}"
    threads = [
        threading.Thread(target=visitor.follow, args=(stream, told, ends)),
        threading.Thread(target=music.play, args=(ends,)),
    ]
    for thread in threads:
        thread.start()

    def done() -> int:
        return max((event.get("done", 0) for _, event in told), default=0)

    wait_until(lambda: done() >= 3)
    site.workers["worker1"].kill()
    wait_until(lambda: done() >= 6)
    site.web["web1"].kill()
    site.redis.stop()
    time.sleep(2)
    site.redis.start()
    wait_until(lambda: done() >= 10)
    site.s3.pause()
    site.hosts["worker2"].cut()
    time.sleep(20)
    site.s3.go_on()
    time.sleep(10)
    site.hosts["worker2"].mend()
    while not any(event["step"] == "completed" for _, event in told):
        assert time.monotonic() < deadline, (told[-1], site.last_words())
        time.sleep(0.2)
    is_over.set()
    for thread in threads:
        thread.join(LIMIT_S)

    # All forty are done, and nobody has made one that another had made; but what the killed worker
    # had just ended may have been made again.
    end = told[-1][1]
    assert (end["step"], end["done"], end["failed"]) == ("completed", TRACKS, 0)
    encoded = site.encoded()
    assert set(encoded) == {f"{number:02}.flac" for number in range(TRACKS)}
    assert len(encoded) <= TRACKS + 1, sorted(name for name in encoded if encoded.count(name) > 1)
    # The stream went on at the other node without a gap, a repetition or a step back.
    run_id = told[0][0].rpartition("-")[0]
    assert [event_id for event_id, _ in told] == [f"{run_id}-{n}" for n in range(1, len(told) + 1)]
    counts = [event["done"] for _, event in told if "done" in event]
    assert counts == sorted(counts)
    # And the music played.
    assert music.errors == []
    assert music.heard_bytes > 30 * 32_000


def get(
    connection: http.client.HTTPConnection, url: str, headers: dict[str, str]
) -> http.client.HTTPResponse:
    """Ask over a connection, or a new one where it was idle for longer than servers keep it."""
    try:
        connection.request("GET", url, headers=headers)
        return connection.getresponse()
    except http.client.RemoteDisconnected:
        connection.close()
        connection.request("GET", url, headers=headers)
        return connection.getresponse()


def test_both_nodes_give_the_same_bytes_of_what_neither_has_made(site: Site) -> None:
    site.web["web1"].kill()
    site.start_web("web1")
    chance = random.Random(12)
    tracks = range(10)
    expected = {track: reference(site, track, "low") for track in tracks}
    visitor = Visitor(site)
    connections = {name: visitor.connect(name) for name in WEB}
    tags: dict[int, set[str]] = {track: set() for track in tracks}
    for number in range(2_000):
        track = chance.choice(tracks)
        whole = expected[track]
        start = chance.randrange(len(whole))
        stop = min(len(whole), start + chance.randrange(1, 20_000))
        headers = {"Range": f"bytes={start}-{stop - 1}"}
        if tags[track] and chance.random() < 0.5:
            headers["If-Range"] = min(tags[track])
        answer = get(connections[WEB[number % 2]], f"{site.urls[track]}?quality=low", headers)
        data = answer.read()
        assert (answer.status, data) == (206, whole[start:stop]), (number, track, start, stop)
        tags[track].add(answer.getheader("ETag", ""))
    assert all(len(found) == 1 for found in tags.values())
    for connection in connections.values():
        connection.close()
