"""The audio that nginx sends by itself, with the configuration that the documentation offers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from audio_cache.flask_ext import sign_rendition
from audio_cache.store.cache import AudioCache
from tests.helpers.audio import make_noise
from tests.helpers.caddy import Caddy
from tests.helpers.host import make_app
from tests.helpers.nginx import Nginx, deployed
from tests.helpers.waiting import wait_until
from tests.helpers.web import served
from tests.mixtape.test_deploy import ask

pytestmark = pytest.mark.needs("nginx")
LATER = int(time.time()) + 3600
HIT = "audio-cache; hit"
LIVE = "audio-cache; fwd=miss; detail=live"


class Behind:
    """The application behind a web server, its own port, and what it was asked for."""

    def __init__(self, app: Flask, port: int, own_port: int, seen: list[str], track: Path) -> None:
        self.app = app
        self.port = port
        self.own_port = own_port
        self.seen = seen
        self.track = track

    @property
    def cache(self) -> AudioCache:
        cache: AudioCache = self.app.extensions["audio_cache"].cache
        return cache

    def store(self) -> bytes:
        return self.cache.transcode_file(self.track, "low").read_bytes()

    def evict(self) -> None:
        assert self.cache.evictions.free(1, heads_bytes=0)

    def address(self, *, shared: bool = False, expires_at_s: int = LATER) -> str:
        with self.app.test_request_context():
            return sign_rendition(self.track, "low", expires_at_s, shared=shared)

    def ask(self, target: str, **headers: str) -> tuple[int, Any, bytes]:
        with ask(self.port, target, **headers) as answer:
            return answer.status, answer.headers, answer.read()


@pytest.fixture
def behind(tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Behind]:
    """Return an application with a track of half a minute."""
    monkeypatch.setenv("AUDIO_CACHE_SENDFILE", "X-Accel-Redirect /cached-audio/")
    track = make_noise(music / "a ü%.flac", samples=30 * 44_100)
    app = make_app(tmp_path, trusted_proxies=1)
    seen: list[str] = []
    application = app.wsgi_app

    def noted(environ: Any, start_response: Any) -> Any:
        seen.append(environ["PATH_INFO"])
        return application(environ, start_response)

    monkeypatch.setattr(app, "wsgi_app", noted)
    with served(app) as address:
        host = address.removeprefix("http://")
        with Nginx(tmp_path, deployed(tmp_path, host)) as nginx:
            yield Behind(app, nginx.port, int(host.rpartition(":")[2]), seen, track)


def test_ranges_of_what_is_stored_come_from_nginx_which_asks_once(behind: Behind) -> None:
    whole = behind.store()
    url = behind.address()
    for start in range(0, len(whole) - 1, len(whole) // 20):
        status, headers, body = behind.ask(url, Range=f"bytes={start}-{start + 9_999}")
        assert (status, body) == (206, whole[start : start + 10_000])
        assert headers["Content-Range"].endswith(f"/{len(whole)}")
    object_id = behind.cache.identify(behind.track, "low").id
    assert behind.seen == [f"/r/{object_id}/grant"]
    assert headers["ETag"] == f'"{object_id}"'
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert headers["Cache-Status"] == HIT
    assert headers["Audio-Cache-Rendition"] == "quality=low, bitrate=128"
    assert headers["Content-Type"] == "audio/mpeg"
    assert "Last-Modified" not in headers
    status, headers, body = behind.ask(url)
    assert (status, body) == (200, whole)


def test_nginx_and_python_answer_alike(
    behind: Behind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, ranges of each form, a condition that holds and one that doesn't, and a HEAD."""
    whole = behind.store()
    url = behind.address()
    tag = f'"{behind.cache.identify(behind.track, "low").id}"'
    asked = [
        {},
        {"Range": "bytes=0-0"},
        {"Range": "bytes=1000-"},
        {"Range": "bytes=-1000"},
        {"Range": f"bytes={len(whole) - 1}-{len(whole) + 1000}"},
        {"Range": f"bytes={len(whole)}-"},
        {"Range": "bytes=5-6", "If_Range": tag},
        {"Range": "bytes=5-6", "If_Range": '"another"'},
        {"If_None_Match": tag},
        {"If_Match": '"another"'},
    ]
    # The same without a web server in front.
    monkeypatch.delenv("AUDIO_CACHE_SENDFILE")
    client = make_app(tmp_path).test_client()
    for headers in asked:
        status, fields, _ = behind.ask(url, **headers)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        with client.get(url, headers=given) as direct:
            assert status == direct.status_code, headers
            assert fields.get("Content-Range") == direct.headers.get("Content-Range"), headers
            if status != 416:
                assert fields["ETag"] == direct.headers["ETag"], headers


