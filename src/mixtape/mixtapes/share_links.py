"""The links to a mixtape: each with a name, and its own terms for whoever listens by it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypedDict

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from ..accounts.passwords import MAX_PASSWORD, hash_of, is_password
from ..database.tables import MAX_ID, Mixtape, MixtapeTrack, ShareLink
from ..database.units_of_work import Database
from ..errors import InvalidMixtapeError, LinkError, NotFoundError
from ..files.tags import clean_text
from ..messages import Message
from .values import Furthest, SavedLink

MAX_LINKS: Final = 100
MAX_NAME: Final = 100
_SHORTEST_PASSWORD: Final = 4
_SLUG_BYTES: Final = 16
_SHARE_KEY_BYTES: Final = 32
_SLUG: Final = re.compile("[A-Za-z0-9_-]{22}")
# Longer than any track; a larger number is a mistake.
_MOST_S: Final = 7 * 24 * 3600.0


class LinkChange(TypedDict, total=False):
    """What a change of a link says; what it does not name stays as it is.

    An empty password means that none is needed; expires_at None means never.
    """

    name: str
    is_open: bool
    expires_at: datetime | None
    password: str
    tells_progress: bool
    allows_embed: bool


class ShareLinks:
    """Keeps the links of the mixtapes.

    Args:
        database: where they are.
        now: the clock.
        user_id: whose mixtapes there are; None for everybody's.
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

    def for_user(self, user_id: int) -> ShareLinks:
        """Return the same for the mixtapes of one user: there are no others."""
        return ShareLinks(self._database, self._now, user_id)

    def of(self, slug: str) -> tuple[SavedLink, ...]:
        """Return the links of a mixtape, the first one first.

        Raises:
            NotFoundError: there is no such mixtape.
        """
        with self._database.read() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            query = select(ShareLink).filter_by(mixtape_id=mixtape.id).order_by(ShareLink.id)
            now = self._now()
            return tuple(saved_link(link, mixtape, now) for link in session.scalars(query))

    def get(self, slug: str, link_id: int) -> SavedLink:
        """Return a link of a mixtape. NotFoundError where there is none."""
        with self._database.read() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            return saved_link(_get_link(session, mixtape, link_id), mixtape, self._now())

    def add(self, slug: str, change: LinkChange) -> SavedLink:
        """Make another link to a mixtape, which can be used at once unless that says otherwise.

        Raises:
            NotFoundError: there is no such mixtape.
            InvalidMixtapeError: it has too many links, or the change names what cannot be.
        """
        now = self._now()
        with self._database.write() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            count = select(func.count()).select_from(ShareLink).filter_by(mixtape_id=mixtape.id)
            if (session.scalar(count) or 0) >= MAX_LINKS:
                raise InvalidMixtapeError(
                    Message(
                        "the mixtape has %(most)s links, and no more are kept: remove one first",
                        most=MAX_LINKS,
                    )
                )
            link = new_link(mixtape.id, now)
            link.is_open = True
            _apply(link, change, now)
            session.add(link)
            session.flush()
            return saved_link(link, mixtape, now)

    def change(self, slug: str, link_id: int, change: LinkChange) -> SavedLink:
        """Change a link.

        What was signed for its listeners is void from then on where they may no longer listen as
        before: it was closed, it had expired, or its password is another one.

        Raises:
            NotFoundError: there is no such mixtape, or it has no such link.
            InvalidMixtapeError: the change names what cannot be.
        """
        now = self._now()
        with self._database.write() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            link = _get_link(session, mixtape, link_id)
            if _revokes(link, change, now):
                link.share_key = new_key()
            _apply(link, change, now)
            session.flush()
            return saved_link(link, mixtape, now)

    def renew(self, slug: str, link_id: int) -> SavedLink:
        """Give a link another address, so that whoever has the old one is locked out.

        The mixtape's own name follows that of its first link. NotFoundError where there is none.
        """
        with self._database.write() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            link = _get_link(session, mixtape, link_id)
            is_first = link.slug == mixtape.slug
            give_new_address(link)
            if is_first:
                mixtape.slug = link.slug
            session.flush()
            return saved_link(link, mixtape, self._now())

    def remove(self, slug: str, link_id: int) -> SavedLink:
        """Remove a link, and return what it was.

        Raises:
            NotFoundError: there is no such mixtape, or it has no such link.
            InvalidMixtapeError: it is the first one, which goes with the mixtape alone.
        """
        with self._database.write() as session:
            mixtape = get_mixtape(session, slug, self._user_id)
            link = _get_link(session, mixtape, link_id)
            if link.slug == mixtape.slug:
                raise InvalidMixtapeError(
                    Message("the first link of a mixtape stays: switch it off instead")
                )
            was = saved_link(link, mixtape, self._now())
            session.execute(delete(ShareLink).where(ShareLink.id == link.id))
            return was

    def is_password(self, slug: str, password: str) -> bool:
        """Say whether a password is that of a link, which takes about a twentieth of a second."""
        with self._database.read() as session:
            link = find_link(session, slug)
            stored = link.password_hash if link is not None else None
        return is_password(password, stored)

    def note_heard(self, slug: str, place: int, second: float) -> bool:
        """Keep how far the listener of a link came; say whether anything is kept.

        Nothing is where the owner did not ask for it, or the mixtape has no such place.

        Raises:
            LinkError: there is no such link, or it cannot be used.
        """
        now = self._now()
        with self._database.write() as session:
            link = find_link(session, slug)
            if link is None or not is_usable(link, now):
                raise LinkError(Message("there is no such mixtape"))
            if not link.tells_progress or not 0 <= second <= _MOST_S:
                return False
            there = select(MixtapeTrack.position).filter_by(
                mixtape_id=link.mixtape_id, position=min(max(place, -1), MAX_ID)
            )
            if session.scalar(there) is None:
                return False
            session.execute(update(ShareLink).where(ShareLink.id == link.id).values(heard_at=now))
            # In the statement itself, as several nodes may write at once.
            session.execute(
                update(ShareLink)
                .where(
                    ShareLink.id == link.id,
                    or_(
                        ShareLink.furthest_place.is_(None),
                        ShareLink.furthest_place < place,
                        (ShareLink.furthest_place == place) & (ShareLink.furthest_s < second),
                    ),
                )
                .values(furthest_place=place, furthest_s=second)
            )
        return True


