"""Ranges as varnishtest asks for them, which reads answers by a parser of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.gunicorn import Server, play_target
from tests.helpers.waiting import LIMIT_S

# Its package brings a compiler, which is much for one test of every run.
VARNISHTEST = os.environ.get("VARNISHTEST", "")
pytestmark = pytest.mark.skipif(
    not VARNISHTEST, reason="set VARNISHTEST to that program: `make conformance` does"
)
SECONDS = 8


class Case(NamedTuple):
    """A request, and the bytes [start, stop) that answer it; None for all, "" for none."""

    header: str
    status: int
    start: int = 0
    stop: int | None = None


def cases(length: int) -> list[Case]:
    return [
        # What RFC 9110 section 14 has examples of, and the borders of each.
        Case("Range: bytes=0-0", 206, 0, 1),
        Case("Range: bytes=0-499", 206, 0, 500),
        Case("Range: bytes=500-999", 206, 500, 1000),
        Case("Range: bytes=-500", 206, length - 500, length),
        Case("Range: bytes=9500-", 206, 9500, length),
        Case("Range: bytes=-1", 206, length - 1, length),
        Case(f"Range: bytes={length - 1}-", 206, length - 1, length),
        Case(f"Range: bytes=0-{length - 1}", 206, 0, length),
        Case(f"Range: bytes=10-{length + 1000}", 206, 10, length),
        Case(f"Range: bytes=-{length * 2}", 206, 0, length),
        Case("Range: bytes = 5-9", 206, 5, 10),
        Case("Range: BYTES=5-9", 206, 5, 10),
        # Nothing of it is there.
        Case(f"Range: bytes={length}-", 416),
        Case(f"Range: bytes={length}-{length + 9}", 416),
        Case("Range: bytes=-0", 416),
        Case("Range: bytes=99999999999999999999-", 416),
        # No ranges, or not of bytes, or several: the whole.
        Case("Range: bytes=9-5", 200),
        Case("Range: bytes=", 200),
        Case("Range: bytes=-", 200),
        Case("Range: bytes=a-b", 200),
        Case("Range: bytes=+1-2", 200),
        Case("Range: bytes=1-2-3", 200),
        Case("Range: seconds=1-2", 200),
        Case("Range: 0-9", 200),
        Case("Range: bytes=0-9,20-29", 200),
        Case('Range: bytes=0-9\\r\\nIf-Range: "another"', 200),
        Case("Range: bytes=0-9\\r\\nIf-Range: Wed, 25 Nov 2026 12:00:00 GMT", 200),
        Case('If-Match: "another"', 412),
        Case("If-None-Match: *", 304),
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("ranges")
    with Server(root, AUDIO_CACHE_FFMPEG=StubFFmpeg(root, speed=2).path) as server:
        make_noise(server.music / "track.flac", samples=SECONDS * 44_100)
        yield server


def script(server: Server, target: str, length: int) -> str:
    lines = [
        "varnishtest ranges",
        f"client c1 -connect {server.address.removeprefix('http://')} {{",
    ]
    for header, status, start, stop in cases(length):
        size = length if status == 200 else (stop or 0) - start
        fields = " ".join(f"-hdr {{{field}}}" for field in header.split("\\r\\n"))
        lines += [
            f"txreq -url {{{target}}} {fields} -hdr {{Host: a}}",
            "rxresp -no_obj" if status == 304 else "rxresp",
        ]
        lines.append(f"expect resp.status == {status}")
        if status in (200, 206):
            lines += [f"expect resp.bodylen == {size}", 'expect resp.http.etag ~ ".+"']
        if status == 206:
            lines.append(
                f'expect resp.http.content-range == "bytes {start}-{start + size - 1}/{length}"'
            )
        if status == 416:
            lines.append(f'expect resp.http.content-range == "bytes */{length}"')
    lines += [
        f"txreq -req HEAD -url {{{target}}} -hdr {{Range: bytes=0-9}} -hdr {{Host: a}}",
        "rxresp -no_obj",
        "expect resp.status == 200",
        f"expect resp.http.content-length == {length}",
        "} -run",
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", ["live", "hit", "original"])
def test_ranges_of_any_kind_of_answer(server: Server, tmp_path: Path, kind: str) -> None:
    quality = "original" if kind == "original" else "low"
    target = play_target("track.flac", quality)
    if kind == "hit":
        assert not server.play("track.flac").is_cut_short
    length = int(server.play("track.flac", quality, method="HEAD").headers["Content-Length"])
    asked = tmp_path / "ranges.vtc"
    asked.write_text(script(server, target, length))
    done = subprocess.run(
        [VARNISHTEST, "-b", "8M", "-t", f"{LIMIT_S:.0f}", asked],
        capture_output=True,
        text=True,
        timeout=2 * LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
