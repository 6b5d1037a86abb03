"""A sign of life for whatever watches the server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, current_app, request
from sqlalchemy import text
from werkzeug.wrappers import Response

from audio_cache import FFmpegNotFoundError
from audio_cache.flask_ext import get_state

from ...services import current_services
from ..visitors import is_admin
from .json_api import as_sentence, fresh_json

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer 200 where all is well, else 503; `?details` tells an admin what is not."""
    problems = {name: _problem(name, check) for name, check in CHECKS.items()}
    is_well = not any(problems.values())
    body: dict[str, Any] = {"status": "ok" if is_well else "failing"}
    if "details" in request.args and is_admin():
        body["checks"] = {name: problem or "ok" for name, problem in problems.items()}
    return fresh_json(body, 200 if is_well else 503)


def check_database() -> None:
    """Raise unless the database answers."""
    with current_services().database.read() as session:
        session.execute(text("SELECT version_num FROM alembic_version"))


def check_cache() -> None:
    """Raise unless files can be written where the cache is."""
    # Without a name (O_TMPFILE), so that nothing is left behind and no listing sees it.
    with tempfile.TemporaryFile(dir=get_state().cache.cache_dir, buffering=0) as file:
        file.write(b"\0")


def check_ffmpeg() -> None:
    """Raise unless the ffmpeg that was found is still there and may be started."""
    path = get_state().cache.ffmpeg.path
    if not os.access(path, os.X_OK):
        raise FFmpegNotFoundError(f"ffmpeg at {path} is gone: set AUDIO_CACHE_FFMPEG to one")


CHECKS: Final[dict[str, Callable[[], None]]] = {
    "database": check_database,
    "cache": check_cache,
    "ffmpeg": check_ffmpeg,
}


def ffmpeg_problem() -> str:
    """Return why nothing can be encoded, for an admin; "" where it can."""
    try:
        check_ffmpeg()
    except FFmpegNotFoundError as error:
        return as_sentence(str(error))
    return ""


def _problem(name: str, check: Callable[[], None]) -> str:
    """Return what a check found wrong, "" for nothing; the log has it either way."""
    try:
        check()
    except Exception as error:
        current_app.logger.error("health: %s: %s", name, error)
        return str(error) or type(error).__name__
    return ""
