"""Users: who may sign in, as whom, and what they may do."""

from __future__ import annotations

import secrets
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..database.account_tables import ADMIN, LISTENER, Device, User
from ..database.tables import FIRST_USER, MAX_ID, Draft, Mixtape
from ..database.units_of_work import Database
from ..errors import InvalidAccountError, NotFoundError
from ..files.tags import clean_text
from ..messages import Message
from .passwords import hash_strong, is_password

MAX_NAME: Final = 60
MAX_USERS: Final = 1_000
ROLES: Final = (ADMIN, LISTENER)
# What browsers keep PASSWORD under while nobody is asked for a name: always the first user.
FIRST_SIGN_IN: Final = "mixtape"
# Of what somebody sends as a name no more is compared: marks over one letter are put in order in
# the square of their number, by one call that lets nobody else go on.
_MOST_COMPARED: Final = 4 * MAX_NAME
# How long another process may not notice that a user has changed; this one does at once.
_KNOWN_FOR_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SavedUser:
    """A user as stored.

    Args:
        role: "admin", who may do everything, or "listener".
        session_epoch: changes where all sessions of the user end.
    """

    id: int
    name: str
    role: str
    session_epoch: str
    created_at: datetime

    @property
    def is_admin(self) -> bool:
        """Say whether the user may do everything."""
        return self.role == ADMIN

    @property
    def is_first(self) -> bool:
        """Say whether it is the one who signs in with PASSWORD."""
        return self.id == FIRST_USER


@dataclass(frozen=True, slots=True)
class Belongings:
    """How much a user has: mixtapes, drafts of mixtapes that were never saved, devices."""

    mixtapes: int = 0
    drafts: int = 0
    devices: int = 0


