"""The audit trail: append-only, each entry carrying the hash of the one before, verifiable offline."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import orjson
import sqlalchemy as sa

from mxward.server.store import rows
from mxward.server.store.api import AuditRow
from mxward.server.store.backend import Backend
from mxward.server.store.schema import AUDIT
from mxward.server.store.sql import Cursor, Insert, Row

GENESIS: Final = "0" * 64
_A = AUDIT.c
_PAGE: Final = 1000


class Audit:
    def __init__(self, backend: Backend) -> None:
        engine = self._engine = backend.engine
        self._insert = Insert(AUDIT, engine.dialect)
        last = sa.select(_A.id, _A.hash).order_by(_A.id.desc()).limit(1)
        self._last = engine.statement(last)
        self._page = engine.statement(
            sa.select(AUDIT).where(_A.id > sa.bindparam("after")).order_by(_A.id).limit(_PAGE)
        )
        self._newest = engine.statement(
            sa.select(AUDIT).where(_A.id < sa.bindparam("before")).order_by(_A.id.desc()).limit(sa.bindparam("k"))
        )

    def append(self, at: int, actor: str, action: str, object_: str, detail: dict[str, Any]) -> None:
        with self._engine.write() as cursor:
            self.append_within(cursor, at, actor, action, object_, detail)

    def append_within(
        self, cursor: Cursor, at: int, actor: str, action: str, object_: str, detail: dict[str, Any]
    ) -> None:
        """Within a write transaction: the entry stands or falls with what it tells of."""
        self._engine.serialise(cursor, "audit")
        last = self._last.run(cursor).fetchone()
        number, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        text = rows.clean(orjson.dumps(detail, option=orjson.OPT_SORT_KEYS, default=repr).decode())
        entry = (number, at, rows.clean(actor), rows.clean(action), rows.clean(object_), text)
        self._insert.run(cursor, [(*entry, previous, chain_hash(entry, previous))])

    def verify(self) -> list[str]:
        """Problems of the chain, in words; empty when every entry follows from the one before."""
        problems: list[str] = []
        previous, expected = GENESIS, 1
        for row in self._rows():
            if row[0] != expected:
                problems.append(f"audit entry {expected} is missing")
            if row[6] != previous or row[7] != chain_hash(row[:6], row[6]):
                problems.append(f"audit entry {row[0]} was changed, or one before it was")
            previous, expected = row[7], row[0] + 1
        return problems

    def list(self, before: int, limit: int) -> list[AuditRow]:
        """Newest first; `before` is an entry number for paging, 0 for the end."""
        values = {"before": before or 1 << 62, "k": limit}
        with self._engine.read() as cursor:
            found = self._newest.run(cursor, values).fetchall()
        return [AuditRow(row[0], row[1], row[2], row[3], row[4], orjson.loads(row[5])) for row in found]

    def _rows(self) -> Any:
        after = 0
        while True:
            with self._engine.read() as cursor:
                page = self._page.run(cursor, {"after": after}).fetchall()
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1][0]


def chain_hash(entry: Row, previous: str) -> str:
    """SHA-256 over the previous hash and the entry (number, time, actor, action, object, detail) as JSON."""
    return hashlib.sha256(previous.encode() + orjson.dumps(list(entry))).hexdigest()
