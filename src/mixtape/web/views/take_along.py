"""A mixtape to take along: as an archive, as one MP3, as a playlist, and as a podcast."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from flask import Blueprint, abort, current_app, jsonify, request, url_for
from flask_babel import gettext
from werkzeug.http import dump_options_header
from werkzeug.wrappers import Response

from audio_cache import (
    AudioCacheError,
    Composition,
    LiveUnavailableError,
    QualityError,
    QualityLevel,
    media_type,
    parse_quality,
)
from audio_cache.flask_ext import get_state

from ...library.covers import LARGE
from ...mixtapes.liner_notes import liner_notes_html
from ...mixtapes.values import SavedMixtape
from ...services import current_services
from ...takeaway.feed import Episode, Show, episode_id, write_feed
from ...takeaway.file_names import safe_name
from ...takeaway.playlists import PlaylistEntry, write_m3u8, write_xspf
from ...takeaway.tape import TapeTrack
from ..guests import open_mixtape
from ..urls import public_url
from ..visitors import is_user, owns
from .as_json import quality_fields
from .mixtape_covers import mixtape_cover_url
from .player import keep_out_of_search_engines

blueprint = Blueprint("take_along", __name__, url_prefix="/mixtapes/<slug>")
blueprint.after_request(keep_out_of_search_engines)
_MP3: Final = "audio/mpeg"
_RETRY_AFTER_S: Final = 10


@blueprint.get("/download/<quality>.zip")
def archive(slug: str, quality: str) -> Response:
    """Send a mixtape as a ZIP archive, ranges of it too, before anything of it is encoded."""
    level = _quality(quality)
    return _send(
        slug,
        lambda mixtape: current_services().takeaway.archive(mixtape, level),
        "application/zip",
        ".zip",
    )


@blueprint.get("/download/<quality>.mp3")
def single(slug: str, quality: str) -> Response:
    """Send a mixtape as one MP3 with chapters, ranges of it too, as it is encoded."""
    level = _quality(quality)
    return _send(
        slug,
        lambda mixtape: current_services().takeaway.single(mixtape, level),
        _MP3,
        ".mp3",
    )


@blueprint.get("/download/sizes")
def sizes(slug: str) -> Response:
    """Say what a mixtape takes at each quality, to the byte."""
    _require_downloads()
    mixtape = open_mixtape(slug)
    labels = {each["name"]: each for each in quality_fields()}
    found = [
        {
            **labels[each.quality],
            "zip": each.archive_bytes,
            "zip_url": url_for(".archive", slug=slug, quality=each.quality),
            "mp3": each.single_bytes,
            "mp3_url": url_for(".single", slug=slug, quality=each.quality),
        }
        for each in current_services().takeaway.sizes(mixtape)
    ]
    response = jsonify(qualities=found)
    response.cache_control.no_store = True
    return response


@blueprint.get("/playlist.m3u8")
def m3u8(slug: str) -> Response:
    """Send a mixtape as an M3U8 playlist of addresses that any player opens."""
    mixtape = open_mixtape(slug)
    text = write_m3u8(mixtape.title, _entries(mixtape, _asked_quality()))
    return _attached(text.encode(), "audio/x-mpegurl; charset=utf-8", mixtape.title, ".m3u8")


@blueprint.get("/playlist.xspf")
def xspf(slug: str) -> Response:
    """Send a mixtape as an XSPF playlist, which has covers and albums too."""
    mixtape = open_mixtape(slug)
    written = write_xspf(
        mixtape.title,
        mixtape.notes,
        public_url("player.page", slug=slug),
        mixtape_cover_url(mixtape, LARGE, is_absolute=True),
        _entries(mixtape, _asked_quality()),
    )
    return _attached(written, "application/xspf+xml", mixtape.title, ".xspf")


@blueprint.get("/feed.xml")
def feed(slug: str) -> Response:
    """Send a mixtape as a podcast, which ends when it is no longer shared."""
    _require_downloads()
    mixtape, quality = open_mixtape(slug), _asked_quality()
    show = Show(
        title=mixtape.title,
        notes_html=liner_notes_html(mixtape.notes),
        address=public_url("player.page", slug=slug),
        feed_address=public_url(".feed", slug=slug, quality=quality),
        cover_url=mixtape_cover_url(mixtape, LARGE, is_absolute=True),
        created_at=mixtape.created_at,
        updated_at=mixtape.updated_at,
    )
    before: Counter[bytes] = Counter()
    episodes = []
    for each in current_services().takeaway.tracks(mixtape, quality):
        path = each.track.path
        episodes.append(_episode(mixtape, each, quality, before[path]))
        before[path] += 1
    response = Response(write_feed(show, episodes), mimetype="application/rss+xml")
    response.add_etag()
    return _for_one(response).make_conditional(request)


def _send(
    slug: str, compose: Callable[[SavedMixtape], Composition], content_type: str, suffix: str
) -> Response:
    _require_downloads()
    answers = current_services().open_answers
    ends, mixtape = answers.ends, open_mixtape(slug)
    headers = {"Content-Disposition": _disposition(mixtape.title, suffix)}
    asked = request._get_current_object()  # type: ignore[attr-defined]
    try:
        composition = compose(mixtape)
        composer = current_services().takeaway.composer
        response = composer.answer(asked, composition, content_type, headers)
    except LiveUnavailableError as error:
        current_app.logger.warning("cannot make %s: %s", suffix, error)
        abort(_busy())
    except (AudioCacheError, OSError) as error:
        current_app.logger.warning("cannot make %s: %s", suffix, error)
        abort(409, gettext("A track cannot be read at the moment. Reload the page and try again."))
    if not owns(mixtape):
        answers.add(slug, request.environ, response)
        if answers.ends != ends:
            # One was closed between the look and now: perhaps this one.
            open_mixtape(slug)
    return response


def _busy() -> Response:
    message = gettext("All encoders are busy. Try again in a moment; what you have is not lost.")
    response = jsonify(error={"status": 503, "message": message})
    response.status_code = 503
    response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def _entries(mixtape: SavedMixtape, quality: QualityLevel) -> list[PlaylistEntry]:
    return [
        PlaylistEntry(
            location=_sound_url(mixtape, each, quality),
            title=each.track.title,
            artist=each.artist,
            duration_s=each.track.duration_s or 0.0,
            album=each.track.album,
            cover_url=_cover_url(mixtape, each.track.cover_key),
        )
        for each in current_services().takeaway.tracks(mixtape, quality)
    ]


def _episode(mixtape: SavedMixtape, each: TapeTrack, quality: QualityLevel, number: int) -> Episode:
    track = each.track
    return Episode(
        id=episode_id(mixtape.created_at, track.path, number),
        title=track.title,
        artist=each.artist,
        address=_sound_url(mixtape, each, quality),
        size_bytes=each.file.length,
        media_type=_MP3 if each.file.rendition else media_type(track.file_name),
        duration_s=track.duration_s or 0.0,
        cover_url=_cover_url(mixtape, track.cover_key or mixtape.cover_key),
    )


def _sound_url(mixtape: SavedMixtape, each: TapeTrack, quality: QualityLevel) -> str:
    token = current_services().sharing.sign(mixtape, each.track)
    return public_url("player.stream", slug=mixtape.slug, token=token, quality=quality)


def _cover_url(mixtape: SavedMixtape, key: str | None) -> str:
    if key is None:
        return ""
    return public_url("player.cover", slug=mixtape.slug, key=key, size=LARGE)


def _require_downloads() -> None:
    if not (current_app.config["DOWNLOADS"] or is_user()):
        abort(403, gettext("This mixtape is here to listen to: downloads are switched off."))


def _quality(name: str) -> QualityLevel:
    try:
        return parse_quality(name)
    except QualityError as error:
        abort(404, str(error))


def _asked_quality() -> QualityLevel:
    name = request.args.get("quality")
    return get_state().settings.default_quality if name is None else _quality(name)


def _attached(content: bytes, content_type: str, title: str, suffix: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers["Content-Disposition"] = _disposition(title, suffix)
    return _for_one(response)


def _for_one(response: Response) -> Response:
    """Let nobody else keep an answer: the addresses in it play as long as the link is open."""
    response.cache_control.no_cache = True
    response.cache_control.private = True
    return response


def _disposition(title: str, suffix: str) -> str:
    """Return the header that names a file by a title: in ASCII, and as it is (RFC 6266, 4.3)."""
    name = safe_name(title)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    names = {"filename": safe_name(plain) + suffix}
    if plain != name:
        names["filename*"] = f"UTF-8''{quote(name + suffix, safe='')}"
    return dump_options_header("attachment", names)
