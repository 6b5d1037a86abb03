"""Secrets that must be told again, encrypted by the key of the site."""

from __future__ import annotations

import base64
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE: Final = b"mixtape: secrets of accounts"


class Sealer:
    """Encrypts secrets for the database, so that whoever has a copy of that alone has none.

    Args:
        secret_key: the SECRET_KEY of the site; with another one nothing can be opened.
    """

    def __init__(self, secret_key: str) -> None:
        # Fernet takes 32 bytes; SECRET_KEY is a text of any length (HKDF, RFC 5869).
        derived = HKDF(SHA256(), 32, None, _PURPOSE).derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, secret: str) -> bytes:
        """Return a secret as it may be stored."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str | None:
        """Return a stored secret; None where it was sealed with another key, or is damaged."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            return None
