"""The addresses that a mixtape's listeners stream from: signed, and void when it is closed."""

from __future__ import annotations

import hashlib

from itsdangerous import BadSignature, Signer
from sqlalchemy import select

from ..database.tables import MAX_ID, Mixtape, MixtapeTrack, Track
from ..database.units_of_work import Database
from ..errors import LinkError, NotFoundError
from .store import find_mixtape
from .values import SavedMixtape

_SALT = "mixtape.listener"


class Sharing:
    """Signs the tracks of a mixtape for its listeners, and finds the files again.

    A token names a track by its id and is good for one slug and one share key: a mixtape that
    is closed, or given a new link, has another key from then on. What it names must still be a
    track of the mixtape when it is used, so that a token never outlives its place in it.

    Args:
        database: where the mixtapes are.
        secret_key: the application's SECRET_KEY.
    """

    def __init__(self, database: Database, secret_key: str) -> None:
        self._database = database
        self._secret_key = secret_key

    def sign(self, mixtape: SavedMixtape, track: Track) -> str:
        """Return the token that a track of a mixtape is streamed by."""
        signed = self._signer(mixtape.slug, mixtape.share_key).sign(str(track.id))
        return signed.decode("ascii")

    def find_path(self, slug: str, token: str, *, is_owner: bool = False) -> bytes:
        """Return the path, relative to the music root, of the track that a token stands for.

        Args:
            slug: of the mixtape.
            token: from `sign`.
            is_owner: whether the mixtape need not be shared.

        Raises:
            LinkError: the mixtape is not there or not shared, or the token is not for it.
            NotFoundError: the track is no longer in the mixtape, or its file is missing.
        """
        with self._database.read() as session:
            mixtape = find_mixtape(session, slug)
            if mixtape is None or not (mixtape.shared or is_owner):
                raise LinkError("there is no such mixtape")
            held = select(Track.path).join(MixtapeTrack, MixtapeTrack.path == Track.path)
            path = session.scalars(
                held.where(
                    MixtapeTrack.mixtape_id == mixtape.id,
                    Track.id == self._read(mixtape, token),
                    Track.missing_since.is_(None),
                ).limit(1)
            ).one_or_none()
        if path is None:
            raise NotFoundError("this track is no longer in the mixtape")
        return path

    def _read(self, mixtape: Mixtape, token: str) -> int:
        try:
            signed = self._signer(mixtape.slug, mixtape.share_key).unsign(token)
        except (BadSignature, UnicodeError) as error:
            raise LinkError("this address is not for the mixtape") from error
        # Only what we signed comes so far, and that is an id.
        return min(int(signed), MAX_ID)

    def _signer(self, slug: str, share_key: str) -> Signer:
        return Signer(
            f"{self._secret_key}:{share_key}",
            salt=f"{_SALT}:{slug}",
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )
