"""Mixtapes: stored, changed, and shared by links that cannot be guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from ..database.tables import (
    FIRST_USER,
    MAX_ID,
    Draft,
    Mixtape,
    MixtapeTrack,
    ShareLink,
    Track,
    UtcDateTime,
)
from ..database.units_of_work import Database
from ..errors import ConflictError, InvalidMixtapeError, NotFoundError
from ..messages import Message
from .share_links import (
    find_link,
    first_link,
    get_mixtape,
    give_new_address,
    is_slug,
    new_key,
    new_link,
    new_slug,
    saved_link,
)
from .values import (
    MAX_COLLAGE,
    MixtapeItem,
    MixtapeState,
    MixtapeSummary,
    SavedMixtape,
    checked,
)


class Mixtapes:
    """Keeps the mixtapes.

    A slug is all that a listener needs, so it has 128 random bits and is never logged here.

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

    def for_user(self, user_id: int) -> Mixtapes:
        """Return the same for the mixtapes of one user: there are no others."""
        return Mixtapes(self._database, self._now, user_id)

    def create(self, state: MixtapeState, *, draft_key: str | None = None) -> SavedMixtape:
        """Store a new mixtape, not shared, and drop the draft that it was made from.

        Raises:
            InvalidMixtapeError: it cannot be stored as it is.
        """
        state, now = checked(state), self._now()
        with self._database.write() as session:
            mixtape = Mixtape(
                **_columns(state),
                slug=new_slug(),
                user_id=self._user_id or FIRST_USER,
                created_at=now,
                updated_at=now,
            )
            session.add(mixtape)
            session.flush()
            session.add(new_link(mixtape.id, now, slug=mixtape.slug))
            session.flush()
            _place(session, mixtape.id, state)
            _drop_draft(session, draft_key)
            return self._load(session, mixtape)

    def save(
        self, slug: str, state: MixtapeState, *, revision: int, draft_key: str | None = None
    ) -> SavedMixtape:
        """Store the whole state of a mixtape, and drop the draft that it was made from.

        Args:
            revision: that of the mixtape which the change started from.

        Raises:
            NotFoundError: there is no such mixtape.
            ConflictError: it was changed since that revision; nothing is stored.
            InvalidMixtapeError: it cannot be stored as it is.
        """
        state = checked(state)
        with self._database.write() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            self._change(session, mixtape, revision, _columns(state))
            _place(session, mixtape.id, state)
            _drop_draft(session, draft_key)
            return self._load(session, mixtape)

    def get(self, slug: str) -> SavedMixtape:
        """Return a mixtape, shared or not, for its owner.

        Raises:
            NotFoundError: there is no such mixtape.
        """
        with self._database.read() as session:
            return self._load(session, get_mixtape(session, slug, self._user_id))

    def get_by_id(self, mixtape_id: int) -> SavedMixtape:
        """Return a mixtape by the number that it keeps, whatever its links are.

        Raises:
            NotFoundError: there is no such mixtape.
        """
        with self._database.read() as session:
            mixtape = session.get(Mixtape, mixtape_id) if 0 < mixtape_id <= MAX_ID else None
            if mixtape is None or self._user_id not in {None, mixtape.user_id}:
                raise NotFoundError(Message("there is no such mixtape"))
            return self._load(session, mixtape)

    def find_owner(self, slug: str) -> int | None:
        """Return whose the mixtape with a slug is; None where there is none."""
        query = select(Mixtape.user_id).where(Mixtape.slug == slug)
        with self._database.read() as session:
            return session.scalar(query) if is_slug(slug) else None

    def get_linked(self, slug: str) -> SavedMixtape:
        """Return a mixtape, whoever made it, as one of its links names it: usable or not.

        Raises:
            NotFoundError: there is no such link.
        """
        with self._database.read() as session:
            link = find_link(session, slug)
            if link is None:
                raise NotFoundError(Message("there is no such mixtape"))
            return self._load(session, session.get_one(Mixtape, link.mixtape_id), link)

    def get_shared(self, slug: str) -> SavedMixtape:
        """Return a mixtape for a listener, by the slug of a link.

        Whether the listener knows its password is for the caller to find out.

        Raises:
            NotFoundError: there is none, or it cannot be used; which of them is not told.
        """
        mixtape = self.get_linked(slug)
        if not mixtape.shared:
            raise NotFoundError(Message("there is no such mixtape"))
        return mixtape

    def summaries(self) -> tuple[MixtapeSummary, ...]:
        """Return the mixtapes, the one that was changed last first."""
        own = () if self._user_id is None else (Mixtape.user_id == self._user_id,)
        with self._database.read() as session:
            parts = _cover_parts(session, own)
            return tuple(
                MixtapeSummary(
                    mixtape_id, slug, title, (key,) if key else parts.get(mixtape_id, ()), *rest
                )
                for mixtape_id, slug, title, key, *rest in session.execute(
                    _SUMMARIES.where(*own), {"now": self._now()}
                )
            )

    def delete(self, slug: str) -> None:
        """Delete a mixtape with its draft. NotFoundError where there is none."""
        with self._database.write() as session:
            session.delete(get_mixtape(session, slug, self._user_id))

    def share(self, slug: str) -> SavedMixtape:
        """Open the first link of a mixtape. NotFoundError where there is no such mixtape."""
        with self._database.write() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            first_link(session, mixtape).is_open = True
            session.flush()
            return self._load(session, mixtape)

    def unshare(self, slug: str) -> SavedMixtape:
        """Close all links of a mixtape. NotFoundError where there is no such mixtape.

        What was signed for listeners stays void when it is shared again; the links are the same.
        """
        with self._database.write() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            for link in session.scalars(select(ShareLink).filter_by(mixtape_id=mixtape.id)):
                link.is_open, link.share_key = False, new_key()
            session.flush()
            return self._load(session, mixtape)

    def renew_link(self, slug: str) -> SavedMixtape:
        """Give the first link a new slug and key, so that whoever has the old one is locked out.

        Raises:
            NotFoundError: there is no such mixtape.
        """
        with self._database.write() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            link = first_link(session, mixtape)
            give_new_address(link)
            mixtape.slug = link.slug
            session.flush()
            return self._load(session, mixtape)

    def cover_keys(self) -> set[str]:
        """Return the covers that were chosen for mixtapes, for `Artwork.sweep_uploads`."""
        chosen = select(Mixtape.cover_key).where(Mixtape.cover_key.is_not(None))
        with self._database.read() as session:
            return {key for key in session.scalars(chosen) if key}

    def _change(
        self, session: Session, mixtape: Mixtape, revision: int, columns: dict[str, Any]
    ) -> None:
        # The condition in the statement itself: sound on databases with several writers too.
        same = update(Mixtape).where(Mixtape.id == mixtape.id, Mixtape.revision == revision)
        values = {**columns, "revision": revision + 1, "updated_at": self._now()}
        result = session.execute(same.values(values).returning(Mixtape.id))
        if result.one_or_none() is None:
            raise ConflictError(
                Message("this mixtape"), expected=revision, current=mixtape.revision
            )
        session.refresh(mixtape)

    def _load(
        self, session: Session, mixtape: Mixtape, link: ShareLink | None = None
    ) -> SavedMixtape:
        now = self._now()
        places = (
            select(MixtapeTrack.path, Track, MixtapeTrack.note)
            .outerjoin(Track, Track.path == MixtapeTrack.path)
            .where(MixtapeTrack.mixtape_id == mixtape.id)
            .order_by(MixtapeTrack.position)
        )
        shown = saved_link(link or first_link(session, mixtape), mixtape, now)
        usable = select(ShareLink.id).where(ShareLink.mixtape_id == mixtape.id, _IS_USABLE)
        return SavedMixtape(
            id=mixtape.id,
            user_id=mixtape.user_id,
            slug=shown.slug,
            title=mixtape.title,
            notes=mixtape.notes,
            own_cover_key=mixtape.cover_key,
            revision=mixtape.revision,
            shared=shown.is_usable
            if link is not None
            else session.execute(usable.limit(1), {"now": now}).first() is not None,
            share_key=shown.share_key,
            created_at=mixtape.created_at,
            updated_at=mixtape.updated_at,
            items=tuple(MixtapeItem(*row) for row in session.execute(places)),
            link=shown,
            sender=mixtape.sender,
            recipient=mixtape.recipient,
            made_on=mixtape.made_on,
            side_b=mixtape.side_b,
        )


