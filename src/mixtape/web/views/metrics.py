"""The figures for Prometheus."""

from __future__ import annotations

import hmac

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from ...admin.monitor import Monitor
from ...admin.prometheus import make_registry
from ...settings import Settings
from ..errors import error_response
from ..visitors import is_admin

blueprint = Blueprint("metrics", __name__)


def init_app(app: Flask, monitor: Monitor, settings: Settings) -> None:
    """Add /metrics to an app; with a password, it takes a session or METRICS_TOKEN."""
    app.extensions["mixtape_metrics"] = make_registry(monitor)
    if settings.metrics_token is not None:
        app.config["METRICS_TOKEN"] = settings.metrics_token.get_secret_value()
    app.register_blueprint(blueprint)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Send every metric, in the format that the client accepts."""
    if not is_admin() and not _has_token():
        refusal = error_response(
            401, "Metrics need METRICS_TOKEN as a bearer token, or an admin who is signed in."
        )
        refusal.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refusal
    registry: CollectorRegistry = current_app.extensions["mixtape_metrics"]
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    response = Response(encode(registry), content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    return response


def _has_token() -> bool:
    # Being on the same machine is no pass: behind a reverse proxy everybody seems to be.
    expected = current_app.config.get("METRICS_TOKEN")
    given = request.authorization
    if expected is None or given is None or given.type != "bearer":
        return False
    return hmac.compare_digest((given.token or "").encode(), str(expected).encode())
