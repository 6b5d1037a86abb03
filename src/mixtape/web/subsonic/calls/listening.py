"""What players say that they play, and where they go on: plays, bookmarks and the queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf
from typing import Any, Final

from ....accounts.bookmarks import SavedQueue, remaining_queue
from ....accounts.timeline import FASTEST, SLOWEST, STATES, Player, Report, Timeline
from ....database.tables import Track
from ..answers import Payload
from ..call import Call
from ..errors import FAILED, MISSING_PARAMETER, NOT_FOUND, SubsonicError
from ..fields import track_fields
from ..ids import read_id, track_id

# A player that was offline for weeks tells of so many at once.
_MOST_PLAYS: Final = 1_000
_NO_TRACK: Final = "The library has no such track."


def scrobble(call: Call) -> Payload:
    """Count plays of tracks, or take down which one begins (`submission=false`)."""
    asked = call.arguments.texts("id")
    if not asked:
        call.arguments.text("id")
    if len(asked) > _MOST_PLAYS:
        raise SubsonicError(FAILED, f"Tell of {_MOST_PLAYS} plays at once at most.")
    times, now = call.arguments.moments("time"), datetime.now(UTC)
    known = _known_tracks(call, asked)
    # One that has gone since does not keep the others from being counted.
    heard = [
        (known[text], times[at] if at < len(times) else now)
        for at, text in enumerate(asked)
        if text in known
    ]
    if not heard:
        raise SubsonicError(NOT_FOUND, _NO_TRACK)
    if call.arguments.flag("submission", default=True):
        call.services.scrobbling.submit(call.user.id, heard, call.client)
    else:
        call.services.scrobbling.begin(_player(call), heard[-1][0])
    return {}


def report_playback(call: Call) -> Payload:
    """Take down what a player does, and count the play that comes of it."""
    arguments = call.arguments
    for name in ("mediaId", "mediaType", "positionMs", "state"):
        arguments.text(name)
    if not arguments.choice("mediaType", {"song": True, "podcast": False}):
        raise SubsonicError(NOT_FOUND, "There are no podcasts here.")
    # The word that it has stopped comes for a file that has just gone, too.
    track = _find_track(call, arguments.text("mediaId"), must_be_there=False)
    rate = arguments.decimal("playbackRate", 1.0)
    if not SLOWEST <= rate <= FASTEST:
        raise SubsonicError(
            FAILED, f"“playbackRate={rate:g}” has to be from {SLOWEST:g} to {FASTEST:g}."
        )
    report = Report(
        track_id=track.id,
        duration_ms=_length_ms(track),
        state=arguments.choice("state", {state: state for state in STATES}),
        position_ms=min(arguments.decimal("positionMs", 0.0), _length_ms(track) or inf),
        rate=rate,
        counts=not arguments.flag("ignoreScrobble"),
    )
    call.services.scrobbling.report(_player(call), track, report)
    return {}


def get_now_playing(call: Call) -> Payload:
    """Return what is played now: by everybody to an admin, by the caller to anybody else."""
    playing = call.services.now_playing.all(None if call.user.is_admin else call.user.id)
    found = call.services.catalogue.tracks([one.report.track_id for one in playing])
    there = {track.id: track for track in found if track.missing_since is None}
    shown = [one for one in playing if one.report.track_id in there]
    fields = track_fields(call, (there[one.report.track_id] for one in shown))
    entries = [
        {**track, **_playing_fields(call, one)} for track, one in zip(fields, shown, strict=True)
    ]
    return {"nowPlaying": {"entry": entries}}


def create_bookmark(call: Call) -> Payload:
    """Set the bookmark of a track."""
    track = _find_track(call, call.arguments.text("id"))
    position_ms, comment = call.arguments.number("position"), call.arguments.text("comment", "")
    call.services.bookmarks.put(call.user.id, track.path, position_ms, comment)
    return {}


def delete_bookmark(call: Call) -> Payload:
    """Remove the bookmark of a track, if there is one."""
    track = _find_track(call, call.arguments.text("id"), must_be_there=False)
    call.services.bookmarks.remove(call.user.id, track.path)
    return {}


def get_bookmarks(call: Call) -> Payload:
    """Return the caller's bookmarks in tracks that are there."""
    saved = call.services.bookmarks.of(call.user.id)
    tracks = call.services.catalogue.tracks_by_paths([one.path for one in saved])
    shown = [one for one in saved if one.path in tracks]
    entries = track_fields(call, (tracks[one.path] for one in shown))
    bookmarks = [
        {
            "position": one.position_ms,
            "username": call.user.name,
            "comment": one.comment,
            "created": one.created_at,
            "changed": one.changed_at,
            "entry": entry,
        }
        for one, entry in zip(shown, entries, strict=True)
    ]
    return {"bookmarks": {"bookmark": bookmarks}}


