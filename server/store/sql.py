"""Statements compiled once from SQLAlchemy Core to text, and run on a bare DBAPI cursor.

Core's own execution costs more than SQLite needs for the whole insert, so the hot path does without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Row = tuple[Any, ...]
_SIZES: Final = (32, 16, 8, 4, 2, 1)


class Cursor(Protocol):
    """What both drivers' cursors share."""

    @property
    def rowcount(self) -> int: ...
    def execute(self, sql: Any, parameters: Any = ..., /) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Statement:
    """SQL text with the order of its parameters."""

    __slots__ = ("_fixed", "_order", "text")

    def __init__(self, element: ClauseElement, dialect: Dialect, columns: Sequence[str] | None = None) -> None:
        compiled = element.compile(dialect=dialect, column_keys=list(columns) if columns else None)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(type(compiled))
        self.text = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._fixed = dict(compiled.params)

    def run(self, cursor: Cursor, values: Mapping[str, Any] | None = None) -> Cursor:
        given = {**self._fixed, **values} if values else self._fixed
        cursor.execute(self.text, tuple([given[k] for k in self._order]))
        return cursor


class Insert:
    """INSERT of many rows by few multi-row statements: a step of the driver gives the GIL away each time."""

    __slots__ = ("_head", "_one", "_texts", "width")

    def __init__(self, table: sa.Table, dialect: Dialect) -> None:
        statement = Statement(sa.insert(table), dialect, [c.name for c in table.columns])
        self._head, _, self._one = statement.text.partition(" VALUES ")
        self.width = len(table.columns)
        self._texts = {size: f"{self._head} VALUES {', '.join([self._one] * size)}" for size in _SIZES}

    def run(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Insert rows whose values stand in the order of the table's columns."""
        done, total = 0, len(rows)
        for size in _SIZES:
            while total - done >= size:
                cursor.execute(self._texts[size], tuple(chain.from_iterable(rows[done : done + size])))
                done += size


def like(text: str) -> str:
    """A LIKE pattern (escape character backslash) that finds `text` anywhere."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
