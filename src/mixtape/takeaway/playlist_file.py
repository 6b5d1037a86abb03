"""Playlists of other players, read as what they ask for: M3U, M3U8 and XSPF."""

from __future__ import annotations

import contextlib
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

import defusedxml.ElementTree as Defused  # type: ignore[import-untyped]
from defusedxml import DefusedXmlException

from ..errors import PlaylistError
from ..files.tags import clean_text
from ..messages import Message
from ..mixtapes.values import MAX_TRACKS

MAX_PLAYLIST_BYTES: Final = 2_000_000
_XSPF: Final = "{http://xspf.org/ns/0/}"
_EXTINF: Final = re.compile(r"#EXTINF:\s*(-?[0-9]{1,9})[^,]*,(.*)", re.IGNORECASE)
_TITLE: Final = re.compile(r"#PLAYLIST:(.*)", re.IGNORECASE)
_SCHEME: Final = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]+):(?://)?")
_DRIVE: Final = re.compile(rb"^/?[A-Za-z]:(?=[/\\])")


@dataclass(frozen=True)
class WantedTrack:
    """What a playlist says of a track.

    Args:
        path: of its file, with slashes; b"" where it is an address of the web, or nothing.
        title, artist: "" where they are not told.
        duration_s: None where it is not told.
    """

    path: bytes
    title: str = ""
    artist: str = ""
    duration_s: float | None = None

    @property
    def name(self) -> str:
        """Return what people know it by."""
        words = f"{self.artist} – {self.title}" if self.artist else self.title
        return words or self.path.decode("utf-8", "replace")


@dataclass(frozen=True)
class PlaylistFile:
    """A playlist; its title is "" where it has none."""

    title: str
    tracks: tuple[WantedTrack, ...]


def read_playlist(content: bytes) -> PlaylistFile:
    """Return what a file of a playlist asks for.

    Raises:
        PlaylistError: it is none, or too large; the message says which.
    """
    if len(content) > MAX_PLAYLIST_BYTES:
        raise PlaylistError(
            Message("the playlist is larger than %(most)s MB", most=MAX_PLAYLIST_BYTES // 1_000_000)
        )
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    found = _read_xspf(content) if start.startswith(b"<") else _read_m3u(start)
    if not found.tracks:
        raise PlaylistError(
            Message("there is no track in this file: it takes an M3U, M3U8 or XSPF file")
        )
    return found


def _check_count(count: int) -> None:
    """Refuse more tracks than a mixtape has, before any of them is looked at."""
    if count > MAX_TRACKS:
        raise PlaylistError(
            Message(
                "the playlist has %(count)s tracks, and a mixtape at most %(most)s",
                count=count,
                most=MAX_TRACKS,
            )
        )


def _read_m3u(content: bytes) -> PlaylistFile:
    if b"\0" in content:
        raise PlaylistError(Message("this is no playlist: it takes an M3U, M3U8 or XSPF file"))
    title, said, seconds = "", "", 0
    tracks = []
    lines = [line for line in map(bytes.strip, content.splitlines()) if line]
    _check_count(sum(not line.startswith(b"#") for line in lines))
    for line in lines:
        text = _decoded(line).strip()
        if found := _EXTINF.match(text):
            seconds, said = int(found[1]), clean_text(found[2])
        elif found := _TITLE.match(text):
            title = clean_text(found[1])
        elif text and not text.startswith("#"):
            artist, _, name = said.rpartition(" - ")
            path = _path_of(line)
            tracks.append(WantedTrack(path, name, artist, float(seconds) if seconds > 0 else None))
            said, seconds = "", 0
    return PlaylistFile(title, tuple(tracks))


def _read_xspf(content: bytes) -> PlaylistFile:
    try:
        root: ET.Element = Defused.fromstring(content, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise PlaylistError(
            Message("this XML cannot be read: it takes an XSPF playlist")
        ) from error
    if root.tag != f"{_XSPF}playlist":
        raise PlaylistError(Message("this XML is no XSPF playlist"))
    tracks = root.findall(f"{_XSPF}trackList/{_XSPF}track")
    _check_count(len(tracks))
    return PlaylistFile(_text(root, "title"), tuple(map(_read_track, tracks)))


def _read_track(track: ET.Element) -> WantedTrack:
    duration_s: float | None = None
    with contextlib.suppress(ValueError, OverflowError):
        duration_s = int(_text(track, "duration")) / 1000 or None
    # A location is an address, so what is special in one is escaped.
    location = _text(track, "location").encode("utf-8", "replace")
    path = _path_of(location) if _SCHEME.match(location) else unquote_to_bytes(location)
    return WantedTrack(
        path.replace(b"\\", b"/"), _text(track, "title"), _text(track, "creator"), duration_s
    )


def _text(element: ET.Element, name: str) -> str:
    return clean_text(element.findtext(f"{_XSPF}{name}") or "")


def _path_of(location: bytes) -> bytes:
    """Return the path that a location names; b"" for an address of the web."""
    scheme = _SCHEME.match(location)
    if scheme is not None:
        if scheme[1].lower() != b"file":
            return b""
        location = unquote_to_bytes(location[scheme.end() :]).removeprefix(b"localhost")
    return _DRIVE.sub(b"", location).replace(b"\\", b"/")


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        # As players of Windows wrote it before there was M3U8.
        return line.decode("cp1252", "replace")
