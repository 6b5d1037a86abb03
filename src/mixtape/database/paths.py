"""The columns of all tables that hold paths in the library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, true

from . import account_tables  # noqa: F401 - its tables have paths too
from .tables import LIBRARY_PATH, Base


def path_columns() -> Iterator[tuple[Table, Column[Any], ColumnElement[bool]]]:
    """Yield each column with its table, and the condition of the rows in which it is a path."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            where = column.info.get(LIBRARY_PATH)
            if where is not None:
                conditions = (table.c[name] == value for name, value in where.items())
                yield table, column, and_(true(), *conditions)
