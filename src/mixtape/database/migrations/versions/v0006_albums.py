"""What compilations and albums of several discs are known by."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns; the next scan reads all files again to fill them."""
    for name in ("artist_key", "tagged_album_artist", "disc_subtitle"):
        op.add_column("track", sa.Column(name, TEXT, nullable=False, server_default=""))
    op.add_column("track", sa.Column("read_version", NUMBER, nullable=False, server_default="0"))
    listed = ["missing_since", "artist_key", "album_artist_key", "album_key"]
    op.create_index("ix_track_artist", "track", listed)
