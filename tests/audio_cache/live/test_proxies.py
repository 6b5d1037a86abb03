"""A proxy in front, which keeps slices of what has a permanent address, made live or not."""

from __future__ import annotations

import http.client
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audio_cache.serving.addresses import Signer
from audio_cache.store.cache import AudioCache
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.gunicorn import Answer, Server
from tests.helpers.nginx import Nginx, temp_paths
from tests.helpers.waiting import LIMIT_S

pytestmark = pytest.mark.needs("nginx")

SECRET = "of a test"
SLICE = 65_536
CONFIG = """{user}
daemon off; pid {root}/nginx.pid; events {{}}
http {{
    {temp_paths}
    proxy_cache_path {root}/kept keys_zone=kept:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            slice {slice};
            proxy_cache kept;
            proxy_cache_key $uri$is_args$args$slice_range;
            proxy_set_header Range $slice_range;
            proxy_http_version 1.1;
            proxy_pass http://127.0.0.1:{behind};
            add_header Kept $upstream_cache_status always;
        }}
    }}
}}
"""


@dataclass
class ProxiedSite:
    """A server behind nginx, which keeps slices, and a track that is known and not stored."""

    server: Server
    nginx: Nginx
    ffmpeg: StubFFmpeg
    object_id: str
    content: bytes

    def address(self, *, shared: bool) -> str:
        expires_at_s = int(time.time()) + 3600
        signature = Signer.of_secret(SECRET).sign(self.object_id, expires_at_s, shared=shared)
        return f"/r/{self.object_id}.mp3?e={expires_at_s}&s={signature}"

    def ask(self, target: str, span: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.nginx.port, timeout=LIMIT_S)
        connection.request("GET", target, headers={"Range": f"bytes={span}"})
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer


@pytest.fixture
def proxied(tmp_path: Path, track: Path) -> Iterator[ProxiedSite]:
    """Give a site whose encodes from the start take minutes, and those of jumps no time."""
    ffmpeg = StubFFmpeg(tmp_path, speed=0.25)
    config = {"AUDIO_CACHE_FFMPEG": ffmpeg.path, "SECRET_KEY": SECRET}
    user = "user root;" if os.geteuid() == 0 else ""  # else nginx's children are nobody
    with Server(tmp_path, **config) as server:
        copy = Path(shutil.copyfile(track, server.music / "track.flac"))
        cache = AudioCache(server.cache_dir)
        entry = cache.transcode_file(copy, "low")
        content, object_id = entry.read_bytes(), cache.identify(copy, "low").id
        entry.unlink()
        cache.objects.delete(object_id)

        def configure(port: int) -> str:
            return CONFIG.format(
                user=user,
                root=tmp_path,
                temp_paths=temp_paths(tmp_path),
                port=port,
                slice=SLICE,
                behind=server.port,
            )

        with Nginx(tmp_path, configure) as nginx:
            yield ProxiedSite(server, nginx, ffmpeg, object_id, content)


@pytest.mark.slow
def test_slices_of_a_live_answer_are_kept_where_the_signature_allows_it(
    proxied: ProxiedSite,
) -> None:
    shared = proxied.address(shared=True)
    start = len(proxied.content) // SLICE // 2 * SLICE
    span = f"{start + 10}-{start + 2 * SLICE - 1}"
    first = proxied.ask(shared, span)
    assert (first.status, first.headers["Kept"]) == (206, "MISS")
    assert first.cache_status == "audio-cache; fwd=miss; detail=live"
    assert first.body == proxied.content[start + 10 : start + 2 * SLICE]
    # Listeners are told to keep nothing, and not what the proxy was told.
    assert first.headers["Cache-Control"] == "no-store"
    assert "X-Accel-Expires" not in first.headers
    encodes = len(proxied.ffmpeg.starts())
    for again in (span, f"{start}-{start + 99}"):
        kept = proxied.ask(shared, again)
        low, high = map(int, again.split("-"))
        assert (kept.headers["Kept"], kept.body) == ("HIT", proxied.content[low : high + 1])
        assert kept.headers["ETag"] == f'"{proxied.object_id}"'
    assert len(proxied.ffmpeg.starts()) == encodes


@pytest.mark.slow
def test_nothing_of_a_private_address_is_kept(proxied: ProxiedSite) -> None:
    private = proxied.address(shared=False)
    for _ in range(2):
        answer = proxied.ask(private, "100-199")
        assert (answer.headers["Kept"], answer.body) == ("MISS", proxied.content[100:200])


@pytest.mark.slow
def test_a_refusal_is_not_kept_for_those_who_come_after(proxied: ProxiedSite) -> None:
    shared = proxied.address(shared=True)
    wrong = proxied.ask(f"{shared}A", "0-9")
    assert wrong.status == 403
    behind = len(proxied.content) + SLICE
    assert proxied.ask(shared, f"{behind}-").status == 416
    assert proxied.ask(shared, "0-9").body == proxied.content[:10]
    assert proxied.ask(f"{shared}A", "0-9").headers["Kept"] == "MISS"
