"""A mixtape as a podcast: an episode for each track, for apps that subscribe to its address."""

from __future__ import annotations

import hashlib
import html
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final

from .playlists import xml_text

_ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_PODCAST: Final = "https://podcastindex.org/namespace/1.0"
_ATOM: Final = "http://www.w3.org/2005/Atom"
# In which podcasts have their ids, which are made of their addresses (podcast:guid).
_PODCASTS: Final = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
# Apps sort by date, and the first track is the oldest episode. They hide what is not out yet.
_APART: Final = timedelta(seconds=1)

for _prefix, _address in (("itunes", _ITUNES), ("podcast", _PODCAST), ("atom", _ATOM)):
    ET.register_namespace(_prefix, _address)


@dataclass(frozen=True)
class Episode:
    """A track as an episode.

    Args:
        id: the same for the same track of a mixtape for ever.
        title, artist: of the track.
        address: of its sound.
        size_bytes: of that, exact.
        media_type: of that.
        duration_s: 0 where it is not known.
        cover_url: "" where there is none.
    """

    id: str
    title: str
    artist: str
    address: str
    size_bytes: int
    media_type: str
    duration_s: float
    cover_url: str


@dataclass(frozen=True)
class Show:
    """A mixtape as a podcast.

    Args:
        title: of the mixtape.
        notes_html: of it; "" for none.
        address: of its page.
        feed_address: of the feed.
        cover_url: "" where there is none.
        created_at: when the first track came out, as far as apps are told.
        updated_at: when the mixtape was changed last.
    """

    title: str
    notes_html: str
    address: str
    feed_address: str
    cover_url: str
    created_at: datetime
    updated_at: datetime


def episode_id(created_at: datetime, path: bytes, number: int) -> str:
    """Return the id of an episode, which outlives a new link and another order of the tracks.

    Args:
        created_at: when the mixtape was created, which tells it from others.
        path: of the track.
        number: how often the track was on the mixtape before.
    """
    of = f"{created_at.isoformat()}\0{number}\0".encode() + path
    return hashlib.sha256(of).hexdigest()[:32]


def write_feed(show: Show, episodes: Iterable[Episode]) -> bytes:
    """Return an RSS 2.0 feed with the tags that podcast apps look for."""
    rss = ET.Element("rss", {"version": "2.0"})
    channel = ET.SubElement(rss, "channel")
    _add(channel, "title", show.title)
    _add(channel, "link", show.address)
    # Apps read it as HTML, escaped as XML (RSS 2.0, "description").
    _add(channel, "description", show.notes_html or html.escape(show.title))
    _add(channel, "lastBuildDate", format_datetime(show.updated_at))
    here = {"href": show.feed_address, "rel": "self", "type": "application/rss+xml"}
    ET.SubElement(channel, f"{{{_ATOM}}}link", here)
    _add_itunes(channel, author="mixtape", explicit="false", type="serial", block="Yes")
    category = ET.SubElement(channel, f"{{{_ITUNES}}}category")
    category.set("text", "Music")
    _add_cover(channel, show.cover_url)
    name = show.feed_address.partition("://")[2].rstrip("/")
    _add(channel, f"{{{_PODCAST}}}guid", str(uuid.uuid5(_PODCASTS, name)))
    _add(channel, f"{{{_PODCAST}}}medium", "music")
    _add(channel, f"{{{_PODCAST}}}locked", "yes")
    for number, episode in enumerate(episodes, start=1):
        _add_episode(channel, episode, number, show.created_at + (number - 1) * _APART)
    ET.indent(rss)
    written: bytes = ET.tostring(rss, encoding="utf-8", xml_declaration=True)
    return written


def _add_episode(channel: ET.Element, episode: Episode, number: int, out_at: datetime) -> None:
    item = ET.SubElement(channel, "item")
    artist, title = episode.artist, episode.title
    _add(item, "title", f"{artist} – {title}" if artist else title)
    _add(item, "pubDate", format_datetime(out_at))
    guid = _add(item, "guid", episode.id)
    guid.set("isPermaLink", "false")
    sound = {"url": episode.address, "length": str(episode.size_bytes), "type": episode.media_type}
    ET.SubElement(item, "enclosure", sound)
    _add_itunes(item, title=title, author=artist, episode=str(number), explicit="false")
    _add_itunes(item, episodeType="full")
    if episode.duration_s:
        _add_itunes(item, duration=str(round(episode.duration_s)))
    _add_cover(item, episode.cover_url)


def _add(element: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(element, name)
    child.text = xml_text(text)
    return child


def _add_itunes(element: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        if text:
            _add(element, f"{{{_ITUNES}}}{name}", text)


def _add_cover(element: ET.Element, url: str) -> None:
    if url:
        ET.SubElement(element, f"{{{_ITUNES}}}image", {"href": url})
