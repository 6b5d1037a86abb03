"""The owner's page: what the cache holds and does, and how to clear and mend it."""

from __future__ import annotations

import math
from typing import Any, Final, cast

from flask import Blueprint, Flask, abort, current_app, render_template, request
from werkzeug.wrappers import Response

from audio_cache import CacheStats, Stock
from audio_cache.flask_ext import get_state

from ...admin.forecast import Forecasts
from ...admin.history import SPANS, TRAFFIC, hit_rate
from ...admin.maintenance import KINDS, BusyError, Maintenance, name_of
from ...admin.monitor import Monitor
from ...library.damage import damaged_tracks
from ..languages import in_language
from .health import ffmpeg_problem
from .json_api import as_sentence, fresh_json, read_object

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
PURGE_WORD: Final = "purge"
_MOST_DAYS: Final = 36_500
_MOST_DAMAGED: Final = 200


def init_app(app: Flask, monitor: Monitor) -> None:
    """Add the owner's page to an app; the monitor starts with the first request of any kind."""
    state = monitor.state
    maintenance = Maintenance(state.cache, state.settings.max_workers, monitor.recount)
    app.extensions["mixtape_monitor"] = monitor
    app.extensions["mixtape_maintenance"] = maintenance
    app.extensions["mixtape_forecasts"] = Forecasts(state.cache)
    # Not here: a server may fork after this, and threads do not survive that.
    app.before_request(monitor.start)
    app.register_blueprint(blueprint)


@blueprint.get("")
def page() -> str:
    """Show the page; its figures come by `figures` and `history`."""
    state = get_state()
    return render_template(
        "admin.html",
        purge_word=PURGE_WORD,
        most_days=_MOST_DAYS,
        cache_dir=state.cache.cache_dir,
        damaged=damaged_tracks(state.cache, state.roots),
        most_damaged=_MOST_DAMAGED,
    )


@blueprint.get("/figures")
def figures() -> Response:
    """Send the state of this moment."""
    monitor = _monitor()
    state, sample, disk = monitor.state, monitor.sample(), monitor.disk()
    task, forecast, rate = _maintenance().latest, _forecasts().latest, hit_rate(sample)
    return fresh_json(
        {
            "at_s": sample.at_s,
            "started_at_s": monitor.started_at_s,
            "cache": _cache_json(monitor.census().stats),
            "space": _space_json(monitor.stock()),
            "traffic": {name: getattr(sample, name) for name in TRAFFIC},
            "hit_rate": {"plays": rate.plays, "bytes": rate.bytes},
            "encoders": {
                "running": sample.encoders,
                "live": state.live.busy_encoders,
                "live_places": state.settings.max_live,
            },
            "growing": [
                {
                    "name": name_of(growth.rendition.source.path),
                    "quality": growth.rendition.quality,
                    "bytes": growth.size,
                    "of_bytes": growth.rendition.length,
                    "listeners": growth.readers,
                }
                for growth in state.live.growing()
            ],
            "disk": {"free_bytes": disk.free_bytes, "total_bytes": disk.total_bytes},
            "ffmpeg_problem": ffmpeg_problem(),
            "task": task and task.as_json(),
            "forecast": forecast and forecast.as_json(),
        }
    )


@blueprint.get("/history")
def history() -> Response:
    """Send the columns of the charts over a span."""
    span = request.args.get("span", next(iter(SPANS)))
    if span not in SPANS:
        abort(400, f"There is no span {span!r}: choose one of {', '.join(SPANS)}.")
    return fresh_json({"span": span, "columns": _monitor().history.columns(span)})


@blueprint.post("/clear")
def clear() -> Response:
    """Delete the entries that are older than a number of days."""
    days = read_days(read_object().get("older_than_days"))
    if days is None:
        abort(
            400,
            f"older_than_days takes a number of days, more than 0 and at most {_MOST_DAYS}, such "
            "as 30. Nothing was deleted.",
        )
    return _deleted(days)


@blueprint.post("/purge")
def purge() -> Response:
    """Delete every entry, once the word for it was typed."""
    if str(read_object().get("confirm")).strip().lower() != PURGE_WORD:
        abort(400, f"Type the word “{PURGE_WORD}” to delete everything. Nothing was deleted.")
    return _deleted(None)


@blueprint.post("/maintenance/<kind>")
def begin(kind: str) -> Response:
    """Start to verify the cache, to verify and repair it, or to renew what is outdated."""
    if kind not in KINDS:
        abort(404, f"There is no such work: choose one of {', '.join(KINDS)}.")
    try:
        task = _maintenance().begin(kind)
    except BusyError as error:
        abort(409, as_sentence(in_language(error.message)))
    return fresh_json({"task": task.as_json()}, 202)


@blueprint.post("/forecast")
def begin_forecast() -> Response:
    """Start to work out what other sizes of the cache would give; `figures` has the result."""
    return fresh_json({"forecast": _forecasts().begin().as_json()}, 202)


@blueprint.post("/cancel")
def cancel() -> Response:
    """End the work that is under way; say whether there was any."""
    return fresh_json({"cancelled": _maintenance().cancel()})


def read_days(written: object) -> float | None:
    """Return a number of days; None where it is none, or one that nobody can mean."""
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        return None
    try:
        days = float(written)
    except (ValueError, OverflowError):
        return None
    return days if math.isfinite(days) and 0 < days <= _MOST_DAYS else None


def _deleted(older_than_days: float | None) -> Response:
    try:
        task = _maintenance().begin("clear", older_than_days=older_than_days)
    except BusyError as error:
        abort(409, as_sentence(in_language(error.message)))
    task.wait()
    if task.ending != "finished":
        abort(500, task.error)
    deleted = task.found["deleted"]
    current_app.logger.info("%d entries were deleted by the owner", deleted)
    return fresh_json({"deleted": deleted})


def _cache_json(stats: CacheStats) -> dict[str, Any]:
    return {
        "entries": stats.entries,
        "bytes": stats.size_bytes,
        "sources": stats.sources,
        "partials": stats.partials,
        "partial_bytes": stats.partial_bytes,
        "foreign": stats.foreign,
        "foreign_bytes": stats.foreign_bytes,
        "qualities": [
            {
                "quality": quality,
                "entries": each.entries,
                "bytes": each.size_bytes,
                "source_bytes": each.source_bytes,
            }
            for quality, each in stats.qualities.items()
        ],
    }


def _space_json(stock: Stock) -> dict[str, Any]:
    return {
        "cap_bytes": stock.usage.cap_bytes,
        "used_bytes": stock.usage.used_bytes,
        "free_bytes": stock.usage.free_bytes,
        "floor_bytes": stock.usage.floor_bytes,
        "pinned": stock.pinned,
        "pinned_bytes": stock.pinned_bytes,
        "heads": stock.heads,
        "head_bytes": stock.head_bytes,
        "evictions": stock.evictions,
        "evicted_bytes": stock.evicted_bytes,
    }


def _forecasts() -> Forecasts:
    return cast(Forecasts, current_app.extensions["mixtape_forecasts"])


def _monitor() -> Monitor:
    return cast(Monitor, current_app.extensions["mixtape_monitor"])


def _maintenance() -> Maintenance:
    return cast(Maintenance, current_app.extensions["mixtape_maintenance"])
