"""Users: who may sign in, as whom, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from ..database.account_tables import ADMIN, User
from ..database.tables import FIRST_USER
from ..database.units_of_work import Database
from ..errors import NotFoundError

MAX_NAME: Final = 60


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


class Users:
    """Keeps the users. There is always the first one, whose password is the setting PASSWORD.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: int = FIRST_USER) -> SavedUser:
        """Return a user by id.

        Raises:
            NotFoundError: there is none; it may have been removed.
        """
        with self._database.read() as session:
            user = session.get(User, user_id)
        if user is None:
            raise NotFoundError("there is no such user")
        return saved_user(user)

    def all(self) -> tuple[SavedUser, ...]:
        """Return all users, the first one first."""
        with self._database.read() as session:
            return tuple(map(saved_user, session.scalars(select(User).order_by(User.id))))

    def find(self, name: str) -> SavedUser | None:
        """Return a user by name, in whatever letters; None where there is none."""
        query = select(User).where(User.name_key == name_key(name))
        with self._database.read() as session:
            user = session.scalars(query).one_or_none()
        return None if user is None else saved_user(user)


def name_key(name: str) -> str:
    """Return a user's name as it is compared: "Ann" and "ann " are the same."""
    return name.strip().casefold()[:MAX_NAME]


def saved_user(user: User) -> SavedUser:
    """Return a row as the value that leaves a unit of work."""
    return SavedUser(user.id, user.name, user.role, user.session_epoch, user.created_at)
