"""Addresses of files whose names may be any bytes.

A file name on disk is bytes. In Python it is a str in which bytes that are not UTF-8 stand as
lone surrogates (`os.fsdecode`); in an address it is those bytes percent-encoded; on the page
they are shown as U+FFFD. Flask's own converters decode a path as UTF-8 with replacement, from
which no way leads back to the file, so the path is read from the request's raw bytes instead.
"""

from __future__ import annotations

import os
from urllib.parse import quote

from flask import request, url_for


def browse_url(folder: str) -> str:
    """Return the address of a folder's page; the library itself is the folder ""."""
    if not folder:
        return url_for("library.home")
    return _with_path(url_for("library.browse", path="_"), folder)


def play_url(track: str) -> str:
    """Return the address that plays a track, without a quality."""
    return _with_path(url_for("audio_cache.play", file_path="_"), track)


def cover_url(path: str, size: str) -> str:
    """Return the address of the cover of a folder or track."""
    return _with_path(url_for("covers.cover", path="_"), path) + f"?size={size}"


def cache_folder_url(folder: str) -> str:
    """Return the address that caches a folder and all below it; takes a POST."""
    if not folder:
        return url_for("caching.cache_folder")
    return _with_path(url_for("caching.cache_folder", path="_"), folder)


def requested_path(marker: str) -> str:
    """Return what follows `marker` in the path of the current request, as a name on disk."""
    # WSGI hands over the raw bytes as latin-1 (PEP 3333).
    raw: bytes = request.environ["PATH_INFO"].encode("latin-1")
    return os.fsdecode(raw.removeprefix(marker.encode("ascii")).strip(b"/"))


def requested_address() -> str:
    """Return path and query of the current request, from the root of the site."""
    raw = request.environ["PATH_INFO"].encode("latin-1")
    query = request.query_string.decode("ascii", "replace")
    return request.root_path + quote(raw) + (f"?{query}" if query else "")


def _with_path(address: str, path: str) -> str:
    # The placeholder keeps url_for in charge of prefixes; it has no lone surrogates to refuse.
    return address.removesuffix("_") + quote(os.fsencode(path))
