"""A sign of life for whatever watches the server."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    """Say that requests are being answered."""
    return {"status": "ok"}
