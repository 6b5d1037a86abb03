"""Playlists as other players read them: M3U8, and XSPF (version 1)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_XSPF: Final = "http://xspf.org/ns/0/"
_LINE_ENDS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
# What no XML 1.0 may hold, escaped or not.
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class PlaylistEntry:
    """A track of a playlist.

    Args:
        location: an address, or the name of a file beside the playlist.
        title: of the track.
        artist: "" where nobody is named.
        duration_s: 0 where it is not known.
        album: "" where there is none.
        cover_url: "" where there is none.
    """

    location: str
    title: str
    artist: str = ""
    duration_s: float = 0.0
    album: str = ""
    cover_url: str = ""


def write_m3u8(title: str, entries: Iterable[PlaylistEntry]) -> str:
    """Return an extended M3U playlist; it is to be stored as UTF-8."""
    return m3u8_head(title) + "".join(map(m3u8_entry, entries))


def m3u8_head(title: str) -> str:
    """Return what an extended M3U playlist begins with."""
    return f"#EXTM3U\n#PLAYLIST:{_one_line(title)}\n"


def m3u8_entry(entry: PlaylistEntry) -> str:
    """Return a track as an extended M3U playlist has it, in as many lines as it takes."""
    # Whole seconds: MPD, which many a network player is, passes over all of it otherwise.
    seconds = round(entry.duration_s) if entry.duration_s else -1
    name = f"{entry.artist} - {entry.title}" if entry.artist else entry.title
    album = f"#EXTALB:{_one_line(entry.album)}\n" if entry.album else ""
    return f"{album}#EXTINF:{seconds},{_one_line(name)}\n{entry.location}\n"


def write_xspf(
    title: str, notes: str, address: str, cover_url: str, entries: Iterable[PlaylistEntry]
) -> bytes:
    """Return an XSPF playlist, as UTF-8.

    Args:
        title: of the playlist.
        notes: "" for none.
        address: of a page about it.
        cover_url: "" for none.
        entries: in order.
    """
    root = ET.Element("playlist", {"version": "1", "xmlns": _XSPF})
    _add(root, title=title, annotation=notes, info=address, image=cover_url)
    tracks = ET.SubElement(root, "trackList")
    for number, entry in enumerate(entries, start=1):
        _add(
            ET.SubElement(tracks, "track"),
            location=entry.location,
            title=entry.title,
            creator=entry.artist,
            image=entry.cover_url,
            album=entry.album,
            trackNum=str(number),
            duration=str(round(entry.duration_s * 1000)) if entry.duration_s else "",
        )
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def xml_text(text: str) -> str:
    """Return a text as XML can hold it."""
    return _NOT_XML.sub("\ufffd", text)


def _add(element: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        if text:
            ET.SubElement(element, name).text = xml_text(text)


def _one_line(text: str) -> str:
    return _LINE_ENDS.sub(" ", text)