@pytest.mark.parametrize("shared", [False, True])
def test_an_address_that_is_wrong_or_over_is_refused_whatever_is_stored(
    behind: Behind, shared: bool
) -> None:
    behind.store()
    good = behind.address(shared=shared)
    assert behind.ask(good)[0] == 200
    changed = good[:-1] + ("A" if good[-1] != "A" else "B")
    for url in (changed, good.replace(f"e={LATER}", f"e={LATER + 1}"), good.partition("?")[0]):
        assert behind.ask(url)[0] == 403
    assert behind.ask(behind.address(shared=shared, expires_at_s=LATER - 7200))[0] == 403


def test_what_was_evicted_is_played_live_though_nginx_remembers_the_address(behind: Behind) -> None:
    whole = behind.store()
    url = behind.address()
    assert behind.ask(url)[2] == whole
    behind.evict()

    def is_live() -> bool:
        status, headers, body = behind.ask(url)
        assert (status, body) == (200, whole)
        return bool(headers["Cache-Status"] == LIVE)

    wait_until(is_live)


def test_slices_of_what_is_being_made_are_kept_for_others(behind: Behind) -> None:
    whole = behind.store()
    behind.evict()
    url = behind.address(shared=True)
    assert behind.ask(url, Range="bytes=100000-299999")[2] == whole[100_000:300_000]
    asked = len(behind.seen)
    assert behind.ask(url, Range="bytes=150000-250000")[2] == whole[150_000:250_001]
    made_again = [path for path in behind.seen[asked:] if not path.endswith("/grant")]
    assert made_again == []


def test_what_is_cached_of_a_path_is_sent_by_nginx_once_mixtape_allows_it(behind: Behind) -> None:
    whole = behind.store()
    url = "/play/a%20%C3%BC%25.flac?quality=low"
    status, headers, body = behind.ask(url, Range="bytes=5000-9999")
    assert (status, body) == (206, whole[5000:10_000])
    assert headers["Content-Range"] == f"bytes 5000-9999/{len(whole)}"
    assert headers["Cache-Status"] == HIT
    assert headers["Audio-Cache-Rendition"].startswith("quality=low")
    tag = headers["ETag"]
    assert behind.ask(url, Range="bytes=5-6", If_Range=tag)[2] == whole[5:7]
    assert behind.ask(url, Range="bytes=5-6", If_Range='"another"')[2] == whole
    assert behind.ask(url, If_None_Match=tag)[0] == 304
    assert behind.ask(url)[2] == whole
    traffic = behind.app.extensions["audio_cache"].playback.traffic.snapshot()
    assert traffic.hit_bytes == 5000 + 2 + len(whole) * 2


def test_nobody_gets_at_the_cache_but_through_mixtape(behind: Behind) -> None:
    behind.store()
    name = behind.cache.get_cache_path(behind.track, "low").name
    for path in (f"/cached-audio/{name}", "/cached-audio/index.db", "/audio-grant"):
        assert behind.ask(path)[0] == 404


def test_listeners_at_once_are_all_served(behind: Behind) -> None:
    whole = behind.store()
    url = behind.address()
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(behind.ask(url)[2])) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [whole] * 20


@pytest.mark.needs("caddy")
def test_what_is_cached_of_a_path_is_sent_by_caddy_once_mixtape_allows_it(
    behind: Behind, tmp_path: Path
) -> None:
    whole = behind.store()
    url = "/play/a%20%C3%BC%25.flac?quality=low"
    with Caddy(tmp_path, f"127.0.0.1:{behind.own_port}") as caddy:
        there = Behind(behind.app, caddy.port, behind.own_port, behind.seen, behind.track)
        status, headers, body = there.ask(url, Range="bytes=5000-9999")
        assert (status, body) == (206, whole[5000:10_000])
        assert headers["Server"] == "Caddy"
        assert headers["Content-Range"] == f"bytes 5000-9999/{len(whole)}"
        assert (headers["Cache-Status"], headers["Content-Type"]) == (HIT, "audio/mpeg")
        assert "Last-Modified" not in headers
        tag = headers["ETag"]
        assert tag == f'"{behind.cache.identify(behind.track, "low").id}"'
        assert there.ask(url, Range="bytes=5-6", If_Range=tag)[2] == whole[5:7]
        assert there.ask(url, Range="bytes=5-6", If_Range='"another"')[2] == whole
        assert there.ask(url, If_None_Match=tag)[0] == 304
        assert there.ask(url)[2] == whole
        name = behind.cache.get_cache_path(behind.track, "low").name
        assert there.ask(f"/cached-audio/{name}")[0] == 404