_IS_USABLE: Final = and_(
    ShareLink.is_open,
    or_(ShareLink.expires_at.is_(None), ShareLink.expires_at > bindparam("now", type_=UtcDateTime)),
)
_FIRST_LINK: Final = (
    select(ShareLink.slug)
    .where(ShareLink.mixtape_id == Mixtape.id, _IS_USABLE)
    .order_by(ShareLink.id)
    .limit(1)
    .correlate(Mixtape)
    .scalar_subquery()
)
_IS_THERE: Final = and_(Track.path == MixtapeTrack.path, Track.missing_since.is_(None))
# Each cover once, at the first of the places that show it.
_FIRST_PLACES: Final = (
    select(MixtapeTrack.mixtape_id, Track.cover_key)
    .join(Mixtape, Mixtape.id == MixtapeTrack.mixtape_id)
    .join(Track, _IS_THERE)
    .where(Track.cover_key.is_not(None))
    .group_by(MixtapeTrack.mixtape_id, Track.cover_key)
    .order_by(MixtapeTrack.mixtape_id, func.min(MixtapeTrack.position))
)
_SUMMARIES: Final[Select[*tuple[Any, ...]]] = (
    select(
        Mixtape.id,
        Mixtape.slug,
        Mixtape.title,
        Mixtape.cover_key,
        _FIRST_LINK,
        func.count(MixtapeTrack.position),
        func.count(MixtapeTrack.position) - func.count(Track.id),
        func.coalesce(func.sum(Track.duration_s), 0.0),
        Mixtape.created_at,
        Mixtape.updated_at,
    )
    .outerjoin(MixtapeTrack, MixtapeTrack.mixtape_id == Mixtape.id)
    .outerjoin(Track, _IS_THERE)
    .group_by(Mixtape.id)
    .order_by(Mixtape.updated_at.desc(), Mixtape.id.desc())
)


