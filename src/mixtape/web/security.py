"""Security headers of every answer, and the host names that are answered at all."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, request
from flask import Response as FlaskResponse
from flask.sessions import SecureCookieSessionInterface
from werkzeug.wrappers import Response

from ..settings import Settings

# No 'unsafe-inline' and no data: anywhere: a title or file name that holds markup can never run.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: the CSRF check of forms over https looks at it.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "autoplay=(self), camera=(), display-capture=(), geolocation=(), "
    "microphone=(), payment=(), usb=()",
    # Without it any page on the web could play our files into an <audio> of its own.
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A year; not for other names of the domain, which are none of ours.
_HSTS: Final = "max-age=31536000"
_POLICY: Final = "mixtape.content_security_policy"
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class SchemeAwareSessions(SecureCookieSessionInterface):
    """Cookie sessions that are marked Secure exactly when the request came over https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Say whether the session cookie is for https alone."""
        return request.is_secure


def _policy_of(app: Flask) -> str:
    """Return the policy of an app.

    The music may come from its bucket where listeners go there, and by its public address where a
    page has been opened by another one.
    """
    places = [app.config["PUBLIC_URL"]]
    if app.extensions["audio_cache"].settings.object_redirect:
        places.append(os.environ.get("AWS_ENDPOINT_URL", "https://*.amazonaws.com"))
    parts = [urlsplit(place) for place in places if place]
    allowed = " ".join(["media-src 'self'", *(f"{part.scheme}://{part.netloc}" for part in parts)])
    return CONTENT_SECURITY_POLICY.replace("media-src 'self'", allowed)


def init_app(app: Flask, settings: Settings) -> None:
    """Add the security headers, cookie rules and, where it is needed, the host check to an app."""
    app.session_interface = SchemeAwareSessions()
    app.config.update(
        SESSION_COOKIE_NAME="mixtape_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.extensions[_POLICY] = _policy_of(app)
    app.after_request(_add_headers)
    if settings.is_loopback and settings.password is None:
        app.before_request(lambda: _refuse_foreign_hosts(LOOPBACK_NAMES | {settings.host}))


def policy_for_frames(sites: str) -> str:
    """Return the policy of a page that other sites may show in a frame; else as strict as any.

    Args:
        sites: which, as a policy names them.
    """
    policy: str = current_app.extensions[_POLICY]
    return policy.replace("frame-ancestors 'none'", f"frame-ancestors {sites}")


def let_receivers_play(response: Response) -> Response:
    """Let a device that plays in place of a page have the music, by an address that is enough.

    The receiver of a Chromecast is a page of another site, which plays without reading: for that
    it needs no more than this.
    """
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def host_name(authority: str) -> str:
    """Return the host of a Host header in lower case, without port and brackets; "" if none."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def _refuse_foreign_hosts(names: frozenset[str]) -> None:
    """Answer only to this machine's own names.

    Listening on loopback does not keep the web out: a page elsewhere can point its own host name
    at 127.0.0.1 (DNS rebinding) and then read from here as from its own server. Its name in the
    Host header gives it away.
    """
    if host_name(request.host) not in names:
        abort(
            400,
            "Without a PASSWORD, mixtape answers only to this machine's own names. "
            "Open it as http://localhost or http://127.0.0.1, with the same port.",
        )


def _add_headers(response: FlaskResponse) -> FlaskResponse:
    response.headers.setdefault("Content-Security-Policy", current_app.extensions[_POLICY])
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", _HSTS)
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
