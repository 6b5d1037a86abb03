"""Devices: players that ask for a user's music with a key of their own, never with a password."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from ..database.account_tables import Device, User
from ..database.tables import MAX_ID
from ..database.units_of_work import Database
from ..errors import InvalidAccountError, NotFoundError
from ..files.tags import clean_text
from ..messages import Message
from .sealing import Sealer
from .typed_secrets import new_secret
from .users import SavedUser, name_key, saved_user

MAX_DEVICES: Final = 50
# So many keys are opened for each token, whether there are any or not.
MAX_RECOVERABLE: Final = 20
MAX_NAME: Final = 60
_GROUPS: Final = 5
_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SavedDevice:
    """A device as its user sees it.

    Args:
        client: what the player calls itself; "" before its first request.
        is_recoverable: whether its key is stored so that it can be told again.
        is_link: whether it is an address that plays the library, see `library_links.py`.
        last_used_at: to the minute; None before its first request.
    """

    id: int
    name: str
    client: str
    is_recoverable: bool
    is_link: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device that has proved that it knows a key, and whose it is."""

    id: int
    user: SavedUser


@dataclass(frozen=True, slots=True)
class _Use:
    """That a player used a device."""

    client: str
    at: datetime

    def says_nothing_new(self, last: _Use) -> bool:
        """Say whether it need not be noted, after the last one that was."""
        return last.client == self.client and self.at - last.at < _NOTED_EVERY


