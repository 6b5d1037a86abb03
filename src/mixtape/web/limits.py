"""Limits on how often a visitor may ask for what can be guessed or is costly."""

from __future__ import annotations

import ipaddress
import logging
from typing import Final

from flask import Flask, request
from flask_limiter import Limiter

SIGN_INS: Final = "5 per minute"
# For all visitors together, who may have any number of addresses: four digits last for a day then.
# More than one address may try, so that nobody alone shuts a link to those who know its password.
LINK_PASSWORDS: Final = "600 per hour"
# Guessing 128 random bits is hopeless at any rate; this keeps those who try from filling the log.
WRONG_LINKS: Final = "60 per minute"
# As hopeless for the keys of devices. A player that was set up wrongly asks again and again.
WRONG_KEYS: Final = "30 per minute"
# Somebody who browses and edits asks some dozens of times a minute, and a page that saves what is
# typed another hundred. What listening takes, covers and progress among it, is not counted.
OTHERS: Final = "600 per minute"
_LISTENING: Final = frozenset(
    {
        *("audio_cache.play", "audio_cache.rendition", "audio_cache.grant"),
        *("audio_cache.progress", "player.stream"),
        *("artwork.picture", "artwork.drawn", "artwork.folder_cover", "player.cover"),
        # Players that copy a library ask by the hundred; wrong keys are counted by themselves.
        "subsonic.call",
        "library_links.stream",
        *("audio_cache.static", "static", "health.healthz", "metrics.metrics"),
    }
)


def init_app(app: Flask) -> None:
    """Limit what one visitor may ask for besides listening; who asks for more gets a 429.

    Visitors of this machine are not counted, as in `crowd.py`.
    """
    limit = make_limiter(app).shared_limit(OTHERS, scope="others")

    @app.before_request
    def count() -> None:
        address = request.remote_addr or "127.0.0.1"
        if request.endpoint not in _LISTENING and not is_of_this_machine(address):
            with limit:
                pass


def make_limiter(app: Flask) -> Limiter:
    """Return a limiter for views of an app, which counts by visitor.

    It counts in this process's memory, or in the Redis that all nodes share; while that is away,
    in memory again.
    """
    shared = app.extensions["audio_cache"].shared
    app.config["RATELIMIT_STORAGE_URI"] = "memory://" if shared is None else shared.url
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = shared is not None
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {} if shared is None else shared.limiter_options
    limiter = Limiter(visitor_address, app=app)
    # It tells of each request beyond a limit, which would fill the log as what is limited would.
    limiter.logger.setLevel(logging.WARNING)
    return limiter


def visitor_address() -> str:
    """Return whom a limit counts: the address, or the IPv6 network that one customer has."""
    return network_of(request.remote_addr or "127.0.0.1")


def network_of(address: str) -> str:
    """Return an address, or the IPv6 network that one customer has."""
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return address if parsed.ipv4_mapped else str(ipaddress.ip_network((parsed, 64), strict=False))


def is_of_this_machine(address: str) -> bool:
    """Say whether a program of this machine asks, which may be a proxy that nobody declared."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return True  # a socket of this machine's file system
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)