def new_slug() -> str:
    """Return what stands in the address of a link; nobody can guess it."""
    return secrets.token_urlsafe(_SLUG_BYTES)


def new_key() -> str:
    """Return a key to sign with."""
    return secrets.token_urlsafe(_SHARE_KEY_BYTES)


def new_link(mixtape_id: int, now: datetime, slug: str | None = None) -> ShareLink:
    """Return a link that is closed and not stored yet."""
    return ShareLink(
        mixtape_id=mixtape_id,
        slug=slug or new_slug(),
        share_key=new_key(),
        created_at=now,
    )


def give_new_address(link: ShareLink) -> None:
    """Lock out whoever has the address of a link, and forget how far they came."""
    link.slug, link.share_key = new_slug(), new_key()
    _forget(link)


def is_slug(text: str) -> bool:
    """Say whether a text can be a slug at all."""
    # Some of the rest (lone surrogates) is nothing a database takes.
    return _SLUG.fullmatch(text) is not None


def checked_name(name: str) -> str:
    """Return the name of a link as it can be stored. InvalidMixtapeError where it is too long."""
    name = clean_text(name)
    if len(name) > MAX_NAME:
        raise InvalidMixtapeError(
            Message("the name of the link is longer than %(most)s characters", most=MAX_NAME)
        )
    return name


def find_link(session: Session, slug: str) -> ShareLink | None:
    """Return the link with a slug, within a unit of work; None where there is none."""
    if not is_slug(slug):
        return None
    return session.scalars(select(ShareLink).where(ShareLink.slug == slug)).one_or_none()


def is_usable(link: ShareLink, now: datetime) -> bool:
    """Say whether a link leads anybody anywhere at a moment."""
    return link.is_open and not _is_expired(link, now)


