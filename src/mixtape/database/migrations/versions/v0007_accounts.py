"""Users with devices, stars, plays and tapes of their own; whatever is there is the first one's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables with the first user, and give that one all mixtapes and drafts."""
    user = op.create_table(
        "user",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_key", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("password_hash", TEXT),
        sa.Column("session_epoch", TEXT, nullable=False),
        sa.Column("sealed_listenbrainz_token", sa.LargeBinary),
        sa.Column("listenbrainz_url", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("name_key"),
        sqlite_autoincrement=True,
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    first = {"name": "admin", "name_key": "admin", "role": "admin"}
    empty = {"session_epoch": "", "listenbrainz_url": ""}
    op.bulk_insert(user, [{**first, **empty, "created_at": now}])
    op.create_table(
        "device",
        sa.Column("id", NUMBER, primary_key=True),
        _of_user(),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("key_hash", TEXT, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary),
        sa.Column("is_link", sa.Boolean, nullable=False),
        sa.Column("client", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("last_used_at", sa.DateTime),
        sa.UniqueConstraint("key_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_device_user_id", "device", ["user_id"])
    _make_marks_and_plays()
    _index_lists()
    for table in ("mixtape", "draft"):
        # The default has both databases add it in place, and no row is written.
        op.add_column(table, sa.Column("user_id", NUMBER, nullable=False, server_default="1"))
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])


def _make_marks_and_plays() -> None:
    op.create_table(
        "mark",
        _of_user(primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("starred_at", sa.DateTime),
        sa.Column("rating", NUMBER),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "play",
        _of_user(primary_key=True),
        sa.Column("path", sa.LargeBinary, primary_key=True),
        sa.Column("plays", NUMBER, nullable=False),
        sa.Column("last_played_at", sa.DateTime, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_play_last", "play", ["user_id", "last_played_at"])
    op.create_table(
        "bookmark",
        _of_user(primary_key=True),
        sa.Column("path", sa.LargeBinary, primary_key=True),
        sa.Column("position_ms", NUMBER, nullable=False),
        sa.Column("comment", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "play_queue",
        _of_user(primary_key=True),
        sa.Column("state", sa.JSON, nullable=False),
        sa.Column("place", NUMBER),
        sa.Column("position_ms", NUMBER, nullable=False),
        sa.Column("changed_by", TEXT, nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "listen",
        sa.Column("id", NUMBER, primary_key=True),
        _of_user(),
        sa.Column("listened_at", sa.DateTime, nullable=False),
        sa.Column("track", sa.JSON, nullable=False),
        sa.Column("claimed_until", sa.DateTime),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_listen_user_id", "listen", ["user_id"])


def _index_lists() -> None:
    """Let each of the lists that players ask for come from an index alone."""
    by_artist = ["missing_since", "album_artist_key", "album_key"]
    op.drop_index("ix_track_browse", "track")
    op.create_index("ix_track_browse", "track", [*by_artist, "added_at", "year"])
    op.create_index("ix_track_album", "track", ["missing_since", "album_key", "album_artist_key"])
    by_genre = ["missing_since", "genre", "album_artist_key", "album_key"]
    op.create_index("ix_track_genre", "track", by_genre)
    op.create_index("ix_track_present", "track", ["missing_since", "id"])


def _of_user(*, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "user_id",
        NUMBER,
        sa.ForeignKey("user.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )
