"""Which music folders the paths of tracks go by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table; of the one folder that there was, it is not known where."""
    op.create_table(
        "root",
        sa.Column("prefix", sa.LargeBinary, primary_key=True),
        sa.Column("place", sa.LargeBinary, nullable=False),
    )