class Devices:
    """Keeps the devices and their keys: 125 random bits in groups of letters and digits.

    Of a key its SHA-256 is kept, which is enough for random bits. Only where a player has to prove
    by a token that it knows the key (Subsonic's `t` and `s`) the key itself is kept as well,
    encrypted, since the server has to make the same token.

    Args:
        database: where they are.
        sealer: encrypts the keys that have to be told again.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._now = now
        # As far as this process knows them, so that most requests look nothing up for it.
        self._last_uses: dict[int, _Use] = {}
        # What is opened and compared where there is no key, so that this takes as long.
        self._nobodys_key = new_secret(_GROUPS)
        self._sealed_nobodys_key = sealer.seal(self._nobodys_key)

    def add(
        self, user_id: int, name: str, *, is_recoverable: bool, is_link: bool = False
    ) -> tuple[SavedDevice, str]:
        """Store a device with a new key, and return both; the key is never shown again.

        Args:
            name: which it is, in the user's words.
            is_recoverable: whether players may use it that send a token in place of the key.
            is_link: whether the key is for an address, and good for nothing else.

        Raises:
            InvalidAccountError: it has no name, or the user has MAX_DEVICES already, or
                MAX_RECOVERABLE that are recoverable.
            NotFoundError: there is no such user.
        """
        name = clean_text(name)[:MAX_NAME]
        if not name:
            raise InvalidAccountError(
                Message(
                    "a device needs a name, such as “Phone”: it tells which one to remove later"
                )
            )
        key = new_secret(_GROUPS)
        device = Device(
            user_id=user_id,
            name=name,
            key_hash=hash_of(key),
            sealed_key=self._sealer.seal(key) if is_recoverable else None,
            is_link=is_link,
            created_at=self._now(),
        )
        with self._database.write() as session:
            if session.get(User, user_id) is None:
                raise NotFoundError(Message("there is no such user"))
            check_room(session, user_id, [is_recoverable])
            session.add(device)
            session.flush()
            return _saved(device), key

    def of(self, user_id: int) -> tuple[SavedDevice, ...]:
        """Return the devices of a user, the oldest first."""
        query = select(Device).where(Device.user_id == user_id).order_by(Device.id)
        with self._database.read() as session:
            return tuple(_saved(device) for device in session.scalars(query))

    def that_are_there(self, device_ids: Collection[int]) -> set[int]:
        """Return those of some devices, of whichever user, that were not removed."""
        query = select(Device.id).where(Device.id.in_(device_ids))
        with self._database.read() as session:
            return set(session.scalars(query))

    def remove(self, user_id: int, device_id: int) -> None:
        """Remove a device of a user; its key is good for nothing from now on.

        Raises:
            NotFoundError: the user has no such device.
        """
        chosen = Device.user_id == user_id, Device.id == min(device_id, MAX_ID)
        with self._database.write() as session:
            gone = session.execute(delete(Device).where(*chosen).returning(Device.id))
            if gone.one_or_none() is None:
                raise NotFoundError(Message("there is no such device"))

    def remove_all(self, user_id: int) -> tuple[int, ...]:
        """Remove all devices and links of a user, and return their ids."""
        gone = delete(Device).where(Device.user_id == user_id).returning(Device.id)
        with self._database.write() as session:
            return tuple(session.scalars(gone).all())

    def find_by_key(self, key: str, user_name: str | None = None) -> KnownDevice | None:
        """Return the device of a key; None where there is none, or it is that of a link.

        Args:
            user_name: whose it has to be; None for anybody's.
        """
        # Found by its hash, so that how long it takes tells nothing of the keys that there are.
        query = select(Device.id, User).join(User)
        query = query.where(Device.key_hash == hash_of(key), Device.is_link.is_(False))
        if user_name is not None:
            query = query.where(User.name_key == name_key(user_name))
        with self._database.read() as session:
            row = session.execute(query).one_or_none()
        return None if row is None else KnownDevice(row[0], saved_user(row[1]))

    def find_by_token(self, user_name: str, token: str, salt: str) -> KnownDevice | None:
        """Return the device of a user whose key makes a token: MD5 of the key and the salt.

        As the Subsonic API has it since 1.13. MAX_RECOVERABLE keys are opened and compared, whether
        there is such a user or not, however many devices there are, and whichever is right.
        """
        query = select(Device.id, Device.sealed_key).join(User)
        query = query.where(User.name_key == name_key(user_name), Device.sealed_key.is_not(None))
        with self._database.read() as session:
            rows = [(device_id, sealed or b"") for device_id, sealed in session.execute(query)]
            found_id = self._find_id(rows, token, salt)
            if not found_id:
                return None
            user = session.scalars(select(User).join(Device).where(Device.id == found_id)).one()
            return KnownDevice(found_id, saved_user(user))

    def _find_id(self, rows: list[tuple[int, bytes]], token: str, salt: str) -> int:
        """Return the id of the device whose key makes a token; 0 for none."""
        rows += [(0, self._sealed_nobodys_key)] * (MAX_RECOVERABLE - len(rows))
        found_id = 0
        for device_id, sealed in rows:
            key = self._sealer.open(sealed)
            if _is_token(token, key or self._nobodys_key, salt) and key is not None:
                found_id = device_id
        return found_id

    def note_use(self, device_id: int, client: str) -> None:
        """Keep that a device was used now, by a player that calls itself so; once a minute."""
        use = _Use(clean_text(client)[:MAX_NAME], self._now())
        known = self._last_uses.get(device_id)
        if known is not None and use.says_nothing_new(known):
            return
        with self._database.read() as session:
            device = session.get(Device, device_id)
        if device is None:
            return
        # Another process may have noted one.
        at = device.last_used_at
        last = None if at is None else _Use(device.client, at)
        if last is None or not use.says_nothing_new(last):
            values = {"last_used_at": use.at, "client": use.client}
            with self._database.write() as session:
                session.execute(update(Device).where(Device.id == device_id).values(values))
            last = use
        self._last_uses[device_id] = last


def hash_of(key: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def check_room(session: Session, user_id: int, are_recoverable: Sequence[bool]) -> None:
    """Refuse devices that would be too many for a user, within a unit of work.

    Args:
        are_recoverable: for each of them, whether its key is stored so that it can be told again.

    Raises:
        InvalidAccountError: they are.
    """
    count = select(func.count(), func.count(Device.sealed_key)).where(Device.user_id == user_id)
    there, recoverable = session.execute(count).one()
    if there + len(are_recoverable) > MAX_DEVICES:
        raise InvalidAccountError(
            Message(
                "more than %(most)s devices cannot be added for one user: remove one first",
                most=MAX_DEVICES,
            )
        )
    if any(are_recoverable) and recoverable + sum(are_recoverable) > MAX_RECOVERABLE:
        raise InvalidAccountError(
            Message(
                "more than %(most)s devices that work with every app cannot be added for one user: "
                "remove one first, or add it for apps with API keys",
                most=MAX_RECOVERABLE,
            )
        )


def _is_token(token: str, key: str, salt: str) -> bool:
    whole = (key + salt).encode("utf-8", "replace")
    made = hashlib.md5(whole, usedforsecurity=False).hexdigest()
    return hmac.compare_digest(made.encode(), token.lower().encode("utf-8", "replace"))


def _saved(device: Device) -> SavedDevice:
    return SavedDevice(
        id=device.id,
        name=device.name,
        client=device.client,
        is_recoverable=device.sealed_key is not None,
        is_link=device.is_link,
        created_at=device.created_at,
        last_used_at=device.last_used_at,
    )
