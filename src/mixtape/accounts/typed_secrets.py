"""Random secrets that somebody reads from one screen and types on another."""

from __future__ import annotations

import secrets
from typing import Final

# Typed with a thumb or a remote control: no letters that are taken for others, 5 bits in each.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz023456789"
_GROUP_LENGTH: Final = 5


def new_secret(groups: int) -> str:
    """Return a secret of some groups of letters and digits, 25 random bits each."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(groups)
    )
