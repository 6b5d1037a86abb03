"""The pages of the mixtapes' owner: all mixtapes, and the editor."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...files.pictures import MAX_UPLOAD_BYTES
from ...library.covers import LARGE
from ...mixtapes.drafts import SavedDraft
from ...mixtapes.values import MAX_NOTES, MAX_TITLE, MAX_TRACKS, MixtapeState, SavedMixtape
from ...services import current_services
from .as_json import art_url, track_fields
from .caching import readiness_fields
from .share_links import links_fields

blueprint = Blueprint("editor", __name__)


@blueprint.get("/mixtapes")
def mixtapes() -> str:
    """Show all mixtapes, and what was begun and not saved."""
    services = current_services()
    drafts = services.drafts.unsaved()
    return render_template(
        "mixtapes.html",
        mixtapes=services.mixtapes.summaries(),
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
    found = current_services().drafts.get(key)
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
    services = current_services()
    return _page(services.drafts.of(slug), services.mixtapes.get(slug))


def editor_fields(draft: SavedDraft | None, mixtape: SavedMixtape | None) -> dict[str, Any]:
    """Return what the editor starts from: the draft, or where nothing was written the mixtape."""
    written = draft.state if draft else {}
    state = written or asdict(mixtape.state if mixtape else MixtapeState(""))
    tracks = current_services().catalogue.tracks(state.get("track_ids", ()))
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
        "tracks": [track_fields(track) for track in tracks],
    }


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
            "tracks": MAX_TRACKS,
            "coverBytes": MAX_UPLOAD_BYTES,
        },
    )
