"""The addresses that a mixtape's listeners stream from: signed, and void when it is closed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from itsdangerous import BadSignature, Signer
from sqlalchemy import select

from ..database.tables import MAX_ID, Mixtape, MixtapeTrack, ShareLink, Track
from ..database.units_of_work import Database
from ..errors import LinkError, NotFoundError
from ..messages import Message
from .share_links import find_link, is_usable
from .values import SavedMixtape

_SALT = "mixtape.listener"


@dataclass(frozen=True, slots=True)
class LinkedTrack:
    """A track of a mixtape, by its path below the music root; whether who asks made the mixtape."""

    path: bytes
    is_own: bool


class Sharing:
    """Signs the tracks of a mixtape for its listeners, and finds the files again.

    A token names a track by its id and is good for one link and its key: a link that is closed,
    is given a new address or another password, has another key from then on. What it names must
    still be a track of the mixtape when it is used, so that a token never outlives its place in it.

    Args:
        database: where the mixtapes are.
        secret_key: the application's SECRET_KEY.
        now: the clock, by which links expire.
    """

    def __init__(
        self,
        database: Database,
        secret_key: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._secret_key = secret_key
        self._now = now

    def sign(self, mixtape: SavedMixtape, track: Track) -> str:
        """Return the token that a track of a mixtape is streamed by."""
        signed = self._signer(mixtape.slug, mixtape.share_key).sign(str(track.id))
        return signed.decode("ascii")

    def find_track(self, slug: str, token: str, *, user_id: int | None = None) -> LinkedTrack:
        """Return the track that a token stands for.

        Args:
            slug: of the link.
            token: from `sign`.
            user_id: who asks; the links of one's own mixtapes need not be usable.

        Raises:
            LinkError: the link is not there or cannot be used, or the token is not for it.
            NotFoundError: the track is no longer in the mixtape, or its file is missing.
        """
        with self._database.read() as session:
            link = find_link(session, slug)
            if link is None:
                raise LinkError(Message("there is no such mixtape"))
            is_own = user_id is not None and user_id == session.scalar(
                select(Mixtape.user_id).where(Mixtape.id == link.mixtape_id)
            )
            if not (is_own or is_usable(link, self._now())):
                raise LinkError(Message("there is no such mixtape"))
            held = select(Track.path).join(MixtapeTrack, MixtapeTrack.path == Track.path)
            path = session.scalars(
                held.where(
                    MixtapeTrack.mixtape_id == link.mixtape_id,
                    Track.id == self._read(link, token),
                    Track.missing_since.is_(None),
                ).limit(1)
            ).one_or_none()
        if path is None:
            raise NotFoundError(Message("this track is no longer in the mixtape"))
        return LinkedTrack(path, is_own)

    def _read(self, link: ShareLink, token: str) -> int:
        try:
            signed = self._signer(link.slug, link.share_key).unsign(token)
        except (BadSignature, UnicodeError) as error:
            raise LinkError(Message("this address is not for the mixtape")) from error
        # Only what we signed comes so far, and that is an id.
        return min(int(signed), MAX_ID)

    def _signer(self, slug: str, share_key: str) -> Signer:
        return Signer(
            f"{self._secret_key}:{share_key}",
            salt=f"{_SALT}:{slug}",
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )
