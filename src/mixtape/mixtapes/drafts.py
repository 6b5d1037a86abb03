"""Drafts: what somebody is editing, kept with every change, so that nothing typed is lost."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from ..database.tables import FIRST_USER, Draft, Mixtape
from ..database.units_of_work import Database
from ..errors import ConflictError, InvalidMixtapeError, NotFoundError
from ..messages import Message
from .share_links import get_mixtape

# A note on each of many tracks, in JSON, where a letter may take six bytes.
MAX_STATE_BYTES: Final = 1024 * 1024
ABANDONED_AFTER: Final = timedelta(days=7)
_KEY_BYTES: Final = 16
_KEY: Final = re.compile("[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A draft as it is stored.

    Args:
        key: names it.
        slug: the mixtape that it will change; None for a new one.
        base_revision: the mixtape's revision that it started from, for `Mixtapes.save`.
        state: what the editor wrote; empty before its first autosave.
        revision: for the next autosave; 0 before the first.
    """

    key: str
    slug: str | None
    base_revision: int
    state: dict[str, Any]
    revision: int
    updated_at: datetime


class Drafts:
    """Keeps the drafts: one for each mixtape, and any number for mixtapes that are to be.

    Args:
        database: where they are.
        now: the clock.
        user_id: whose there are; None for everybody's, and new ones are the first user's then.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        user_id: int | None = None,
    ) -> None:
        self._database = database
        self._now = now
        self._user_id = user_id

    def for_user(self, user_id: int) -> Drafts:
        """Return the same for the drafts of one user: there are no others."""
        return Drafts(self._database, self._now, user_id)

    def of(self, slug: str) -> SavedDraft | None:
        """Return the draft of a mixtape, None where nobody has begun one.

        Raises:
            NotFoundError: there is no such mixtape.
        """
        with self._database.read() as session:
            return _find_of(session, get_mixtape(session, slug, self._user_id))

    def begin(self, slug: str | None = None, base_revision: int | None = None) -> SavedDraft:
        """Return the draft of a mixtape, which is a fresh one where there is none yet.

        Args:
            slug: of the mixtape; None begins a draft of a new one.
            base_revision: of the mixtape that a fresh one goes on from; None for what it has now.

        Raises:
            NotFoundError: there is no such mixtape.
        """
        with self._database.write() as session:
            mixtape = get_mixtape(session, slug, self._user_id) if slug is not None else None
            if mixtape is not None:
                found = _find_of(session, mixtape)
                if found is not None:
                    return found
                if base_revision is None:
                    base_revision = mixtape.revision
            # What was begun and never written to.
            abandoned = Draft.revision == 0, Draft.updated_at < self._now() - ABANDONED_AFTER
            session.execute(delete(Draft).where(*abandoned))
            draft = Draft(
                key=secrets.token_urlsafe(_KEY_BYTES),
                mixtape_id=mixtape and mixtape.id,
                base_revision=base_revision or 0,
                user_id=self._user_id or FIRST_USER,
                state={},
                revision=0,
                updated_at=self._now(),
            )
            session.add(draft)
            session.flush()
            return self._get(session, draft.key)

    def get(self, key: str) -> SavedDraft:
        """Return a draft.

        Raises:
            NotFoundError: there is none: it was saved as a mixtape, or discarded.
        """
        with self._database.read() as session:
            return self._get(session, key)

    def save(self, key: str, state: dict[str, Any], *, revision: int) -> SavedDraft:
        """Keep what the editor has now.

        Args:
            revision: of the draft that the editor has; the one returned is for the next time.

        Raises:
            NotFoundError: there is no such draft.
            ConflictError: another page saved in between; nothing is stored.
            InvalidMixtapeError: the state is not JSON, or too large.
        """
        _check_size(state)
        with self._database.write() as session:
            current = self._get(session, key)
            same = update(Draft).where(Draft.key == key, Draft.revision == revision)
            values = {"state": state, "revision": revision + 1, "updated_at": self._now()}
            if session.execute(same.values(values).returning(Draft.id)).one_or_none() is None:
                raise ConflictError(
                    Message("this draft"), expected=revision, current=current.revision
                )
            return self._get(session, key)

    def discard(self, key: str) -> None:
        """Drop a draft; nothing happens where there is none."""
        if _KEY.fullmatch(key):
            with self._database.write() as session:
                session.execute(delete(Draft).where(Draft.key == key, *self._own))

    def unsaved(self) -> tuple[SavedDraft, ...]:
        """Return the drafts that hold something, the one that was changed last first."""
        written = _DRAFTS.where(Draft.revision > 0, *self._own).order_by(Draft.updated_at.desc())
        with self._database.read() as session:
            return tuple(SavedDraft(*row) for row in session.execute(written))

    def cover_keys(self) -> set[str]:
        """Return the covers that editors hold as `cover_key`, for `Artwork.sweep_uploads`."""
        with self._database.read() as session:
            keys = [state.get("cover_key") for state in session.scalars(select(Draft.state))]
        return {key for key in keys if isinstance(key, str)}

    @property
    def _own(self) -> tuple[ColumnElement[bool], ...]:
        return () if self._user_id is None else (Draft.user_id == self._user_id,)

    def _get(self, session: Session, key: str) -> SavedDraft:
        found = None
        if _KEY.fullmatch(key):
            named = _DRAFTS.where(Draft.key == key, *self._own)
            found = session.execute(named).one_or_none()
        if found is None:
            raise NotFoundError(Message("there is no such draft: it was saved or discarded"))
        return SavedDraft(*found)


# In the order of SavedDraft's fields.
_DRAFTS: Final = select(
    Draft.key,
    Mixtape.slug,
    Draft.base_revision,
    Draft.state,
    Draft.revision,
    Draft.updated_at,
).outerjoin_from(Draft, Mixtape, Mixtape.id == Draft.mixtape_id)


def _find_of(session: Session, mixtape: Mixtape) -> SavedDraft | None:
    found = session.execute(_DRAFTS.where(Draft.mixtape_id == mixtape.id)).one_or_none()
    return None if found is None else SavedDraft(*found)


def _check_size(state: dict[str, Any]) -> None:
    try:
        size = len(json.dumps(state, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMixtapeError(
            Message("the draft is not JSON: %(reason)s", reason=error)
        ) from error
    if size > MAX_STATE_BYTES:
        raise InvalidMixtapeError(
            Message("the draft is larger than %(most)s KiB", most=MAX_STATE_BYTES // 1024)
        )
