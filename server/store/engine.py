"""The face both databases share: write transactions, reads, and the words in which they differ.

SQLite is in sqlite.py, PostgreSQL in postgres.py; everything above speaks to this class only.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

from mxward.core.errors import StoreUnavailable
from mxward.server.store.fitness import Fitness
from mxward.server.store.sql import Cursor, Statement


class CommitUncertain(StoreUnavailable):
    """The connection died during COMMIT: the transaction may or may not have happened."""


class Engine(abc.ABC):
    """One database as one process uses it; thread-safe."""

    name: ClassVar[str]
    dialect: Dialect

    def __init__(self, fitness: Fitness) -> None:
        self.fitness = fitness

    @abc.abstractmethod
    def write(self, *, durable: bool = True) -> AbstractContextManager[Cursor]:
        """A write transaction, committed when the block ends and rolled back when it raises.

        With `durable` the commit is on disk (on the standby too, where configured) before the block is left.
        Raises StoreUnavailable, StoreFull, StoreUnfit, StoreCorrupt.
        """

    @abc.abstractmethod
    def read(self) -> AbstractContextManager[Cursor]:
        """A cursor for single statements, each seeing what is committed."""

    @abc.abstractmethod
    def snapshot(self) -> AbstractContextManager[Cursor]:
        """A cursor whose statements all see the same moment."""

    @abc.abstractmethod
    def migration_url(self) -> sa.URL:
        """Where Alembic connects."""

    @abc.abstractmethod
    def migration_lock(self) -> AbstractContextManager[None]:
        """Keeps other processes from migrating at the same time."""

    @abc.abstractmethod
    def version(self) -> str:
        """The schema version recorded in the database, "" for none."""

    @abc.abstractmethod
    def one_of(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """Condition: `column` is in the list given as parameter `name`, passed through `many`."""

    @abc.abstractmethod
    def many(self, values: Sequence[str]) -> Any:
        """The value of a parameter of `one_of`."""

    @abc.abstractmethod
    def contains(self, column: sa.ColumnElement[Any], pattern: str) -> sa.ColumnElement[bool]:
        """Condition: the LIKE pattern matches without regard to case."""

    @abc.abstractmethod
    def check(self) -> list[str]:
        """Problems of the database, in words."""

    @abc.abstractmethod
    def close(self) -> None: ...

    def skip_locked(self, select: sa.Select[Any]) -> sa.Select[Any]:
        """The select, claiming its rows and passing over those that others hold (a no-op with one writer)."""
        return select

    @abc.abstractmethod
    def serialise(self, cursor: Cursor, name: str) -> None:
        """Within a write transaction: let only one transaction at a time pass (a no-op with one writer)."""

    def confirm(self, queue_ids: Sequence[str]) -> bool:
        """After CommitUncertain: whether these messages are there after all, and durably."""
        return False

    def statement(self, element: ClauseElement) -> Statement:
        return Statement(element, self.dialect)
