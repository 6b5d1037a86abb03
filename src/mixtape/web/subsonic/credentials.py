"""Who asks: a device that proves that it knows its key, by any of the ways that players have."""

from __future__ import annotations

from typing import Final

from ...accounts.devices import Devices, KnownDevice
from .arguments import Arguments
from .errors import (
    CONFLICTING_CREDENTIALS,
    MISSING_PARAMETER,
    WRONG_CREDENTIALS,
    WRONG_KEY,
    SubsonicError,
)

_OF_NAMES: Final = ("u", "p", "t", "s")
_ENCODED: Final = "enc:"


def identify(arguments: Arguments, devices: Devices, help_url: str) -> KnownDevice:
    """Return the device that asks.

    By `apiKey`, or by the user's name `u` with the key as the password `p` (also `enc:` and its
    bytes in hexadecimal digits), or with `t`, the MD5 of the key and the salt `s`.

    Raises:
        SubsonicError: 10 for what is missing, 40 or 44 for what is wrong, 43 for several ways at
            once.
    """
    given = [name for name in _OF_NAMES if name in arguments]
    if "apiKey" in arguments:
        if given:
            raise SubsonicError(
                CONFLICTING_CREDENTIALS,
                f"Give apiKey alone: “{given[0]}” belongs to another way of signing in.",
                help_url,
            )
        found = devices.find_by_key(arguments.text("apiKey"))
        if found is None:
            raise SubsonicError(
                WRONG_KEY, "No device has this key, or it was removed: add it again.", help_url
            )
        return found
    name = arguments.text("u")
    if "p" in arguments and ("t" in arguments or "s" in arguments):
        raise SubsonicError(
            CONFLICTING_CREDENTIALS, "Give either p, or t and s, and not both.", help_url
        )
    if "p" in arguments:
        found = devices.find_by_key(_decoded(arguments.text("p")), name)
    elif "t" in arguments or "s" in arguments:
        found = devices.find_by_token(name, arguments.text("t"), arguments.text("s"))
    else:
        raise SubsonicError(
            MISSING_PARAMETER,
            "Nothing proves who asks: give apiKey, or u with either p, or t and s.",
            help_url,
        )
    if found is None:
        raise SubsonicError(
            WRONG_CREDENTIALS,
            "Wrong name or key. Players sign in with the key of a device, not with your password: "
            "add one on the page “Devices”.",
            help_url,
        )
    return found


def _decoded(password: str) -> str:
    if not password.startswith(_ENCODED):
        return password
    try:
        return bytes.fromhex(password.removeprefix(_ENCODED)).decode("utf-8", "replace")
    except ValueError:
        return password
