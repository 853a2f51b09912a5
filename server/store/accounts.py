"""Users of console and API."""

from __future__ import annotations

import sqlalchemy as sa

from mxward.server.store.api import UserRow
from mxward.server.store.backend import Backend
from mxward.server.store.schema import ACCOUNT
from mxward.server.store.sql import Insert, Row

_A = ACCOUNT.c


class Accounts:
    def __init__(self, backend: Backend) -> None:
        engine = self._engine = backend.engine
        named = _A.name == sa.bindparam("who")
        self._all = engine.statement(sa.select(ACCOUNT).order_by(_A.name))
        self._one = engine.statement(sa.select(ACCOUNT).where(named))
        self._delete = engine.statement(sa.delete(ACCOUNT).where(named))
        self._insert = Insert(ACCOUNT, engine.dialect)

    def get(self, name: str) -> UserRow | None:
        with self._engine.read() as cursor:
            row = self._one.run(cursor, {"who": name}).fetchone()
        return _user(row) if row else None

    def put(self, user: UserRow) -> None:
        """Create or replace."""
        flags = (int(user.disabled), int(user.must_change))
        row = (user.name, user.password_hash, user.role, user.created_at, *flags)
        with self._engine.write() as cursor:
            self._engine.serialise(cursor, "account")
            self._delete.run(cursor, {"who": user.name})
            self._insert.run(cursor, [row])

    def all(self) -> list[UserRow]:
        with self._engine.read() as cursor:
            return [_user(row) for row in self._all.run(cursor).fetchall()]


def _user(row: Row) -> UserRow:
    return UserRow(row[0], row[1], row[2], row[3], bool(row[4]), bool(row[5]))
