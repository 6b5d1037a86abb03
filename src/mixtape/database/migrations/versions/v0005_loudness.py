"""How loud tracks are, as their tags say; what was scanned before says nothing of it yet."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

COLUMNS: Final = ("track_gain_db", "track_peak", "album_gain_db", "album_peak")


def upgrade() -> None:
    """Add the columns of ReplayGain; step 0006 has the next scan read all files again."""
    for name in COLUMNS:
        op.add_column("track", sa.Column(name, sa.Double, nullable=True))
