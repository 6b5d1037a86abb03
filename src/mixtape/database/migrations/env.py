"""What Alembic runs to upgrade: the steps, within the transaction that `schema.upgrade` began."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
