"""Addresses of renditions by their ids, signed, so that whoever holds one needs nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

KEY_FILE: Final = ".signing_key"
_PURPOSE: Final = b"audio-cache: addresses of renditions"
_LEAST_CHARACTERS: Final = 32
# Later than any year that people write, and short enough for all arithmetic.
_MOST_DIGITS: Final = 11
_MOST_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Grant:
    """What a good signature grants: `is_shared` allows caches between us and listeners to keep it.

    Whether it does is in the signature itself, so nobody can turn a private address into another.
    """

    is_shared: bool


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs addresses by HMAC-SHA256.

    Args:
        key: the secret.
        clock: the time in seconds since the epoch.
    """

    key: bytes = field(repr=False)
    clock: Callable[[], float] = time.time
    # What good addresses grant, and until when: a player asks by the same one for each part.
    _granted: dict[tuple[str, str, str], tuple[Grant, int]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of_secret(cls, secret: str | bytes) -> Signer:
        """Return a signer whose key is of a secret that serves other purposes too."""
        data = secret.encode() if isinstance(secret, str) else secret
        return cls(hmac.digest(data, _PURPOSE, hashlib.sha256))

    def sign(self, object_id: str, expires_at_s: int, *, shared: bool) -> str:
        """Return the signature of an address.

        Args:
            object_id: of the rendition.
            expires_at_s: when it ends, in seconds since the epoch.
            shared: allow proxies to keep the answer, for as long as they like.
        """
        scope = "shared" if shared else "private"
        text = f"{scope} {object_id} {expires_at_s}".encode()
        digest = hmac.digest(self.key, text, hashlib.sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def find_grant(self, object_id: str, expires_at: str, signature: str) -> Grant | None:
        """Return what an address grants; None where it is wrong or over.

        Args:
            object_id, expires_at, signature: as they stand in the address.
        """
        address = object_id, expires_at, signature
        found = self._granted.get(address)
        if found is None:
            found = self._check(*address)
            if found is None:
                return None
            if len(self._granted) >= _MOST_REMEMBERED:
                self._granted.clear()
            self._granted[address] = found
        return found[0] if self.clock() < found[1] else None

    def _check(self, object_id: str, expires_at: str, signature: str) -> tuple[Grant, int] | None:
        """Return what an address grants and until when; None where its signature is wrong."""
        is_number = expires_at.isascii() and expires_at.isdigit()
        if not is_number or len(expires_at) > _MOST_DIGITS:
            return None
        expires_at_s = int(expires_at)
        given = signature.encode("utf-8", "replace")
        matches = {
            shared: hmac.compare_digest(
                self.sign(object_id, expires_at_s, shared=shared).encode("ascii"), given
            )
            for shared in (True, False)
        }
        if str(expires_at_s) != expires_at or not any(matches.values()):
            return None
        return Grant(matches[True]), expires_at_s


def read_key(directory: Path) -> str:
    """Return the key that a directory keeps, made on first use for its owner alone.

    Raises:
        OSError: it cannot be read, or not be made.
        ValueError: somebody has shortened it.
    """
    path = directory / KEY_FILE
    if not path.exists():
        _write_key(path)
    key = path.read_text("ascii").strip()
    if len(key) < _LEAST_CHARACTERS:
        raise ValueError(f"{path} holds no usable key: delete it, and a new one is made")
    return key


def _write_key(path: Path) -> None:
    # link, unlike replace, fails where another process was first: both then read the same key.
    handle, temporary = tempfile.mkstemp(prefix=f"{KEY_FILE}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
