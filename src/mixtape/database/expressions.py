"""Expressions that SQLite and PostgreSQL have different words for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class joined_texts(FunctionElement[str]):
    """Join the different texts of a group with commas."""

    type = String()
    inherit_cache = True


@compiles(joined_texts)
def _compile(element: joined_texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"group_concat(DISTINCT {compiler.process(element.clauses, **options)})"


@compiles(joined_texts, "postgresql")
def _compile_postgresql(element: joined_texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"string_agg(DISTINCT {compiler.process(element.clauses, **options)}, ',')"
