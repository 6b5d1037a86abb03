"""The tables: music folders, tracks, mixtapes, what they hold and their links, drafts, covers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ..files.formats import format_label
from ..files.names import display_name, is_cut

# Grows when a scan takes more from a file than before: the next one opens all files again.
READ_VERSION: Final = 2
# The user that every mixtape has: whoever sets PASSWORD signs in as this one.
FIRST_USER: Final = 1
# Larger numbers, which anybody can put into an address, are no ids, and SQLite refuses them.
MAX_ID: Final = 2**63 - 1
# No revision of anything and no place on anything comes near, and one more still fits a column.
MAX_COUNTED: Final = 2**31 - 1
LIBRARY_PATH: Final = "library path"
# SQLite then keeps the rows of a table in the order of their keys, and not in a second place.
IN_ORDER: Final = {"sqlite_with_rowid": False}
# In shorter files tags and headers weigh too much for a bitrate to mean anything.
_MIN_BITRATE_S: Final = 5.0


def holds_paths(**where: str) -> dict[str, Any]:
    """Return what marks a column with paths in the library, which change when music folders do.

    Args:
        where: what other columns of a row say where it is a path; nothing where it always is.
    """
    return {LIBRARY_PATH: where}


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware of its zone in Python and UTC in the table: SQLite itself keeps no zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into what the column stores."""
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the column stores into an aware moment."""
        return value and value.replace(tzinfo=UTC)


class PostgresText(TypeDecorator[str]):
    """A text, sorted by its characters as SQLite sorts.

    PostgreSQL refuses NUL and lone surrogates, even in a question. None is in what is stored
    (`tags.clean_text`), so a text with one of them is found nowhere, as in SQLite.
    """

    impl = String(collation="C")
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Put a replacement mark for what the column does not take."""
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Base(DeclarativeBase):
    """What all tables share: how a Python type is stored."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy declares it so
        bytes: LargeBinary,
        float: Double,
        int: BigInteger().with_variant(Integer(), "sqlite"),
        str: String().with_variant(PostgresText(), "postgresql"),
        date: Date,
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
    }


class Root(Base):
    """A music folder that the paths in the other tables go by, one of now or of before.

    Args:
        prefix: what its paths begin with; empty for the only one.
        place: where it is, or was, on the host that started last; empty where nobody noted it.
    """

    __tablename__ = "root"

    prefix: Mapped[bytes] = mapped_column(primary_key=True)
    place: Mapped[bytes]


class Track(Base):
    """One audio file of the library, as the last scan saw it.

    Args:
        path: bytes relative to the music folder, or to all of several: it begins with the name of
            one then. A name on disk is any bytes, not always text.
        folder: `path` without the file name, and without the CUE sheet before that; empty for the
            top of the library.
        title: from the tags, else the file name without its suffix.
        artist_key: who leads the artists, folded for grouping and sorting, see `tags.sort_key`.
        album_artist: whom the album is filed under; where no tag says, what its folder tells.
        album_artist_key: `album_artist`, folded in the same way.
        tagged_album_artist: whom a tag files the album under; empty where none does.
        disc_subtitle: the title of the disc alone; empty without one.
        duration_s: None where the file could not be read; samples / rate where lossless.
        codec: as ffmpeg names it in a word: "flac", "alac", "mp3", "vorbis".
        lossless: whether renditions are made of it.
        picture_key: names the picture inside the file, None without one.
        cover_key: names the cover to show: the picture inside, else the folder's; None without.
        read_version: READ_VERSION when the file was read.
        track_gain_db, album_gain_db: ReplayGain of the track and of its album; None without a tag.
        track_peak, album_peak: the largest sample, where 1 is full scale; None without a tag.
        problem: why the file could not be read, None where it could.
        missing_since: when a scan first did not find it; None while it is there.
    """

    __tablename__ = "track"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(unique=True, info=holds_paths())
    folder: Mapped[bytes] = mapped_column(info=holds_paths())
    title: Mapped[str]
    artist: Mapped[str] = mapped_column(default="")
    artist_key: Mapped[str] = mapped_column(default="")
    album: Mapped[str] = mapped_column(default="")
    album_artist: Mapped[str] = mapped_column(default="")
    tagged_album_artist: Mapped[str] = mapped_column(default="")
    album_artist_key: Mapped[str] = mapped_column(default="")
    album_key: Mapped[str] = mapped_column(default="")
    track_no: Mapped[int | None]
    disc_no: Mapped[int | None]
    disc_subtitle: Mapped[str] = mapped_column(default="")
    year: Mapped[int | None]
    genre: Mapped[str] = mapped_column(default="")
    duration_s: Mapped[float | None]
    codec: Mapped[str] = mapped_column(default="")
    rate_hz: Mapped[int | None]
    bits: Mapped[int | None]
    channels: Mapped[int | None]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    lossless: Mapped[bool] = mapped_column(default=False)
    picture_key: Mapped[str | None]
    cover_key: Mapped[str | None] = mapped_column(index=True)
    read_version: Mapped[int] = mapped_column(default=READ_VERSION)
    track_gain_db: Mapped[float | None]
    track_peak: Mapped[float | None]
    album_gain_db: Mapped[float | None]
    album_peak: Mapped[float | None]
    problem: Mapped[str | None]
    added_at: Mapped[datetime]
    missing_since: Mapped[datetime | None]

    __table_args__ = (
        # What is there, by artist and album: browsing reads this index in order and sorts nothing.
        # With added_at and year it answers for the newest albums, and those of some years, alone.
        Index(
            "ix_track_browse", "missing_since", "album_artist_key", "album_key", "added_at", "year"
        ),
        # The albums by their own names.
        Index("ix_track_album", "missing_since", "album_key", "album_artist_key"),
        # Genres, and what is of one.
        Index("ix_track_genre", "missing_since", "genre", "album_artist_key", "album_key"),
        # All tracks, page by page: the hundredth one is found without the rows of those before.
        Index("ix_track_present", "missing_since", "id"),
        # Whose albums an artist appears on.
        Index("ix_track_artist", "missing_since", "artist_key", "album_artist_key", "album_key"),
        Index("ix_track_folder", "folder", "missing_since"),
        # Ids stand in drafts and links, so that of a deleted row must never come to mean another.
        {"sqlite_autoincrement": True},
    )

    @property
    def is_sheet_track(self) -> bool:
        """Say whether a CUE sheet cuts it out of a file: its path then leads through the sheet."""
        return is_cut(self.path, self.folder)

    @classmethod
    def is_below(cls, folder: bytes) -> ColumnElement[bool]:
        """Return the condition of tracks that are deeper below a folder than in it."""
        # Every path that begins with "folder/" lies between that and "folder0".
        return (cls.folder > folder + b"/") & (cls.folder < folder + b"0")

    @property
    def file_name(self) -> str:
        """Return the name on disk as text; bytes that are not UTF-8 show as replacement marks."""
        return display_name(self.path)

    @property
    def format_label(self) -> str:
        """Return the format in the few characters that fit a list, such as "FLAC 24/96"."""
        duration_s = self.duration_s or 0.0
        is_long = duration_s >= _MIN_BITRATE_S
        return format_label(
            self.file_name,
            self.codec,
            lossless=self.lossless,
            bits=self.bits or 0,
            rate_hz=self.rate_hz or 0,
            kbit_s=round(self.size_bytes * 8 / duration_s / 1000) if is_long else 0,
        )


IS_PRESENT: Final = Track.missing_since.is_(None)
# What tells an album.
ALBUM_KEYS: Final = (Track.album_artist_key, Track.album_key)


class Mixtape(Base):
    """An ordered choice of tracks with a title, shared by links that cannot be guessed.

    Args:
        slug: names it for its owner, and stands in its first link; 128 random bits.
        cover_key: an upload's or a track's; None shows one made of its tracks' covers.
        sender: whom it is from, as its maker signs it.
        recipient: whom it is for.
        made_on: the day that its maker gives it; None for the day that it was stored.
        side_b: how many tracks stand before side B; None for a tape without sides.
        user_id: whose it is.
        revision: grows with every change, so that a save can tell what it started from.
    """

    __tablename__ = "mixtape"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    notes: Mapped[str] = mapped_column(default="")
    cover_key: Mapped[str | None]
    sender: Mapped[str] = mapped_column(default="")
    recipient: Mapped[str] = mapped_column(default="")
    made_on: Mapped[date | None]
    side_b: Mapped[int | None]
    user_id: Mapped[int] = mapped_column(default=FIRST_USER, index=True)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = ({"sqlite_autoincrement": True},)


class ShareLink(Base):
    """One way for others into a mixtape. Each mixtape has one at least, whose slug is its own.

    Args:
        slug: stands in the address; 128 random bits.
        share_key: the secret that URLs for its listeners are signed with; a new one revokes them.
        name: for whom it is, in the owner's words; "" for nobody in particular.
        expires_at: from when on it leads nowhere; None for never.
        password_hash: of what its listeners have to know; None where they need no password.
        tells_progress: whether it is kept how far its listener came: the three that follow, and
            nothing else about anybody.
        furthest_place: the place of the last track that was begun, from 0.
        furthest_s: how much of that track was heard.
        heard_at: when music was heard last.
    """

    __tablename__ = "share_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    mixtape_id: Mapped[int] = mapped_column(
        ForeignKey("mixtape.id", ondelete="CASCADE"), index=True
    )
    slug: Mapped[str] = mapped_column(unique=True)
    share_key: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    is_open: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    tells_progress: Mapped[bool] = mapped_column(default=False)
    allows_embed: Mapped[bool] = mapped_column(default=False)
    furthest_place: Mapped[int | None]
    furthest_s: Mapped[float | None]
    heard_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = ({"sqlite_autoincrement": True},)


class MixtapeTrack(Base):
    """One place in a mixtape. It holds a path, not a row of the library: it outlives every scan.

    Args:
        note: what the maker says of the track.
    """

    __tablename__ = "mixtape_track"

    mixtape_id: Mapped[int] = mapped_column(
        ForeignKey("mixtape.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(index=True, info=holds_paths())
    note: Mapped[str] = mapped_column(default="")


class Draft(Base):
    """What somebody is editing and has not saved: of a stored mixtape, or of one to be.

    Args:
        key: names the draft in the editor; random.
        mixtape_id: the mixtape that it will change; None for a new one.
        base_revision: the mixtape's revision when the draft was begun; 0 for a new one.
        user_id: who began it.
        state: whatever the editor needs to go on, as JSON.
        revision: grows with every autosave.
    """

    __tablename__ = "draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    mixtape_id: Mapped[int | None] = mapped_column(
        ForeignKey("mixtape.id", ondelete="CASCADE"), unique=True
    )
    base_revision: Mapped[int] = mapped_column(default=0)
    user_id: Mapped[int] = mapped_column(default=FIRST_USER, index=True)
    state: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]


class Upload(Base):
    """A picture that somebody has uploaded as a cover.

    Args:
        key: names it, by what it shows.
        picture: a JPEG.
        added_at: when it was uploaded last.
    """

    __tablename__ = "upload"

    key: Mapped[str] = mapped_column(primary_key=True)
    picture: Mapped[bytes]
    added_at: Mapped[datetime]
