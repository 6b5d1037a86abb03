"""Mixtapes as playlists: the caller's own, listed, read, made and changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....accounts.users import SavedUser, name_key
from ....files.tags import without_surrogates
from ....mixtapes.playlists import PlaylistChange
from ....mixtapes.tapes import Tapes
from ....mixtapes.values import MixtapeState, MixtapeSummary, SavedMixtape
from ..answers import Payload
from ..call import Call
from ..errors import NOT_ALLOWED, NOT_FOUND, SubsonicError
from ..fields import track_fields
from ..ids import mixtape_id, read_id


def get_playlists(call: Call) -> Payload:
    """Return the caller's mixtapes; those of others are nobody else's, not an admin's either."""
    user, services = call.user, call.services
    if name_key(call.arguments.text("username", user.name)) != name_key(user.name):
        raise SubsonicError(NOT_ALLOWED, "Nobody sees the playlists of others.")
    notes = services.playlists.notes_of(user.id)
    summaries = services.tapes_of(user.id).mixtapes.summaries()
    listed = [_listed(user, summary, notes) for summary in summaries]
    return {"playlists": {"playlist": listed}}


def get_playlist(call: Call) -> Payload:
    """Return a mixtape of the caller with the tracks that are there."""
    return {"playlist": _fields(call, _find(call, call.arguments.text("id")))}


def create_playlist(call: Call) -> Payload:
    """Make a mixtape, which nobody else can hear, or put other tracks on one (`playlistId`)."""
    arguments = call.arguments
    ids = _track_ids(call, "songId")
    name = arguments.text("name", None)
    if "playlistId" in arguments:
        known = _find(call, arguments.text("playlistId"))
        change = PlaylistChange(title=_clean(name), track_ids=ids)
        return {"playlist": _fields(call, _change(call, known, change))}
    state = MixtapeState(without_surrogates(arguments.text("name")), track_ids=ids)
    made = _tapes(call).mixtapes.create(state)
    _cache_ahead(call, made)
    return {"playlist": _fields(call, made)}


def update_playlist(call: Call) -> Payload:
    """Change a mixtape: its words, who may hear it, and its tracks, those that go first."""
    arguments = call.arguments
    known = _find(call, arguments.text("playlistId"))
    is_public = arguments.flag("public") if "public" in arguments else None
    change = PlaylistChange(
        title=_clean(arguments.text("name", None)),
        notes=_clean(arguments.text("comment", None)),
        removed=frozenset(arguments.numbers("songIndexToRemove")),
        added=_track_ids(call, "songIdToAdd"),
    )
    changed = _change(call, known, change)
    if is_public is not None and is_public != changed.shared:
        _open(call, changed, is_public=is_public)
    return {}


def delete_playlist(call: Call) -> Payload:
    """Delete a mixtape of the caller; the music stays."""
    slug, tapes = _find(call, call.arguments.text("id")).slug, _tapes(call)
    links = tapes.share_links.of(slug)
    tapes.mixtapes.delete(slug)
    call.services.let_go(slug, links)
    return {}


def _tapes(call: Call) -> Tapes:
    return call.services.tapes_of(call.user.id)


def _find(call: Call, text: str) -> SavedMixtape:
    """Return the mixtape of the caller with an id; NotFoundError where there is none."""
    return _tapes(call).mixtapes.get_by_id(read_id(text, "pl").number)


def _track_ids(call: Call, name: str) -> tuple[int, ...]:
    ids = tuple(read_id(text, "tr").number for text in call.arguments.texts(name))
    found = call.services.catalogue.tracks(ids)
    there = {track.id for track in found if track.missing_since is None}
    lost = next((one for one in ids if one not in there), None)
    if lost is not None:
        raise SubsonicError(NOT_FOUND, f"The library has no track “tr-{lost}”.")
    return ids


def _change(call: Call, known: SavedMixtape, change: PlaylistChange) -> SavedMixtape:
    call.services.playlists.change(call.user.id, known.id, change)
    changed = _tapes(call).mixtapes.get_by_id(known.id)
    if change.is_of_tracks:
        _cache_ahead(call, changed)
    return changed


def _cache_ahead(call: Call, mixtape: SavedMixtape) -> None:
    call.services.caching.pin(mixtape)
    call.services.caching.prepare(mixtape)


def _open(call: Call, mixtape: SavedMixtape, *, is_public: bool) -> None:
    """Open the first link of a mixtape, or close all of them, as its own page does."""
    tapes = _tapes(call)
    if is_public:
        tapes.mixtapes.share(mixtape.slug)
        return
    tapes.mixtapes.unshare(mixtape.slug)
    for link in tapes.share_links.of(mixtape.slug):
        call.services.open_answers.end(link.slug)


def _listed(user: SavedUser, summary: MixtapeSummary, notes: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": mixtape_id(summary.id),
        "name": summary.title,
        "comment": notes.get(summary.id, ""),
        "owner": user.name,
        "public": summary.shared,
        "songCount": summary.tracks - summary.missing,
        "duration": round(summary.duration_s),
        "created": summary.created_at,
        "changed": summary.updated_at,
        "coverArt": mixtape_id(summary.id) if summary.cover_parts else None,
        "readonly": False,
    }


def _fields(call: Call, mixtape: SavedMixtape) -> dict[str, Any]:
    return {
        "id": mixtape_id(mixtape.id),
        "name": mixtape.title,
        "comment": mixtape.notes,
        "owner": call.user.name,
        "public": mixtape.shared,
        "songCount": len(mixtape.tracks),
        "duration": round(mixtape.duration_s),
        "created": mixtape.created_at,
        "changed": mixtape.updated_at,
        "coverArt": mixtape_id(mixtape.id) if mixtape.cover_parts else None,
        "readonly": False,
        "entry": track_fields(call, mixtape.tracks),
    }


def _clean(text: str | None) -> str | None:
    return None if text is None else without_surrogates(text)
