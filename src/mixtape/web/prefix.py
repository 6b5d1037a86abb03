"""A site below a path of its host, such as https://example.org/music/."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def init_app(app: Flask, public_url: str) -> None:
    """Let an app live below the path of its public address; without one it is left as it is."""
    prefix = unquote(urlsplit(public_url).path).rstrip("/")
    if prefix:
        app.config["SESSION_COOKIE_PATH"] = f"{urlsplit(public_url).path.rstrip('/')}/"
        app.wsgi_app = BelowPath(app.wsgi_app, prefix)  # type: ignore[method-assign]


class BelowPath:
    """A WSGI application at a path, whether the proxy in front passes that on or takes it off.

    Args:
        application: what answers.
        prefix: the path, without a slash at its end.
    """

    def __init__(self, application: WSGIApplication, prefix: str) -> None:
        self._application = application
        self._prefix = prefix
        # As WSGI has paths: bytes, each a character of Latin-1 (PEP 3333).
        self._raw = prefix.encode().decode("latin-1")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application below the path."""
        path = environ.get("PATH_INFO", "")
        if path == self._raw or path.startswith(f"{self._raw}/"):
            environ["PATH_INFO"] = path[len(self._raw) :] or "/"
        before = environ.get("SCRIPT_NAME", "")
        environ["SCRIPT_NAME"] = before if before.endswith(self._raw) else before + self._raw
        return self._application(environ, start_response)
