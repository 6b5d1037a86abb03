"""Addresses that play the library where nobody can sign in: of links, and of users' sessions."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadSignature, Signer
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..database.account_tables import Device
from ..database.tables import MAX_ID, Track
from ..database.units_of_work import Database
from ..errors import LinkError, NotFoundError
from ..messages import Message
from .devices import hash_of

_SALT: Final = "mixtape.library_link"
_MOST_DIGITS: Final = 18
# What the tokens of sessions begin with; those of links begin with a number.
_OF_SESSION: Final = "u"
_DAY_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class LibraryLink:
    """A link by the id of its device, with what its tokens are signed by beside SECRET_KEY."""

    id: int
    secret: str


class LibraryLinks:
    """Finds the links by the keys in their addresses, and signs the tracks that their lists name.

    A link is a device whose key stands in an address. The key is not in the tokens of the tracks:
    whoever is handed one track plays that alone, and nothing is stored for any. A session signs
    tracks in the same way, for a device that plays in its place, and its tokens end with it.

    Args:
        database: where the devices are, and the tracks.
        secret_key: the application's SECRET_KEY.
        clock: the time in seconds since the epoch.
    """

    def __init__(
        self, database: Database, secret_key: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._secret_key = secret_key
        self._clock = clock

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
            raise LinkError(Message("there is no such link"))
        return LibraryLink(*row)

    def signing(self, link: LibraryLink) -> Callable[[int], str]:
        """Return what makes the token by which a link plays a track, from the track's id."""
        signer = self._signer(link.secret)
        return lambda track_id: signer.sign(f"{link.id}.{track_id}").decode("ascii")

    def signing_for_session(self, user_id: int, mark: str) -> Callable[[int], str]:
        """Return what makes the token by which another device plays a track, from the track's id.

        It is good for a day at least and two at most. On one day it is the same for a track, so
        that a browser need not fetch again what it has.

        Args:
            user_id: whose session it is.
            mark: what sessions of the user carry, with which the token ends.
        """
        signer = self._signer(mark)
        ends_on_day = int(self._clock()) // _DAY_S + 2
        start = f"{_OF_SESSION}{user_id}.{ends_on_day}"
        return lambda track_id: signer.sign(f"{start}.{track_id}").decode("ascii")

    def find_track(
        self, token: str, find_mark: Callable[[int], str | None]
    ) -> tuple[int | None, bytes]:
        """Return the id of the link of a token, and the path of its track below the music root.

        The id is None where a session has made the token.

        Args:
            token: from `signing` or `signing_for_session`.
            find_mark: gives what sessions of a user carry; None where there is no such user.

        Raises:
            LinkError: the link or the session is not there (any more), or never made this token.
            NotFoundError: the track, or its file, is missing.
        """
        is_of_session = token.startswith(_OF_SESSION)
        giver_id = _number(token.removeprefix(_OF_SESSION))
        mark = find_mark(giver_id) if is_of_session else None
        with self._database.read() as session:
            secret = mark if is_of_session else _find_key_hash(session, giver_id)
            if secret is None:
                raise LinkError(Message("there is no such link"))
            track_id = self._read(secret, token)
            path = session.scalars(
                select(Track.path).where(Track.id == track_id, Track.missing_since.is_(None))
            ).one_or_none()
        if path is None:
            raise NotFoundError(Message("this track is no longer there"))
        return None if is_of_session else giver_id, path

    def _read(self, secret: str, token: str) -> int:
        try:
            signed = self._signer(secret).unsign(token).decode("ascii")
        except (BadSignature, UnicodeError) as error:
            raise LinkError(Message("this address is not of the link")) from error
        # Only what we signed comes so far.
        words = signed.split(".")
        if signed.startswith(_OF_SESSION) and self._clock() >= int(words[1]) * _DAY_S:
            raise LinkError(Message("this address has ended"))
        return min(int(words[-1]), MAX_ID)

    def _signer(self, secret: str) -> Signer:
        return Signer(
            f"{self._secret_key}:{secret}",
            salt=_SALT,
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )


def _find_key_hash(session: Session, device_id: int) -> str | None:
    device = session.get(Device, device_id)
    return device.key_hash if device is not None and device.is_link else None


def _number(words: str) -> int:
    """Return the number before the first dot; -1, which is no id, where there is none."""
    digits = words.partition(".")[0]
    is_id = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    return int(digits) if is_id else -1
