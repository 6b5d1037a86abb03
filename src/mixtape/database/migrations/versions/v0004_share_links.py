"""Several links to a mixtape, each with a name and terms of its own; the one of before is first."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table of links, with one for each mixtape: what was sent to people stays good."""
    op.create_table(
        "share_link",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column(
            "mixtape_id", NUMBER, sa.ForeignKey("mixtape.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("share_key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("expires_at", sa.DateTime),
        sa.Column("password_hash", TEXT),
        sa.Column("tells_progress", sa.Boolean, nullable=False),
        sa.Column("allows_embed", sa.Boolean, nullable=False),
        sa.Column("furthest_place", NUMBER),
        sa.Column("furthest_s", sa.Double),
        sa.Column("heard_at", sa.DateTime),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("slug"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_share_link_mixtape_id", "share_link", ["mixtape_id"])
    op.execute(
        "INSERT INTO share_link (mixtape_id, slug, share_key, name, is_open, tells_progress, "
        "allows_embed, created_at) SELECT id, slug, share_key, '', shared, false, false, "
        "created_at FROM mixtape ORDER BY id"
    )
    op.drop_column("mixtape", "shared")
    op.drop_column("mixtape", "share_key")