def _cover_parts(
    session: Session, chosen: tuple[ColumnElement[bool], ...]
) -> dict[int, tuple[str, ...]]:
    """Return the covers that those of mixtapes are made of, by the id of the mixtape."""
    found: dict[int, tuple[str, ...]] = {}
    places = session.execute(_FIRST_PLACES.where(*chosen))
    for mixtape_id, covers in groupby(places, key=itemgetter(0)):
        found[mixtape_id] = tuple(str(key) for _, key in islice(covers, MAX_COLLAGE))
    return found


def _columns(state: MixtapeState) -> dict[str, Any]:
    return {
        "title": state.title,
        "notes": state.notes,
        "cover_key": state.cover_key,
        "sender": state.sender,
        "recipient": state.recipient,
        "made_on": state.made_on,
        "side_b": state.side_b,
    }


def _place(session: Session, mixtape_id: int, state: MixtapeState) -> None:
    """Put the tracks of a state into a mixtape instead of what it holds."""
    track_ids = state.track_ids
    ids = {track_id for track_id in track_ids if 0 < track_id <= MAX_ID}
    known = select(Track.id, Track.path).where(Track.id.in_(ids))
    paths = dict(session.execute(known).all())
    lost = [str(track_id) for track_id in track_ids if track_id not in paths]
    if lost:
        raise InvalidMixtapeError(
            Message(
                "no longer in the library: track %(tracks)s. Remove it and save again",
                tracks=", ".join(lost[:10]),
            )
        )
    session.execute(delete(MixtapeTrack).where(MixtapeTrack.mixtape_id == mixtape_id))
    places = [
        {"mixtape_id": mixtape_id, "position": position, "path": paths[track_id], "note": note}
        for position, (track_id, note) in enumerate(state.noted_tracks)
    ]
    if places:
        session.execute(insert(MixtapeTrack), places)


def _drop_draft(session: Session, key: str | None) -> None:
    if key is not None:
        session.execute(delete(Draft).where(Draft.key == key))
