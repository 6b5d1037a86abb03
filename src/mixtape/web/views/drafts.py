"""The editor's autosave, and the save that makes a mixtape of a draft."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, abort, jsonify, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from ...errors import InvalidMixtapeError
from ...files.tags import without_surrogates
from ...messages import Message
from ...mixtapes.drafts import SavedDraft
from ...mixtapes.tapes import Tapes
from ...mixtapes.values import MAX_TRACKS, MixtapeState, SavedMixtape
from ...services import current_services
from ..visitors import own_tapes
from .caching import task_fields
from .editor import editor_fields
from .json_api import fresh_json, is_revision, no_content, read_object, read_revision

blueprint = Blueprint("drafts", __name__)


@blueprint.get("/api/session")
def session() -> Response:
    """Send a token for the session that there is now, to a page from before it."""
    return fresh_json({"csrf_token": generate_csrf()})


@blueprint.post("/api/drafts")
def begin() -> Response:
    """Begin a draft: of the mixtape with the slug that is sent, or of a new one."""
    body = read_object()
    slug, base_revision = body.get("slug"), body.get("base_revision")
    if slug is not None and not isinstance(slug, str):
        abort(400, "The slug of a mixtape is a text.")
    if base_revision is not None and not is_revision(base_revision):
        abort(400, "The revision of a mixtape is a whole number.")
    return _answer(own_tapes().drafts.begin(slug, base_revision), 201)


@blueprint.get("/api/drafts/<key>")
def show(key: str) -> Response:
    """Send a draft as it is stored."""
    return _answer(own_tapes().drafts.get(key))


@blueprint.put("/api/drafts/<key>")
def autosave(key: str) -> Response:
    """Keep what the editor has now."""
    body = read_object()
    kept, revision = read_state(body).as_json(), read_revision(body)
    saved = own_tapes().drafts.save(key, kept, revision=revision)
    return jsonify(revision=saved.revision)


@blueprint.delete("/api/drafts/<key>")
def discard(key: str) -> Response:
    """Drop a draft; the mixtape that it was to change stays as it is."""
    own_tapes().drafts.discard(key)
    return no_content()


@blueprint.post("/api/drafts/<key>/save")
def save(key: str) -> tuple[Response, int]:
    """Make a mixtape of a draft, or change the one that it is of, and begin to cache it.

    With "overwrite" a mixtape that was saved elsewhere meanwhile is replaced.
    """
    body, services = read_object(), current_services()
    state = read_state(body)
    if state.cover_key is not None and not services.artwork.is_known(state.cover_key):
        raise InvalidMixtapeError(
            Message("the cover is none that was uploaded or is in the library")
        )
    mixtape = _store(own_tapes(), key, state, bool(body.get("overwrite")))
    services.caching.pin(mixtape)
    is_begun = services.caching.prepare(mixtape)
    answer = {
        "slug": mixtape.slug,
        "edit_url": url_for("editor.edit", slug=mixtape.slug),
        "task": task_fields(mixtape.slug, mixtape.title) if is_begun else None,
    }
    return jsonify(answer), 201


def read_state(body: dict[str, Any]) -> MixtapeState:
    """Return the state in a request; 400 where it is none.

    How long the texts may be is for the save to say: a draft keeps what was typed.
    """
    state = body.get("state")
    if not isinstance(state, dict):
        abort(400, "This needs the state of the mixtape, a JSON object.")
    cover_key, side_b = state.get("cover_key"), state.get("side_b")
    # A lone surrogate, which is in no key, would stand in the address of a cover.
    if not (cover_key is None or (isinstance(cover_key, str) and cover_key.isascii())):
        abort(400, "The cover is the key that the upload answered with, or null.")
    if not (side_b is None or type(side_b) is int):
        abort(400, "Where side B begins is a whole number of tracks, or null.")
    return MixtapeState(
        title=_read_text(state, "title"),
        notes=_read_text(state, "notes"),
        cover_key=cover_key,
        track_ids=_read_ids(state),
        track_notes=_read_track_notes(state),
        sender=_read_text(state, "sender"),
        recipient=_read_text(state, "recipient"),
        made_on=_read_date(state),
        side_b=side_b,
    )


def _read_text(state: dict[str, Any], name: str) -> str:
    text = state.get(name, "")
    if not isinstance(text, str):
        abort(400, f"“{name}” of a mixtape is a text.")
    # Half an emoji, which JSON can hold and no page can show.
    return without_surrogates(text)


def _read_ids(state: dict[str, Any]) -> tuple[int, ...]:
    ids = state.get("track_ids", [])
    if not isinstance(ids, list) or not all(type(track_id) is int for track_id in ids):
        abort(400, "The tracks are a list of ids.")
    if len(ids) > MAX_TRACKS:
        raise InvalidMixtapeError(
            Message("the mixtape has more than %(most)s tracks", most=MAX_TRACKS)
        )
    return tuple(ids)


def _read_track_notes(state: dict[str, Any]) -> tuple[str, ...]:
    notes = state.get("track_notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        abort(400, "The notes on tracks are a list of texts.")
    return tuple(without_surrogates(note) for note in notes[:MAX_TRACKS])


def _read_date(state: dict[str, Any]) -> date | None:
    written = state.get("made_on")
    if not written:
        return None
    try:
        return date.fromisoformat(str(written))
    except ValueError:
        abort(400, f"The date of a mixtape is like 2026-11-29, and not {str(written)[:40]}.")


def _store(tapes: Tapes, key: str, state: MixtapeState, overwrite: bool) -> SavedMixtape:
    draft = tapes.drafts.get(key)
    if draft.slug is None:
        # A save ends at the link: nobody has it until it is given away, and nobody can guess it.
        made = tapes.mixtapes.create(state, draft_key=draft.key)
        return tapes.mixtapes.share(made.slug)
    revision = draft.base_revision
    if overwrite:
        revision = tapes.mixtapes.get(draft.slug).revision
    return tapes.mixtapes.save(draft.slug, state, revision=revision, draft_key=draft.key)


def _answer(draft: SavedDraft, status: int = 200) -> Response:
    mixtape = own_tapes().mixtapes.get(draft.slug) if draft.slug else None
    address = url_for("editor.draft", key=draft.key)
    return fresh_json({**editor_fields(draft, mixtape), "url": address}, status)
