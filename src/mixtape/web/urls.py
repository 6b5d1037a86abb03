"""Addresses of files whose names may be any bytes.

A file name on disk is bytes. In an address it is those bytes percent-encoded; on the page, those
that are not UTF-8 are shown as U+FFFD. Flask's own converters decode a path as UTF-8 with
replacement, from which no way leads back to the file, so the path is read from the request's raw
bytes instead.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import current_app, request, url_for


def public_url(endpoint: str, **values: Any) -> str:
    """Return the whole address of a view for others, who may reach us by another one.

    It begins with PUBLIC_URL. Only without that it begins as the request says, whose Host is what
    the client wrote there.
    """
    site: str = current_app.config["PUBLIC_URL"]
    if not site:
        return url_for(endpoint, **values, _external=True)
    return site + url_for(endpoint, **values).removeprefix(request.script_root)


def browse_url(folder: bytes) -> str:
    """Return the address of a folder's page; the library itself is the folder b""."""
    return _folder_url("library.browse", folder) if folder else url_for("library.top")


def play_url(track: bytes) -> str:
    """Return the address that plays a track, without a quality."""
    return _with_path(url_for("audio_cache.play", file_path="_"), track)


def folder_cover_url(folder: bytes, size: int) -> str:
    """Return the address of the cover of a folder."""
    return _folder_url("artwork.folder_cover", folder) + f"?size={size}"


def cache_folder_url(folder: bytes) -> str:
    """Return the address that caches a folder and all below it; takes a POST."""
    return _folder_url("caching.cache_folder", folder)


def folder_tracks_url(folder: bytes) -> str:
    """Return the address of the tracks in and below a folder."""
    return _folder_url("selections.folder", folder)


def requested_path(marker: str) -> bytes:
    """Return what follows `marker` in the path of the current request, as a path on disk."""
    # WSGI hands over the raw bytes as latin-1 (PEP 3333).
    raw: bytes = request.environ["PATH_INFO"].encode("latin-1")
    return raw.removeprefix(marker.encode("ascii")).strip(b"/")


def requested_address() -> str:
    """Return path and query of the current request, from the root of the site."""
    raw = request.environ["PATH_INFO"].encode("latin-1")
    query = request.query_string.decode("ascii", "replace")
    return request.root_path + quote(raw) + (f"?{query}" if query else "")


def _folder_url(endpoint: str, folder: bytes) -> str:
    return _with_path(url_for(endpoint, path="_"), folder) if folder else url_for(endpoint)


def _with_path(address: str, path: bytes) -> str:
    # The placeholder keeps url_for in charge of prefixes; it is text, which a path need not be.
    return address.removesuffix("_") + quote(path)
