"""Refusals as the Subsonic API has them: a code that players know, and words for people."""

from __future__ import annotations

from typing import Final

FAILED: Final = 0
MISSING_PARAMETER: Final = 10
CLIENT_TOO_OLD: Final = 20
SERVER_TOO_OLD: Final = 30
WRONG_CREDENTIALS: Final = 40
NOT_SUPPORTED_CREDENTIALS: Final = 42
CONFLICTING_CREDENTIALS: Final = 43
WRONG_KEY: Final = 44
NOT_ALLOWED: Final = 50
NOT_FOUND: Final = 70


class SubsonicError(Exception):
    """A call is refused.

    Args:
        code: one of those above.
        message: for whoever uses the player.
        help_url: of a page that says more; "" for none.
    """

    def __init__(self, code: int, message: str, help_url: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help_url = help_url
        # What HTTP has for the same; few calls say it.
        self.status = 404 if code == NOT_FOUND else 400
