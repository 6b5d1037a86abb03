"""What makes a present of a mixtape: from whom and for whom, a date, sides, a note per track."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns; mixtapes that are there have none of it yet."""
    # Each has a default, so that both databases add them in place, and no row is written.
    op.add_column("mixtape", sa.Column("sender", TEXT, nullable=False, server_default=""))
    op.add_column("mixtape", sa.Column("recipient", TEXT, nullable=False, server_default=""))
    op.add_column("mixtape", sa.Column("made_on", sa.Date))
    op.add_column("mixtape", sa.Column("side_b", NUMBER))
    op.add_column("mixtape_track", sa.Column("note", TEXT, nullable=False, server_default=""))
