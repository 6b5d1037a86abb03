"""How loud tracks are, as their tags say; what was scanned before says nothing of it yet."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0002"

COLUMNS: Final = ("track_gain_db", "track_peak", "album_gain_db", "album_peak")


def upgrade() -> None:
    """Add the columns of ReplayGain; each file is read again by the next scan, see below."""
    for name in COLUMNS:
        op.add_column("track", sa.Column(name, sa.Double, nullable=True))
    # A time that no file has: scans read a file anew whose time differs from what is known.
    op.execute("UPDATE track SET mtime_ns = -1 WHERE missing_since IS NULL AND problem IS NULL")
