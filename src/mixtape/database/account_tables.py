"""The tables of those who use a mixtape: users, their devices, and what each likes and plays."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .tables import IN_ORDER, Base, holds_paths

ADMIN: Final = "admin"
LISTENER: Final = "listener"
# What can be starred and rated; `Mark.key` tells which of the kind.
TRACK, ALBUM, ARTIST = "track", "album", "artist"


def _of_user() -> ForeignKey:
    return ForeignKey("user.id", ondelete="CASCADE")


class User(Base):
    """Somebody with tapes, stars and play counts of their own.

    Args:
        name: what they sign in with.
        name_key: `name`, folded, so that nobody else has it in other letters.
        role: "admin", who may do everything, or "listener".
        password_hash: None for the first user, whose password is the setting PASSWORD.
        session_epoch: changes where all sessions of the user end.
        sealed_listenbrainz_token: of the ListenBrainz account that plays are sent to; None for
            none.
        listenbrainz_url: of the server that has the account; "" for listenbrainz.org.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(default=LISTENER)
    password_hash: Mapped[str | None]
    session_epoch: Mapped[str] = mapped_column(default="")
    sealed_listenbrainz_token: Mapped[bytes | None]
    listenbrainz_url: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]

    __table_args__ = ({"sqlite_autoincrement": True},)


class Device(Base):
    """A player that may ask for a user's music by a key of its own.

    Args:
        name: which it is, in the user's words.
        key_hash: SHA-256 of the key, in hexadecimal digits.
        sealed_key: the key itself, encrypted, for players that prove only that they know it; None
            where no such player may use it.
        is_link: whether the key stands in the address of a playlist, and is good for that alone.
        client: what the player calls itself; "" before its first request.
        last_used_at: to the minute; None before its first request.
    """

    __tablename__ = "device"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(_of_user(), index=True)
    name: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    sealed_key: Mapped[bytes | None]
    is_link: Mapped[bool] = mapped_column(default=False)
    client: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

    __table_args__ = ({"sqlite_autoincrement": True},)


class Mark(Base):
    """A star or a rating, or both, that a user has given.

    Args:
        kind: "track", "album" or "artist".
        key: a track's path; of an album the two keys of `Track` with U+0001 between them, of an
            artist its key, in UTF-8.
        rating: from 1 to 5; None for none.
    """

    __tablename__ = "mark"

    user_id: Mapped[int] = mapped_column(_of_user(), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(primary_key=True, info=holds_paths(kind=TRACK))
    starred_at: Mapped[datetime | None]
    rating: Mapped[int | None]

    __table_args__ = (IN_ORDER,)


class Play(Base):
    """How often a user has heard a track, which is told by its path."""

    __tablename__ = "play"

    user_id: Mapped[int] = mapped_column(_of_user(), primary_key=True)
    path: Mapped[bytes] = mapped_column(primary_key=True, info=holds_paths())
    plays: Mapped[int] = mapped_column(default=0)
    last_played_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_play_last", "user_id", "last_played_at"),
        # Who has heard a track.
        Index("ix_play_path", "path"),
        IN_ORDER,
    )


class Bookmark(Base):
    """A place within a track that a user goes on from."""

    __tablename__ = "bookmark"

    user_id: Mapped[int] = mapped_column(_of_user(), primary_key=True)
    path: Mapped[bytes] = mapped_column(primary_key=True, info=holds_paths())
    position_ms: Mapped[int]
    comment: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class PlayQueue(Base):
    """What a user was playing, for going on with another player.

    Args:
        state: `{"ids": […]}`, the ids of the tracks in order.
        place: which of them was playing, from 0; None for none.
        changed_by: the player that stored it.
    """

    __tablename__ = "play_queue"

    user_id: Mapped[int] = mapped_column(_of_user(), primary_key=True)
    state: Mapped[dict[str, Any]]
    place: Mapped[int | None]
    position_ms: Mapped[int] = mapped_column(default=0)
    changed_by: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime]


class Listen(Base):
    """A play that ListenBrainz is to be told of, until it has been.

    Args:
        listened_at: when the track began to play.
        track: what ListenBrainz calls `track_metadata`.
        claimed_until: another sender leaves it alone before; None while nobody sends it.
    """

    __tablename__ = "listen"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(_of_user(), index=True)
    listened_at: Mapped[datetime]
    track: Mapped[dict[str, Any]]
    claimed_until: Mapped[datetime | None]

    __table_args__ = ({"sqlite_autoincrement": True},)