class Users:
    """Keeps the users. There is always the first one, whose password is the setting PASSWORD.

    Args:
        database: where they are.
        now: the clock.
        tick: the clock that says how old what is remembered is, in seconds.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._now = now
        self._tick = tick
        self._known: dict[int, tuple[float, SavedUser]] = {}
        self._changes = 0

    def get(self, user_id: int = FIRST_USER) -> SavedUser:
        """Return a user by id.

        Raises:
            NotFoundError: there is none; it may have been removed.
        """
        with self._database.read() as session:
            return saved_user(_get(session, user_id))

    def find_known(self, user_id: int) -> SavedUser | None:
        """Return a user as of a second ago at most, which costs no query; None where there is none.

        For what is asked with every request. What this process changes is known at once.
        """
        known, now, changes = self._known.get(user_id), self._tick(), self._changes
        if known is not None and now < known[0] + _KNOWN_FOR_S:
            return known[1]
        try:
            user = self.get(user_id)
        except NotFoundError:
            return None
        # What was read before a change is not remembered beyond it.
        if changes == self._changes:
            self._known[user_id] = now, user
        return user

    def all(self) -> tuple[SavedUser, ...]:
        """Return all users, the first one first."""
        with self._database.read() as session:
            return tuple(map(saved_user, session.scalars(select(User).order_by(User.id))))

    def belongings(self) -> Mapping[int, Belongings]:
        """Return how much each user has, by their ids; what it is, is nobody else's business."""
        with self._database.read() as session:
            user_ids = session.scalars(select(User.id)).all()
            mixtapes = _counted(session, Mixtape.user_id)
            drafts = _counted(session, Draft.user_id, Draft.mixtape_id.is_(None))
            devices = _counted(session, Device.user_id)
        return {
            one: Belongings(mixtapes.get(one, 0), drafts.get(one, 0), devices.get(one, 0))
            for one in user_ids
        }

    def has_others(self) -> bool:
        """Say whether there is anybody but the first user."""
        others = select(User.id).where(User.id != FIRST_USER).limit(1)
        with self._database.read() as session:
            return session.scalar(others) is not None

    def find(self, name: str) -> SavedUser | None:
        """Return a user by name, in whatever letters; None where there is none."""
        with self._database.read() as session:
            user = _find(session, name)
        return None if user is None else saved_user(user)

    def find_by_password(self, name: str, password: str) -> SavedUser | None:
        """Return the user of a name and a password; None where either is wrong.

        It takes as long whether there is such a user or not. The first one has no password here.
        """
        with self._database.read() as session:
            user = _find(session, name)
        stored = None if user is None else user.password_hash
        is_right = is_password(password, stored)
        return saved_user(user) if is_right and user is not None else None

    def is_password_of(self, user_id: int, password: str) -> bool:
        """Say whether a password is that of a user; never for the first one."""
        with self._database.read() as session:
            user = session.get(User, user_id)
        return is_password(password, None if user is None else user.password_hash)

    def add(self, name: str, role: str, password: str) -> SavedUser:
        """Store a new user.

        Raises:
            InvalidAccountError: the name is taken or none, there is no such role, the password
                would be guessed soon, or there are MAX_USERS already.
        """
        password_hash = hash_strong(password)
        with self._changing(name) as session:
            return add_user(session, name, role, password_hash, self._now())

    def rename(self, user_id: int, name: str) -> SavedUser:
        """Give a user another name.

        Raises:
            NotFoundError: there is no such user.
            InvalidAccountError: the name is taken, or none.
        """
        with self._changing(name) as session:
            user = _get(session, user_id)
            for column, value in _named(session, name, user_id).items():
                setattr(user, column, value)
            session.flush()
            return saved_user(user)

    def set_role(self, user_id: int, role: str) -> SavedUser:
        """Let a user do what a role may, which ends all sessions of the user if it is another one.

        Raises:
            NotFoundError: there is no such user.
            InvalidAccountError: there is no such role, or it is the first user, always an admin.
        """
        with self._changing() as session:
            user = _get(session, user_id)
            if user_id == FIRST_USER and role != ADMIN:
                raise InvalidAccountError(
                    Message("“%(name)s” signs in with PASSWORD: always an admin", name=user.name)
                )
            if user.role != _checked_role(role):
                user.role, user.session_epoch = role, _new_epoch()
            return saved_user(user)

    def set_password(self, user_id: int, password: str) -> SavedUser:
        """Give a user another password, which ends all sessions of the user.

        Raises:
            NotFoundError: there is no such user.
            InvalidAccountError: it would be guessed soon, or it is the first user's: PASSWORD.
        """
        password_hash = hash_strong(password)
        with self._changing() as session:
            user = _get(session, user_id)
            if user_id == FIRST_USER:
                raise InvalidAccountError(
                    Message(
                        "the password of “%(name)s” is the setting PASSWORD: change it there "
                        "and start the server again",
                        name=user.name,
                    )
                )
            user.password_hash, user.session_epoch = password_hash, _new_epoch()
            return saved_user(user)

    def end_sessions(self, user_id: int) -> None:
        """End all sessions of a user, on all hosts that have this database."""
        with self._changing() as session:
            chosen = update(User).where(User.id == user_id)
            session.execute(chosen.values(session_epoch=_new_epoch()))

    def remove(self, user_id: int, heir_id: int | None) -> SavedUser:
        """Remove a user with all devices, stars, plays and the like; return who it was.

        Args:
            heir_id: who gets the mixtapes and drafts; None deletes them.

        Raises:
            NotFoundError: there is no such user, or no such heir.
            InvalidAccountError: it is the first user, who stays.
        """
        with self._changing() as session:
            user = _get(session, user_id)
            if user_id == FIRST_USER:
                raise InvalidAccountError(
                    Message("“%(name)s” signs in with PASSWORD and stays", name=user.name)
                )
            if heir_id is not None and _get(session, heir_id) is user:
                raise InvalidAccountError(Message("nobody inherits from themselves"))
            for table in (Draft, Mixtape):
                theirs = table.user_id == user_id
                session.execute(
                    delete(table).where(theirs)
                    if heir_id is None
                    else update(table).where(theirs).values(user_id=heir_id)
                )
            session.delete(user)
            return saved_user(user)

    @contextmanager
    def _changing(self, name: str = "") -> Iterator[Session]:
        """Give a unit of work that changes users, who are looked up anew after it."""
        try:
            with self._database.write() as session:
                yield session
        except IntegrityError as error:  # another host was first
            raise _taken(name) from error
        finally:
            self._changes += 1
            self._known.clear()


