"""Compression of scripts and stylesheets, which are most of a page's weight."""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import Final

from flask import Flask, Response, request

COMPRESSED_TYPES: Final = frozenset(
    {"text/css", "text/javascript", "application/javascript", "image/svg+xml"}
)
# Below this the headers weigh more than what is saved.
_MIN_BYTES: Final = 500


def init_app(app: Flask) -> None:
    """Let an app send its static files compressed.

    Pages are left as they are: they hold the CSRF token beside what visitors send, and the length
    of such a compressed answer tells the token to whoever can watch the line (BREACH).
    """
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Compress the answer to a static file, if the client takes that."""
    if not _is_compressible(response):
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0 or "Range" in request.headers:
        return response
    etag = response.get_etag()[0] or ""
    if response.status_code == 200:
        response.direct_passthrough = False
        response.set_data(_compressed(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
    # The same content in other bytes, which only a weak tag may stand for (RFC 9110, 8.8.1).
    response.set_etag(etag, weak=True)
    return response


@lru_cache(maxsize=256)
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _is_compressible(response: Response) -> bool:
    is_static = request.endpoint is not None and request.endpoint.rpartition(".")[2] == "static"
    if not is_static or request.method != "GET" or response.mimetype not in COMPRESSED_TYPES:
        return False
    return response.status_code == 304 or (
        response.status_code == 200 and (response.content_length or 0) >= _MIN_BYTES
    )
