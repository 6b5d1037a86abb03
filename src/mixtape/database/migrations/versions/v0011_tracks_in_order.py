"""An index of the tracks that are there in the order of their ids, for PostgreSQL alone."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the index.

    PostgreSQL takes no order from what follows a column that IS NULL in an index, and read the rows
    of all pages before the one that is asked for. SQLite does, and would not choose this one.
    """
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        bind.exec_driver_sql(
            "CREATE INDEX ix_track_in_order ON track (id) WHERE missing_since IS NULL"
        )