def first_link(session: Session, mixtape: Mixtape) -> ShareLink:
    """Return the link that a mixtape has its slug of, within a unit of work."""
    return session.scalars(select(ShareLink).where(ShareLink.slug == mixtape.slug)).one()


def saved_link(link: ShareLink, mixtape: Mixtape, now: datetime) -> SavedLink:
    """Return a link as a value, as it is at a moment."""
    furthest = None
    if link.tells_progress and link.furthest_place is not None and link.heard_at is not None:
        furthest = Furthest(link.furthest_place, link.furthest_s or 0.0, link.heard_at)
    return SavedLink(
        id=link.id,
        slug=link.slug,
        name=link.name,
        is_first=link.slug == mixtape.slug,
        is_open=link.is_open,
        is_expired=_is_expired(link, now),
        expires_at=link.expires_at,
        has_password=link.password_hash is not None,
        tells_progress=link.tells_progress,
        allows_embed=link.allows_embed,
        furthest=furthest,
        share_key=link.share_key,
    )


def mark_of(link: SavedLink, secret_key: str, purpose: str) -> str:
    """Return a mark that nobody else can make, by which a visitor of a link is known again.

    It is good for one purpose and this link, until the link's key changes, as it does with its
    password.
    """
    signed = f"{purpose}\0{link.id}\0{link.share_key}".encode()
    return hmac.new(secret_key.encode(), signed, hashlib.sha256).hexdigest()[:32]


def get_mixtape(session: Session, slug: str, user_id: int | None = None) -> Mixtape:
    """Return the mixtape with a slug, within a unit of work; NotFoundError where there is none.

    Args:
        user_id: whose it has to be; None for anybody's.
    """
    found = None
    if is_slug(slug):
        # The index finds it in a time that says nothing useful about 128 random bits.
        found = session.scalars(select(Mixtape).where(Mixtape.slug == slug)).one_or_none()
    if found is None or user_id not in {None, found.user_id}:
        raise NotFoundError(Message("there is no such mixtape"))
    return found


def _get_link(session: Session, mixtape: Mixtape, link_id: int) -> ShareLink:
    link = session.get(ShareLink, link_id) if 0 < link_id <= MAX_ID else None
    if link is None or link.mixtape_id != mixtape.id:
        raise NotFoundError(Message("this mixtape has no such link"))
    return link


def _is_expired(link: ShareLink, now: datetime) -> bool:
    return link.expires_at is not None and link.expires_at <= now


def _revokes(link: ShareLink, change: LinkChange, now: datetime) -> bool:
    is_closed = link.is_open and not change.get("is_open", True)
    return is_closed or "password" in change or _is_expired(link, now)


def _apply(link: ShareLink, change: LinkChange, now: datetime) -> None:
    if "name" in change:
        link.name = checked_name(change["name"])
    if "is_open" in change:
        link.is_open = change["is_open"]
    if "expires_at" in change:
        moment = change["expires_at"]
        if moment is not None and moment <= now:
            raise InvalidMixtapeError(
                Message(
                    "the link cannot end on %(day)s, which is past: choose a later day",
                    day=moment.date().isoformat(),
                )
            )
        link.expires_at = moment
    if "password" in change:
        link.password_hash = _hash(change["password"])
    if "tells_progress" in change:
        link.tells_progress = change["tells_progress"]
        if not link.tells_progress:
            # What nobody wants to know is not kept either.
            _forget(link)
    if "allows_embed" in change:
        link.allows_embed = change["allows_embed"]


def _forget(link: ShareLink) -> None:
    link.furthest_place = link.furthest_s = link.heard_at = None


def _hash(password: str) -> str | None:
    if not password:
        return None
    if not _SHORTEST_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidMixtapeError(
            Message(
                "the password has %(count)s characters: it takes %(least)s to %(most)s",
                count=len(password),
                least=_SHORTEST_PASSWORD,
                most=MAX_PASSWORD,
            )
        )
    return hash_of(password)
