"""Links that play the whole library on players that cannot sign in; each ends when removed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadSignature, Signer
from sqlalchemy import select

from ..database.account_tables import Device
from ..database.tables import MAX_ID, Track
from ..database.units_of_work import Database
from ..errors import LinkError, NotFoundError
from .devices import hash_of

_SALT: Final = "mixtape.library_link"
_MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class LibraryLink:
    """A link by the id of its device, with what its tokens are signed by beside SECRET_KEY."""

    id: int
    secret: str


class LibraryLinks:
    """Finds the links by the keys in their addresses, and signs the tracks that their lists name.

    A link is a device whose key stands in an address. The key is not in the tokens of the tracks:
    whoever is handed one track plays that alone, and nothing is stored for any.

    Args:
        database: where the devices are, and the tracks.
        secret_key: the application's SECRET_KEY.
    """

    def __init__(self, database: Database, secret_key: str) -> None:
        self._database = database
        self._secret_key = secret_key

    def get(self, key: str) -> LibraryLink:
        """Return the link of a key.

        Raises:
            LinkError: there is none; it may have been removed.
        """
        # Found by its hash, as the keys of other devices are.
        query = select(Device.id, Device.key_hash).where(
            Device.key_hash == hash_of(key), Device.is_link.is_(True)
        )
        with self._database.read() as session:
            row = session.execute(query).one_or_none()
        if row is None:
            raise LinkError("there is no such link")
        return LibraryLink(*row)

    def signing(self, link: LibraryLink) -> Callable[[int], str]:
        """Return what makes the token by which a link plays a track, from the track's id."""
        signer = self._signer(link)
        return lambda track_id: signer.sign(f"{link.id}.{track_id}").decode("ascii")

    def find_track(self, token: str) -> tuple[int, bytes]:
        """Return the id of the link of a token, and the path of its track below the music root.

        Raises:
            LinkError: the link is not there (any more), or never made this token.
            NotFoundError: the track, or its file, is missing.
        """
        digits = token.partition(".")[0]
        is_id = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
        with self._database.read() as session:
            device = session.get(Device, int(digits)) if is_id else None
            if device is None or not device.is_link:
                raise LinkError("there is no such link")
            track_id = self._read(LibraryLink(device.id, device.key_hash), token)
            path = session.scalars(
                select(Track.path).where(Track.id == track_id, Track.missing_since.is_(None))
            ).one_or_none()
        if path is None:
            raise NotFoundError("this track is no longer there")
        return device.id, path

    def _read(self, link: LibraryLink, token: str) -> int:
        try:
            signed = self._signer(link).unsign(token)
        except (BadSignature, UnicodeError) as error:
            raise LinkError("this address is not of the link") from error
        # Only what we signed comes so far: two ids.
        return min(int(signed.partition(b".")[2]), MAX_ID)

    def _signer(self, link: LibraryLink) -> Signer:
        return Signer(
            f"{self._secret_key}:{link.secret}",
            salt=_SALT,
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )
