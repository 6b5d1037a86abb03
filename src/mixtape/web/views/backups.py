"""Backups on the owner's page: one to take along, and one to look into and put back."""

from __future__ import annotations

import tempfile
from typing import Any, Final, cast

from flask import Blueprint, abort, current_app, request, send_file
from werkzeug.wrappers import Response

from ...backups.backups import Backups, Preview
from ...backups.incoming import PIECE_BYTES, Incoming
from ...backups.restore import EXISTING, Existing
from ...services import Services, current_services
from .json_api import fresh_json, no_content, read_object

blueprint = Blueprint("backups", __name__, url_prefix="/admin")
_MOST_SHOWN: Final = 200


@blueprint.get("/backup")
def download() -> Response:
    """Send all mixtapes, covers and people as one file."""
    backups = current_services().backups
    # Closed by whoever sends it. It may be larger than what memory is there for.
    file = tempfile.TemporaryFile()  # noqa: SIM115
    backups.write(file)
    size_bytes = file.tell()
    file.seek(0)
    response = send_file(
        file,
        mimetype="application/zip",
        as_attachment=True,
        download_name=backups.file_name(),
        max_age=0,
    )
    response.content_length = size_bytes
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/restores")
def begin() -> Response:
    """Begin to take a backup, which comes in pieces."""
    return fresh_json({"key": _incoming().begin(), "piece_bytes": PIECE_BYTES}, 201)


@blueprint.put("/restores/<key>")
def add(key: str) -> Response:
    """Take the piece of a backup that belongs at `offset`."""
    offset = request.args.get("offset", -1, int)
    return fresh_json({"bytes": _incoming().add(key, offset, request.get_data(cache=False))})


@blueprint.get("/restores/<key>")
def preview(key: str) -> Response:
    """Send what restoring a backup would do."""
    return fresh_json(preview_fields(_backups().preview(_incoming().path(key))))


@blueprint.post("/restores/<key>")
def restore(key: str) -> Response:
    """Put back what is in a backup; `existing` says what becomes of mixtapes that are here.

    With `people` true, people and devices are added that are not here.
    """
    body = read_object()
    existing, lets_in = body.get("existing"), body.get("people", False)
    if not isinstance(lets_in, bool):
        abort(400, "people takes true or false. Nothing was changed.")
    if existing not in EXISTING:
        abort(400, f"existing takes one of {', '.join(EXISTING)}. Nothing was changed.")
    path = _incoming().path(key)
    outcome = _backups().restore(path, cast(Existing, existing), lets_in=lets_in)
    _incoming().discard(key)
    services, restored, people = current_services(), outcome.restored, outcome.people
    _let_be_heard(services, restored.added + restored.replaced)
    current_app.logger.info(
        "restored by the owner: %d added, %d replaced, %d people and %d devices added",
        *(len(restored.added), len(restored.replaced), len(people.added), people.devices),
    )
    return fresh_json(
        {
            "added": len(restored.added),
            "replaced": len(restored.replaced),
            "kept": restored.kept,
            "same": restored.same,
            "covers": outcome.covers,
            "people": len(people.added),
            "devices": people.devices,
            "heard": people.heard,
            "safety": outcome.safety and str(outcome.safety),
        }
    )


@blueprint.delete("/restores/<key>")
def discard(key: str) -> Response:
    """Forget a backup that was taken."""
    _incoming().discard(key)
    return no_content()


def preview_fields(preview: Preview) -> dict[str, Any]:
    """Return what restoring a backup would do, for the page."""
    plan, people = preview.plan, preview.people
    return {
        "made_at": plan.made_at.isoformat(),
        "new": plan.count("new"),
        "same": plan.count("same"),
        "conflicts": plan.conflicts,
        "covers": len(preview.new_covers),
        "moved": plan.moved,
        "lost": sum(step.lost for step in plan.steps),
        "unknown": list(plan.unknown),
        "people": [{"name": name, "role": role} for name, role in people.new[:_MOST_SHOWN]],
        "devices": people.devices,
        "locked": people.locked,
        "heard": people.heard,
        "mixtapes": [
            {
                "title": step.title,
                "kind": step.kind,
                "shared": step.shared,
                "tracks": step.tracks,
                "lost": step.lost,
            }
            for step in plan.steps[:_MOST_SHOWN]
        ],
        "more": max(0, len(plan.steps) - _MOST_SHOWN),
    }


def _let_be_heard(services: Services, slugs: tuple[str, ...]) -> None:
    """Let the cache keep what is in mixtapes now; who hears one that was closed hears no more."""
    for slug in slugs:
        mixtape = services.mixtapes.get(slug)
        services.caching.pin(mixtape)
        if not mixtape.shared:
            services.open_answers.end(slug)


def _backups() -> Backups:
    return current_services().backups


def _incoming() -> Incoming:
    return current_services().incoming
