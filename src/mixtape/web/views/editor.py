"""The pages of whoever makes mixtapes: their mixtapes, and the editor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...errors import InvalidMixtapeError
from ...files.pictures import MAX_UPLOAD_BYTES
from ...files.tags import clean_lines
from ...library.covers import LARGE
from ...messages import Message
from ...mixtapes.drafts import SavedDraft
from ...mixtapes.liner_notes import liner_notes_html
from ...mixtapes.values import (
    MAX_NAME,
    MAX_NOTES,
    MAX_TITLE,
    MAX_TRACK_NOTE,
    MAX_TRACKS,
    MixtapeState,
    SavedMixtape,
)
from ...services import current_services
from ..visitors import own_tapes
from .as_json import art_url, track_fields
from .caching import readiness_fields
from .json_api import fresh_json, read_object
from .share_links import links_fields

blueprint = Blueprint("editor", __name__)


@blueprint.get("/mixtapes")
def mixtapes() -> str:
    """Show the user's mixtapes, and what was begun and not saved."""
    tapes = own_tapes()
    drafts = tapes.drafts.unsaved()
    return render_template(
        "mixtapes.html",
        mixtapes=tapes.mixtapes.summaries(),
        begun=[draft for draft in drafts if draft.slug is None],
        changed={draft.slug for draft in drafts},
    )


@blueprint.get("/mixtapes/new")
def new() -> str:
    """Show an empty editor; its first change begins a draft, which has an address of its own."""
    return _page(None, None)


@blueprint.get("/mixtapes/drafts/<key>")
def draft(key: str) -> str | Response:
    """Show the editor for a mixtape that is not saved yet."""
    found = own_tapes().drafts.get(key)
    if found.slug is not None:
        return redirect(url_for("editor.edit", slug=found.slug))
    return _page(found, None)


@blueprint.get("/mixtapes/signed-in")
def signed_in() -> str:
    """Show whoever signed in for an editor in another tab the way back."""
    return render_template("signed_in.html")


@blueprint.get("/mixtapes/<slug>/edit")
def edit(slug: str) -> str:
    """Show the editor for a mixtape."""
    tapes = own_tapes()
    return _page(tapes.drafts.of(slug), tapes.mixtapes.get(slug))


@blueprint.post("/api/liner-notes")
def preview_notes() -> Response:
    """Send liner notes as listeners will see them."""
    notes = read_object().get("notes")
    if not isinstance(notes, str):
        abort(400, "The notes are a text.")
    if len(notes) > MAX_NOTES:
        raise InvalidMixtapeError(
            Message("the notes are longer than %(most)s characters", most=MAX_NOTES)
        )
    return fresh_json({"html": liner_notes_html(clean_lines(notes))})


def editor_fields(draft: SavedDraft | None, mixtape: SavedMixtape | None) -> dict[str, Any]:
    """Return what the editor starts from: the draft, or where nothing was written the mixtape."""
    written = draft.state if draft else {}
    state = written or (mixtape.state if mixtape else MixtapeState("")).as_json()
    tracks, side_b = _placed_tracks(state)
    cover_key = state.get("cover_key")
    return {
        "key": draft and draft.key,
        "revision": draft.revision if draft else 0,
        "slug": mixtape and mixtape.slug,
        "base_revision": mixtape and mixtape.revision,
        "title": state.get("title", ""),
        "notes": state.get("notes", ""),
        "cover_key": cover_key,
        "cover_url": art_url(cover_key, LARGE) if cover_key else None,
        "sender": state.get("sender", ""),
        "recipient": state.get("recipient", ""),
        "made_on": state.get("made_on") or _day_of_making(mixtape),
        "side_b": side_b,
        "tracks": tracks,
    }


def _placed_tracks(state: dict[str, Any]) -> tuple[list[dict[str, Any]], int | None]:
    """Return the tracks of a draft that the library knows, with their notes, and its side B."""
    ids, side_b = state.get("track_ids", ()), state.get("side_b")
    notes = [*state.get("track_notes", ()), *[""] * len(ids)]
    known = {track.id: track for track in current_services().catalogue.tracks(ids)}
    tracks = [
        {**track_fields(known[track_id]), "note": note}
        for track_id, note in zip(ids, notes, strict=False)
        if track_id in known
    ]
    if side_b is not None:
        side_b = sum(1 for track_id in ids[: max(0, side_b)] if track_id in known)
    return tracks, side_b


def _day_of_making(mixtape: SavedMixtape | None) -> str:
    return (mixtape.day if mixtape else datetime.now(UTC).date()).isoformat()


def _page(draft: SavedDraft | None, mixtape: SavedMixtape | None) -> str:
    return render_template(
        "editor.html",
        editor=editor_fields(draft, mixtape),
        mixtape=mixtape,
        links=mixtape and links_fields(mixtape),
        readiness=mixtape and readiness_fields(mixtape),
        limits={
            "title": MAX_TITLE,
            "notes": MAX_NOTES,
            "name": MAX_NAME,
            "note": MAX_TRACK_NOTE,
            "tracks": MAX_TRACKS,
            "coverBytes": MAX_UPLOAD_BYTES,
        },
    )
