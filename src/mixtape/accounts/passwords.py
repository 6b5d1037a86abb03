"""Passwords that people choose: what they have to be, and how they are kept and compared."""

from __future__ import annotations

import re
import secrets
from functools import cache
from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

from ..errors import InvalidAccountError
from ..files.tags import without_surrogates
from ..messages import Message
from ..weak_secrets import find_weakness
from .typed_secrets import new_secret

MAX_PASSWORD: Final = 200
# 32 MB and a twentieth of a second. Said here, so that hashes stay of one form.
_HASH_METHOD: Final = "scrypt:32768:8:1"
_SALT_CHARACTERS: Final = 16
_HASH: Final = re.compile(rf"{_HASH_METHOD}\$[A-Za-z0-9]{{{_SALT_CHARACTERS}}}\$[0-9a-f]{{128}}")
_GROUPS: Final = 4


def hash_of(password: str) -> str:
    """Return what is kept of a password, which takes about a twentieth of a second."""
    # Half an emoji, which JSON can hold, has no bytes to hash.
    return generate_password_hash(without_surrogates(password), _HASH_METHOD, _SALT_CHARACTERS)


def is_password_hash(text: str) -> bool:
    """Say whether a text is a hash as it is made here; another may take any time to compare."""
    return _HASH.fullmatch(text) is not None


def is_password(password: str, stored: str | None) -> bool:
    """Say whether a password is the one that was kept; takes as long where none was."""
    # One that is longer than any is wrong, and cut so that it takes no longer.
    given = without_surrogates(password[: MAX_PASSWORD + 1])
    is_right = check_password_hash(stored or _nobodys_hash(), given)
    return is_right and stored is not None


def hash_strong(password: str) -> str:
    """Return what is kept of the password of a user, who may do more than listen to one mixtape.

    Raises:
        InvalidAccountError: it would be guessed soon, as PASSWORD may not be either, or is longer
            than any.
    """
    weakness = find_weakness(password)
    if weakness is not None:
        raise InvalidAccountError(
            Message(
                "the password %(weakness)s: take a longer one, such as four words",
                weakness=weakness,
            )
        )
    if len(password) > MAX_PASSWORD:
        raise InvalidAccountError(
            Message("the password is longer than %(most)s characters", most=MAX_PASSWORD)
        )
    return hash_of(password)


def new_password() -> str:
    """Return a random password, for somebody who may choose another."""
    return new_secret(_GROUPS)


@cache
def _nobodys_hash() -> str:
    return hash_of(secrets.token_hex(16))