def save_play_queue(call: Call) -> Payload:
    """Keep what the caller plays; of a track that is in it twice the first counts as playing."""
    asked = call.arguments.texts("id")
    current = call.arguments.text("current") if asked else ""
    if asked and current not in asked:
        raise SubsonicError(MISSING_PARAMETER, "“current” has to be one of the tracks.")
    return _save_queue(call, asked, asked.index(current) if asked else 0)


def save_play_queue_by_index(call: Call) -> Payload:
    """Keep what the caller plays."""
    asked = call.arguments.texts("id")
    given = call.arguments.text("currentIndex", "")
    if not asked and given:
        raise SubsonicError(MISSING_PARAMETER, "“currentIndex” needs tracks: give their ids too.")
    is_place = given.isascii() and given.isdecimal() and len(given) < 10
    if asked and not (is_place and int(given) < len(asked)):
        raise SubsonicError(
            MISSING_PARAMETER, f"“currentIndex” has to be a number from 0 to {len(asked) - 1}."
        )
    return _save_queue(call, asked, int(given or 0))


def get_play_queue(call: Call) -> Payload:
    """Return what the caller was playing, as far as it is there."""
    queue, fields = _find_queue(call)
    current = track_id(queue.track_ids[queue.place]) if queue.track_ids else None
    return {"playQueue": {"current": current, **fields}}


def get_play_queue_by_index(call: Call) -> Payload:
    """Return what the caller was playing, as far as it is there, with the place in it."""
    queue, fields = _find_queue(call)
    place = queue.place if queue.track_ids else None
    return {"playQueueByIndex": {"currentIndex": place, **fields}}


def _save_queue(call: Call, asked: Sequence[str], place: int) -> Payload:
    ids = [read_id(text, "tr").number for text in asked]
    position_ms = call.arguments.number("position", 0)
    call.services.bookmarks.save_queue(call.user.id, ids, place, position_ms, call.client)
    return {}


def _find_queue(call: Call) -> tuple[SavedQueue, dict[str, Any]]:
    nothing = SavedQueue((), 0, 0, "", call.user.created_at)
    saved = call.services.bookmarks.find_queue(call.user.id) or nothing
    found = call.services.catalogue.tracks(saved.track_ids)
    there = {track.id: track for track in found if track.missing_since is None}
    queue = remaining_queue(saved, list(there))
    return queue, {
        "position": queue.position_ms,
        "username": call.user.name,
        "changed": queue.changed_at,
        "changedBy": queue.changed_by,
        "entry": track_fields(call, (there[one] for one in queue.track_ids)),
    }


def _player(call: Call) -> Player:
    return Player(
        user_id=call.user.id,
        user_name=call.user.name,
        key=f"device {call.device_id}",
        device_id=call.device_id,
        name=call.client,
    )


def _playing_fields(call: Call, timeline: Timeline) -> dict[str, Any]:
    now_playing, player = call.services.now_playing, timeline.player
    return {
        "username": player.user_name,
        "minutesAgo": now_playing.minutes_since(timeline),
        "playerId": player.device_id,
        "playerName": player.name,
        "state": timeline.report.state,
        "positionMs": now_playing.position_ms(timeline),
        "playbackRate": timeline.report.rate,
    }


def _length_ms(track: Track) -> float:
    return (track.duration_s or 0.0) * 1000


def _find_track(call: Call, text: str, *, must_be_there: bool = True) -> Track:
    found = call.services.catalogue.tracks([read_id(text, "tr").number])
    if not found or (must_be_there and found[0].missing_since is not None):
        raise SubsonicError(NOT_FOUND, _NO_TRACK)
    return found[0]


def _known_tracks(call: Call, asked: Sequence[str]) -> dict[str, Track]:
    """Return the tracks that ids name, by these; those that are not known are left out."""
    ids = {text: read_id(text, "tr").number for text in asked}
    tracks = {track.id: track for track in call.services.catalogue.tracks(list(ids.values()))}
    return {text: tracks[number] for text, number in ids.items() if number in tracks}
