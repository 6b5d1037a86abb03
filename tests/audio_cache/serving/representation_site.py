"""A site of one representation, in memory or in a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request

from audio_cache.serving.ranges import OpenRange, Representation, respond

BODY = bytes(range(256)) * 400

LONG_AGO = "Thu, 01 Jan 1970 00:00:01 GMT"

IN_FUTURE = "Fri, 31 Dec 2100 23:59:59 GMT"

ETAG = '"tag"'


@dataclass(frozen=True)
class Answer:
    """What a server would send."""

    status_code: int
    headers: Headers
    data: bytes


class Site:
    """Answers requests for BODY, from memory or from a file."""

    def __init__(self, path: Path | None = None, **given: Any) -> None:
        self.path = path
        self.given = given
        self.spans: list[tuple[int, int]] = []

    def representation(self) -> Representation:
        values: dict[str, Any] = {
            "length": len(BODY),
            "etag": "tag",
            "content_type": "audio/mpeg",
            "headers": {"X-More": "yes"},
        }
        return Representation(**{**values, **self.given})

    def body(self) -> OpenRange | int:
        return self.open_range if self.path is None else os.open(self.path, os.O_RDONLY)

    def open_range(self, start: int, stop: int) -> Iterable[bytes]:
        self.spans.append((start, stop))
        return [BODY[start:stop]]

    def ask(
        self, method: str = "GET", environ: dict[str, Any] | None = None, **headers: str
    ) -> Answer:
        """Return the answer with its body read; names of headers are written with underscores."""
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        request = Request(
            EnvironBuilder(method=method, headers=given, environ_overrides=environ).get_environ()
        )
        response, _ = respond(request, self.representation(), self.body())
        body, status, sent = run_wsgi_app(response, request.environ)
        content = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        return Answer(int(status.split()[0]), sent, content)


def assert_whole(answer: Answer) -> None:
    assert answer.status_code == 200
    assert answer.data == BODY
    assert answer.headers["Content-Length"] == str(len(BODY))
    assert "Content-Range" not in answer.headers


def assert_part(answer: Answer, start: int, stop: int) -> None:
    assert answer.status_code == 206
    assert answer.data == BODY[start:stop]
    assert answer.headers["Content-Length"] == str(stop - start)
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(BODY)}"


def assert_validators(answer: Answer) -> None:
    assert answer.headers["ETag"] == ETAG
    assert "Last-Modified" not in answer.headers
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-More"] == "yes"
