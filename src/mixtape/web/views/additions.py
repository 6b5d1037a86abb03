"""Adding to a mixtape from anywhere: which there are, what is added, and taking it back."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, abort, jsonify, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from ...files.tags import without_surrogates
from ...library.covers import SMALL
from ...mixtapes.additions import REPEATS, Addition, Repeats
from ...mixtapes.values import MAX_TITLE, MAX_TRACKS, MixtapeState, SavedMixtape
from ...services import current_services
from ..urls import public_url
from ..visitors import own_tapes
from .as_json import art_url
from .json_api import fresh_json, no_content, read_object
from .sharing import link_fields

blueprint = Blueprint("additions", __name__, url_prefix="/api")


@blueprint.get("/mixtapes")
def mixtapes() -> Response:
    """Send what can be added to: the mixtapes, and those that are not saved yet, newest first."""
    tapes = own_tapes()
    begun = [draft for draft in tapes.drafts.unsaved() if draft.slug is None]
    found = [
        *(
            {
                "title": draft.state.get("title") or gettext("Untitled"),
                "tracks": len(draft.state.get("track_ids", ())),
                "saved": False,
                "cover": art_url(draft.state.get("cover_key"), SMALL, draft.key),
                "url": url_for("additions.add_to_draft", key=draft.key),
                "edit_url": url_for("editor.draft", key=draft.key),
                "changed": draft.updated_at.isoformat(),
            }
            for draft in begun
        ),
        *(
            {
                "title": mixtape.title,
                "tracks": mixtape.tracks,
                "saved": True,
                "cover": art_url(mixtape.cover_key, SMALL, mixtape.title),
                "url": url_for("additions.add", slug=mixtape.slug),
                "share_url": url_for("sharing.share", slug=mixtape.slug),
                "link": public_url("player.page", slug=mixtape.slug),
                "edit_url": url_for("editor.edit", slug=mixtape.slug),
                "changed": mixtape.updated_at.isoformat(),
            }
            for mixtape in tapes.mixtapes.summaries()
        ),
    ]
    return fresh_json({"mixtapes": sorted(found, key=_changed, reverse=True)})


@blueprint.post("/mixtapes")
def create() -> tuple[Response, int]:
    """Make a mixtape of tracks, without an editor."""
    body = read_object()
    title = body.get("title")
    if not isinstance(title, str) or not title.strip():
        abort(400, "This needs the title of the mixtape, a text.")
    ids = _read_ids(body)
    state = MixtapeState(without_surrogates(title)[:MAX_TITLE], track_ids=ids)
    mixtape = own_tapes().mixtapes.create(state)
    _prepare(mixtape)
    share_url = url_for("sharing.share", slug=mixtape.slug)
    answer = {**link_fields(mixtape), "title": mixtape.title, "share_url": share_url}
    return jsonify(answer), 201


@blueprint.post("/mixtapes/<slug>/tracks")
def add(slug: str) -> Response:
    """Add tracks to a mixtape and to its draft; "repeats" says what to do with those on it."""
    body, tapes = read_object(), own_tapes()
    addition = tapes.additions.add(slug, _read_ids(body), _read_repeats(body))
    if addition.added:
        _prepare(tapes.mixtapes.get(slug))
    return _answer(addition)


@blueprint.delete("/mixtapes/<slug>/tracks")
def take_back(slug: str) -> Response:
    """Take the last of each of these tracks off a mixtape and its draft."""
    tapes = own_tapes()
    tapes.additions.take_back(slug, _read_ids(read_object()))
    current_services().caching.pin(tapes.mixtapes.get(slug))
    return no_content()


@blueprint.post("/drafts/<key>/tracks")
def add_to_draft(key: str) -> Response:
    """Add tracks to a mixtape that was never saved."""
    body = read_object()
    additions = own_tapes().additions
    return _answer(additions.add_to_draft(key, _read_ids(body), _read_repeats(body)))


@blueprint.delete("/drafts/<key>/tracks")
def take_back_from_draft(key: str) -> Response:
    """Take the last of each of these tracks off a mixtape that was never saved."""
    own_tapes().additions.take_back_from_draft(key, _read_ids(read_object()))
    return no_content()


def _changed(target: dict[str, Any]) -> str:
    return str(target["changed"])


def _prepare(mixtape: SavedMixtape) -> None:
    caching = current_services().caching
    caching.pin(mixtape)
    caching.prepare(mixtape)


def _answer(addition: Addition) -> Response:
    return jsonify(added=addition.added, repeated=addition.repeated)


def _read_ids(body: dict[str, Any]) -> tuple[int, ...]:
    ids = body.get("track_ids")
    if not isinstance(ids, list) or not ids or not all(type(each) is int for each in ids):
        abort(400, "This needs the ids of the tracks as a list of whole numbers.")
    if len(ids) > MAX_TRACKS:
        abort(400, f"These are {len(ids):,} tracks, and a mixtape holds {MAX_TRACKS:,} at most.")
    return tuple(ids)


def _read_repeats(body: dict[str, Any]) -> Repeats:
    repeats = body.get("repeats", "ask")
    if repeats not in REPEATS:
        abort(400, f"There is no way {repeats!r} with repeats: it is one of {', '.join(REPEATS)}.")
    return cast(Repeats, repeats)
