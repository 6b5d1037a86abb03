"""Covers that people upload: in the database, where every host that shares it has them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table of uploads; those in files stay where they are."""
    op.create_table(
        "upload",
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("picture", sa.LargeBinary, nullable=False),
        sa.Column("added_at", sa.DateTime, nullable=False),
    )
