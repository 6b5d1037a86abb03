"""The tables that sum the library up, so that no list of albums or artists counts its tracks.

Triggers see to them, so that no writer can forget it. They add a play to those of its album; what
else changes of tracks and plays they note in the two tables of stale keys, and `summaries.sum_up`,
the only other writer, sums it up anew.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .tables import IN_ORDER, Base


class AlbumSummary(Base):
    """The tracks that are there of one album artist and one album, by the two keys of `Track`.

    An empty `key` stands for the artist's tracks that name no album.

    Args:
        year: of the oldest track; None where none says it.
        added_at: when the first of its tracks came into the library.
        newest_at: when the last one did.
        genres: of all of its tracks, each once, that of most tracks first.
        disc_titles: the number and the title of each disc that has one of its own.
    """

    __tablename__ = "album"

    artist_key: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    artist: Mapped[str]
    year: Mapped[int | None]
    tracks: Mapped[int]
    duration_s: Mapped[float]
    cover_key: Mapped[str | None]
    added_at: Mapped[datetime]
    newest_at: Mapped[datetime]
    genres: Mapped[list[str]] = mapped_column(JSON)
    disc_titles: Mapped[list[tuple[int, str]]] = mapped_column(JSON)

    __table_args__ = (
        Index("ix_album_name", "key", "artist_key"),
        Index("ix_album_newest", "newest_at"),
        Index("ix_album_year", "year"),
    )


class AlbumGenre(Base):
    """A genre of an album as some of its tracks write it, and how many these are.

    Args:
        genre_key: the name in letters of no case.
    """

    __tablename__ = "album_genre"

    genre_key: Mapped[str] = mapped_column(primary_key=True)
    artist_key: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    tracks: Mapped[int]

    __table_args__ = (Index("ix_album_genre_album", "artist_key", "key"), IN_ORDER)


class AlbumPlay(Base):
    """How often a user has heard the tracks of an album, all together, and when one was last."""

    __tablename__ = "album_play"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    artist_key: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    plays: Mapped[int]
    last_played_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_album_play_album", "artist_key", "key"),
        Index("ix_album_play_most", "user_id", "plays"),
        Index("ix_album_play_last", "user_id", "last_played_at"),
        IN_ORDER,
    )


class ArtistSummary(Base):
    """Somebody whom albums are filed under or who plays on them, by the key of `Track`.

    Args:
        name: empty for tracks that name no artist.
        albums: that are filed under the artist.
        tracks: of these albums, of no album, and on albums of others.
        appears_on: how many albums of others, compilations too.
        has_loose: whether some of the tracks are of no album.
    """

    __tablename__ = "artist"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    albums: Mapped[int]
    tracks: Mapped[int]
    cover_key: Mapped[str | None]
    appears_on: Mapped[int]
    has_loose: Mapped[bool]


class StaleAlbum(Base):
    """An album that has changed since it was summed up, otherwise than by a play that was added."""

    __tablename__ = "stale_album"

    artist_key: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (IN_ORDER,)


class StaleArtist(Base):
    """An artist whose tracks have changed since they were summed up."""

    __tablename__ = "stale_artist"

    key: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (IN_ORDER,)