def name_key(name: str) -> str:
    """Return a user's name as it is compared: "Ann" and "ann " are the same.

    So is what keyboards and systems write in one way or another and people cannot tell apart: an
    accent by itself or with its letter, letters of full width (NFKC, Unicode Standard Annex 15).
    """
    some = name[:_MOST_COMPARED]
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", some).casefold())
    return " ".join(folded.split())[:MAX_NAME]


def add_user(
    session: Session, name: str, role: str, password_hash: str | None, created_at: datetime
) -> SavedUser:
    """Store a new user within a unit of work.

    Args:
        password_hash: from `passwords.hash_of`; with None nobody can sign in.

    Raises:
        InvalidAccountError: the name is taken or none, there is no such role, or there are
            MAX_USERS already.
    """
    if len(session.scalars(select(User.id)).all()) >= MAX_USERS:
        raise InvalidAccountError(
            Message("there are %(most)s users, and no more are kept", most=MAX_USERS)
        )
    user = User(
        **_named(session, name),
        role=_checked_role(role),
        password_hash=password_hash,
        session_epoch=_new_epoch(),
        created_at=created_at,
    )
    session.add(user)
    session.flush()
    return saved_user(user)


def lock_user(session: Session, user_id: int) -> None:
    """Let nobody else change what is this user's until the end of a unit of work."""
    # SQLite has one writer anyway.
    session.execute(select(User.id).where(User.id == user_id).with_for_update())


def saved_user(user: User) -> SavedUser:
    """Return a row as the value that leaves a unit of work."""
    return SavedUser(user.id, user.name, user.role, user.session_epoch, user.created_at)


def _get(session: Session, user_id: int) -> User:
    user = session.get(User, user_id) if 0 < user_id <= MAX_ID else None
    if user is None:
        raise NotFoundError(Message("there is no such user"))
    return user


def _find(session: Session, name: str) -> User | None:
    return session.scalars(select(User).where(User.name_key == name_key(name))).one_or_none()


def _counted(
    session: Session, owner: InstrumentedAttribute[int], *which: ColumnElement[bool]
) -> dict[int, int]:
    query = select(owner, func.count()).where(*which).group_by(owner)
    return dict(session.execute(query).all())


def _named(session: Session, name: str, user_id: int | None = None) -> dict[str, str]:
    """Return the columns of a name that is free, or the user's already."""
    name = clean_text(name)
    if not name:
        raise InvalidAccountError(Message("a user needs a name, to sign in with"))
    if len(name) > MAX_NAME:
        raise InvalidAccountError(
            Message("the name is longer than %(most)s characters", most=MAX_NAME)
        )
    key = name_key(name)
    found = _find(session, name)
    is_anothers = found is not None and found.id != user_id
    if is_anothers or (key == FIRST_SIGN_IN and user_id != FIRST_USER):
        raise _taken(name)
    return {"name": name, "name_key": key}


def _taken(name: str) -> InvalidAccountError:
    return InvalidAccountError(
        Message("somebody is called “%(name)s” already: choose another name", name=clean_text(name))
    )


def _checked_role(role: str) -> str:
    if role not in ROLES:
        raise InvalidAccountError(
            Message(
                "there is no role %(role)s: choose one of admin, listener", role=repr(role[:60])
            )
        )
    return role


def _new_epoch() -> str:
    return secrets.token_hex(16)
