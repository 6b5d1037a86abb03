"""Limits on how often a visitor may ask for what can be guessed or is costly."""

from __future__ import annotations

import ipaddress
from typing import Final

from flask import Flask, request
from flask_limiter import Limiter

SIGN_INS: Final = "5 per minute"
# Guessing 128 random bits is hopeless at any rate; this keeps those who try from filling the log.
WRONG_LINKS: Final = "60 per minute"


def make_limiter(app: Flask) -> Limiter:
    """Return a limiter for views of an app, which counts by visitor, in this process's memory."""
    app.config["RATELIMIT_STORAGE_URI"] = "memory://"
    return Limiter(visitor_address, app=app)


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
