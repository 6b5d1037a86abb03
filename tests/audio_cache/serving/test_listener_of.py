from __future__ import annotations

from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request, Response

from audio_cache.serving.ranges import listener_of


def asked_by(forwarded: str, *, proxies: int = 0) -> str:
    """Return who an application behind so many declared proxies takes a request to be from."""

    def tell(environ, start_response):  # type: ignore[no-untyped-def]
        return Response(listener_of(Request(environ)))(environ, start_response)

    app = ProxyFix(tell, x_for=proxies) if proxies else tell
    headers = {"X-Forwarded-For": forwarded, "User-Agent": "player"}
    base = {"REMOTE_ADDR": "192.0.2.1"}
    environ = EnvironBuilder(headers=headers, environ_base=base).get_environ()
    body, _, _ = run_wsgi_app(app, environ)
    return b"".join(body).decode()


def test_who_makes_up_addresses_stays_one_listener() -> None:
    assert asked_by("198.51.100.1") == asked_by("198.51.100.2") == "192.0.2.1 player"


def test_listeners_behind_a_declared_proxy_are_told_apart() -> None:
    assert asked_by("198.51.100.1", proxies=1) == "198.51.100.1 player"
    assert asked_by("198.51.100.9, 198.51.100.2", proxies=1) == "198.51.100.2 player"
