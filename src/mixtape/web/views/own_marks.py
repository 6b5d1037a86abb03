"""What users say of music by pressing a star, and what their browsers play."""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from flask import Blueprint, abort
from flask_babel import gettext
from werkzeug.wrappers import Response

from ...accounts.marks import BEST_RATING, Liking, Subject, read_album_mark
from ...accounts.timeline import FASTEST, SLOWEST, STARTING, STATES, Player, Report
from ...database.account_tables import ALBUM, ARTIST
from ...database.tables import MAX_ID, Track
from ...services import current_services
from ..visitors import current_user
from .as_json import decode_key, encode_key
from .json_api import fresh_json, no_content, read_object

blueprint = Blueprint("own_marks", __name__, url_prefix="/api")
_PAGE: Final = re.compile("[A-Za-z0-9-]{1,40}")
_PLAYER_NAME: Final = "mixtape"


@blueprint.get("/stars")
def stars() -> Response:
    """Send what the user has starred and rated: tracks by their ids, albums and artists by keys."""
    marks, user_id = current_services().marks, current_user().id
    ratings = [{"id": one, "rating": rating} for one, rating in marks.rated_ids(user_id).items()]
    albums = marks.all_of_kind(user_id, ALBUM).items()
    artists = marks.all_of_kind(user_id, ARTIST).items()
    return fresh_json(
        {
            "track_ids": marks.starred_ids(user_id),
            "ratings": ratings,
            "albums": [_fields(read_album_mark(mark), said) for mark, said in albums],
            "artists": [_fields((mark.decode(),), said) for mark, said in artists],
        }
    )


@blueprint.put("/tracks/<int:track_id>/star")
def star(track_id: int) -> Response:
    """Give a track a star."""
    return _star(_track(track_id))


@blueprint.delete("/tracks/<int:track_id>/star")
def unstar(track_id: int) -> Response:
    """Take the star of a track back."""
    return _unstar(_track(track_id))


@blueprint.put("/tracks/<int:track_id>/rating")
def rate(track_id: int) -> Response:
    """Rate a track from 1 to 5; 0 takes the rating back."""
    return _rate(_track(track_id))


@blueprint.put("/albums/<key>/star")
def star_album(key: str) -> Response:
    """Give an album a star."""
    return _star(_album(key))


@blueprint.delete("/albums/<key>/star")
def unstar_album(key: str) -> Response:
    """Take the star of an album back."""
    return _unstar(_album(key))


@blueprint.put("/albums/<key>/rating")
def rate_album(key: str) -> Response:
    """Rate an album from 1 to 5; 0 takes the rating back."""
    return _rate(_album(key))


@blueprint.put("/artists/<key>/star")
def star_artist(key: str) -> Response:
    """Give an artist a star."""
    return _star(_artist(key))


@blueprint.delete("/artists/<key>/star")
def unstar_artist(key: str) -> Response:
    """Take the star of an artist back."""
    return _unstar(_artist(key))


@blueprint.put("/artists/<key>/rating")
def rate_artist(key: str) -> Response:
    """Rate an artist from 1 to 5; 0 takes the rating back."""
    return _rate(_artist(key))


@blueprint.post("/playback")
def playback() -> Response:
    """Take down what a page of the user's browser plays, and count the play that comes of it."""
    body, user = read_object(), current_user()
    page, track_id, state = body.get("page"), body.get("id"), body.get("state")
    if not isinstance(page, str) or not _PAGE.fullmatch(page) or state not in STATES:
        abort(400, gettext('This needs "page", a name of letters and digits, and "state".'))
    track = _get_track(track_id if type(track_id) is int else 0)
    player = Player(user.id, user.name, f"page {page}", 0, _PLAYER_NAME)
    duration_ms = (track.duration_s or 0.0) * 1000
    position_ms = _number(body, "position", 0.0) * 1000
    report = Report(
        track_id=track.id,
        duration_ms=duration_ms,
        state=state,
        position_ms=min(position_ms, duration_ms) if duration_ms else position_ms,
        rate=min(max(_number(body, "rate", 1.0), SLOWEST), FASTEST),
    )
    scrobbling = current_services().scrobbling
    if body.get("is_new") is True:
        scrobbling.report(player, track, Report(track.id, duration_ms, STARTING))
    scrobbling.report(player, track, report)
    return no_content()


def _star(subject: Subject) -> Response:
    current_services().marks.star(current_user().id, [subject])
    return no_content()


def _unstar(subject: Subject) -> Response:
    current_services().marks.unstar(current_user().id, [subject])
    return no_content()


def _rate(subject: Subject) -> Response:
    rating = read_object().get("rating")
    if type(rating) is not int or not 0 <= rating <= BEST_RATING:
        abort(400, gettext("A rating is a whole number from 0 to %(best)s.", best=BEST_RATING))
    current_services().marks.rate(current_user().id, subject, rating)
    return no_content()


def _track(track_id: int) -> Subject:
    return Subject.track(_get_track(track_id).path)


def _album(key: str) -> Subject:
    artist_key, album_key = decode_key(key, 2) or _no_album()
    pair = artist_key, album_key
    if pair not in current_services().catalogue.albums_by_keys([pair]):
        _no_album()
    return Subject.album(*pair)


def _artist(key: str) -> Subject:
    (artist_key,) = decode_key(key, 1) or _no_artist()
    if artist_key not in current_services().catalogue.artists_by_keys([artist_key]):
        _no_artist()
    return Subject.artist(artist_key)


def _no_album() -> NoReturn:
    abort(404, gettext("The library has no such album."))


def _no_artist() -> NoReturn:
    abort(404, gettext("The library has no such artist."))


def _fields(keys: tuple[str, ...], said: Liking) -> dict[str, Any]:
    return {
        "key": encode_key(*keys),
        "is_starred": said.starred_at is not None,
        "rating": said.rating or 0,
    }


def _get_track(track_id: int) -> Track:
    found = current_services().catalogue.tracks([min(track_id, MAX_ID)])
    if not found:
        abort(404, gettext("The library has no such track."))
    return found[0]


def _number(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name, default)
    if type(value) not in {int, float} or not 0 <= value < MAX_ID:
        abort(400, gettext("“%(name)s” is a number from 0.", name=name))
    return float(value)
