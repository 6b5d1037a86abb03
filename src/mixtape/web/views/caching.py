"""Readiness of mixtapes, caching the rest, caching a folder, and ending either."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, jsonify, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from audio_cache import QualityError, QualityLevel, parse_quality

from ...files.formats import size_text, total_duration_text
from ...files.names import display_name
from ...mixtapes.caching import ENCODED, Cost, folder_task_id
from ...mixtapes.values import SavedMixtape
from ...services import current_services
from ..errors import error_response
from ..urls import requested_path
from ..visitors import own_tapes, owns_task
from .as_json import damage_fields
from .json_api import as_sentence, fresh_json, no_content, read_json, read_object

blueprint = Blueprint("caching", __name__, url_prefix="/api")


@blueprint.get("/mixtapes/<slug>/readiness")
def readiness(slug: str) -> Response:
    """Send how much of a mixtape is ready at each quality."""
    return fresh_json(readiness_fields(own_tapes().mixtapes.get(slug)))


@blueprint.post("/mixtapes/<slug>/cache")
def cache_mixtape(slug: str) -> tuple[Response, int]:
    """Cache what a mixtape lacks at the qualities that are sent, in the background."""
    mixtape = own_tapes().mixtapes.get(slug)
    is_begun = current_services().caching.start_mixtape(mixtape, _read_qualities(read_object()))
    return _begun(is_begun, slug, mixtape.title, "This mixtape has no tracks.")


@blueprint.get("/cache-folder/")
@blueprint.get("/cache-folder/<file_path:path>")
def folder_cost(path: str = "") -> Response:
    """Send what caching a folder would take in size, time and disk, or why it cannot be."""
    caching = current_services().caching
    found = caching.cost(requested_path("/api/cache-folder/"), caching.usual)
    return fresh_json(
        {
            "tracks": found.tracks,
            "bytes": found.size_bytes,
            "seconds": round(found.time_s),
            "free_bytes": found.free_bytes,
            "words": _cost_in_words(found),
            "obstacle": found.obstacle and as_sentence(found.obstacle),
        }
    )


@blueprint.post("/cache-folder/")
@blueprint.post("/cache-folder/<file_path:path>")
def cache_folder(path: str = "") -> tuple[Response, int]:
    """Cache the lossless tracks in and below a folder, in the background, if they have room."""
    folder, caching = requested_path("/api/cache-folder/"), current_services().caching
    task_id = folder_task_id(folder)
    body = read_json()
    qualities = caching.usual
    if isinstance(body, dict) and "qualities" in body:
        qualities = _read_qualities(body)
    obstacle = caching.cost(folder, qualities).obstacle if caching.is_enabled else None
    if obstacle is not None:
        # Werkzeug has no exception for this one.
        return error_response(507, as_sentence(obstacle)), 507
    is_begun = caching.start(task_id, caching.folder_paths(folder), qualities)
    title = display_name(folder) or "your library"
    return _begun(
        is_begun,
        task_id,
        title,
        "Nothing in this folder needs caching: the library knows of no lossless track in it.",
    )


@blueprint.post("/caching/<task_id>/cancel")
def cancel(task_id: str) -> Response:
    """End a run; what it has made stays."""
    if not owns_task(task_id):
        abort(404)
    current_services().caching.cancel(task_id)
    return no_content()


def task_fields(task_id: str, title: str) -> dict[str, Any]:
    """Return what the progress modal of a run is opened with."""
    return {
        "taskId": task_id,
        "url": url_for("audio_cache.progress", slug=task_id),
        "cancelUrl": url_for("caching.cancel", task_id=task_id),
        "title": f"Caching {title}",
    }


def readiness_fields(mixtape: SavedMixtape) -> dict[str, Any]:
    """Return the readiness of a mixtape for the page; "task" is that of a run that goes on."""
    caching = current_services().caching
    found = caching.readiness(mixtape)
    return {
        "enabled": caching.is_enabled,
        "total": found.total,
        "ready": {quality: found.ready[quality] for quality in ENCODED},
        "damaged": found.damaged,
        "unplayable": found.unplayable,
        "usual": caching.usual,
        "damage": damage_fields(mixtape),
        "ahead": caching.ahead,
        "task": task_fields(mixtape.slug, mixtape.title) if found.is_running else None,
    }


def _cost_in_words(cost: Cost) -> str:
    if not cost.tracks:
        return "Everything is cached already. Look through it again?"
    tracks = f"{cost.tracks:,} track{'' if cost.tracks == 1 else 's'}"
    size, free = size_text(cost.size_bytes), size_text(cost.free_bytes)
    takes = total_duration_text(max(1.0, cost.time_s))
    return f"Cache {tracks}? That takes {size} of the {free} that are free, and about {takes}."


def _begun(is_begun: bool, task_id: str, title: str, reason: str) -> tuple[Response, int]:
    if not current_services().caching.is_enabled:
        abort(409, gettext("Caching is switched off: AUDIO_CACHE_ENABLED is false."))
    if not is_begun:
        abort(409, reason)
    return jsonify(task=task_fields(task_id, title)), 202


def _read_qualities(body: dict[str, Any]) -> tuple[QualityLevel, ...]:
    named = body.get("qualities")
    if not isinstance(named, list) or not named:
        abort(400, f'This needs "qualities", a list of some of {", ".join(ENCODED)}.')
    try:
        levels = dict.fromkeys(parse_quality(str(name)) for name in named)
    except QualityError as error:
        abort(400, str(error))
    return tuple(level for level in levels if level != "original")
