"""The calls that are answered, each with the function that answers it."""

from __future__ import annotations

from typing import Final

from .call import Answerer
from .calls import media, system

CALLS: Final[dict[str, Answerer]] = {
    # Without a device's key: players ask it before they know how to sign in.
    "getOpenSubsonicExtensions": system.get_extensions,
    "ping": system.ping,
    "getLicense": system.get_license,
    "tokenInfo": system.token_info,
    "getUser": system.get_user,
    "getUsers": system.get_users,
    "getScanStatus": system.get_scan_status,
    "startScan": system.start_scan,
    "stream": media.stream,
    "download": media.download,
    "getCoverArt": media.get_cover_art,
}
# These tell nothing of the library or of anybody.
OPEN_CALLS: Final = frozenset({"getOpenSubsonicExtensions"})
