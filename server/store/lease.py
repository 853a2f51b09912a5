"""Leases: which delivery process works on which queued recipients, and until when.

While a row is leased its `due` is the end of the lease, so that an expired lease is due again by itself. A row
whose leases ended three times without an outcome crashes its carrier: it is held for a person to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from mxward.server.store import rows
from mxward.server.store.api import HELD, QUEUED, Work, WorkRecipient
from mxward.server.store.backend import Backend
from mxward.server.store.schema import EVENT, MESSAGE, RECIPIENT, columns_of, literal
from mxward.server.store.spool import Ref
from mxward.server.store.sql import Cursor, Insert, Row

MAX_INTERRUPTED: Final = 3
ISOLATED: Final = f"isolated after {MAX_INTERRUPTED} interrupted attempts"
_R, _M = RECIPIENT.c, MESSAGE.c
_TAKEN: Final = (
    "queue_id", "n", "address", "notify", "orcpt", "attempts", "disposition", "delay_warned", "interrupted",
)  # fmt: skip
_SHOWN: Final = (
    "queue_id", "received_at", "direction", "sender", "size", "smtputf8", "body", "ret", "envid", "trace", "origin",
    "segment", "offset", "length",
)  # fmt: skip


class Leases:
    def __init__(self, backend: Backend) -> None:
        engine = self._engine = backend.engine
        self._recent = backend.recent
        self._event = Insert(EVENT, engine.dialect)
        queued, now = _R.state == literal(QUEUED), sa.bindparam("now", type_=sa.BigInteger)
        none, nothing = sa.literal_column("''", sa.Text), sa.literal_column("0", sa.BigInteger)
        due = queued & (_R.due <= now)
        self._any = engine.statement(sa.select(_R.due).where(due).limit(sa.literal_column("1")))
        one = sa.literal_column("1", sa.BigInteger)
        interrupted = _R.interrupted + sa.case((_R.lease_owner != none, one), else_=nothing)
        first = sa.select(_R.queue_id, interrupted).where(due).order_by(_R.due).limit(sa.bindparam("rows"))
        self._due = engine.statement(engine.skip_locked(first))
        # "+ 0" keeps SQLite from walking the whole due index for what the primary key finds at once.
        chosen = engine.one_of(_R.queue_id, "ids") & queued & (_R.due + nothing <= now)
        free = engine.skip_locked(sa.select(_R.queue_id, _R.n).where(chosen))
        where = sa.tuple_(_R.queue_id, _R.n).in_(free) if engine.name == "postgresql" else chosen
        self._take = engine.statement(
            sa.update(RECIPIENT)
            .where(where)
            .values(lease_owner=sa.bindparam("owner"), due=sa.bindparam("until"), interrupted=interrupted)
            .returning(*columns_of(RECIPIENT, _TAKEN))
        )
        self._hold = engine.statement(
            sa.update(RECIPIENT)
            .where(_R.queue_id == sa.bindparam("q"), _R.n == sa.bindparam("num"), queued)
            .values(
                state=literal(HELD), lease_owner=none, due=nothing, updated_at=sa.bindparam("at"),
                reply=sa.bindparam("why"), attempts=_R.attempts + one,
            )
        )  # fmt: skip
        self._messages = engine.statement(
            sa.select(*columns_of(MESSAGE, _SHOWN)).where(engine.one_of(_M.queue_id, "ids"))
        )
        mine = queued & (_R.lease_owner == sa.bindparam("owner"))
        self._renew = engine.statement(
            sa.update(RECIPIENT).where(mine, engine.one_of(_R.queue_id, "ids")).values(due=sa.bindparam("until"))
        )
        dead = queued & sa.func.substr(_R.lease_owner, 1, sa.bindparam("size")).__eq__(sa.bindparam("prefix"))
        self._reclaim = engine.statement(sa.update(RECIPIENT).where(dead).values(due=sa.bindparam("at")))
        self._release = engine.statement(
            sa.update(RECIPIENT)
            .where(queued & (_R.lease_owner == sa.bindparam("owner")))
            .values(lease_owner=none, due=sa.bindparam("at"))
        )
        self._next = engine.statement(sa.select(sa.func.min(_R.due)).where(queued))

    def lease(self, owner: str, limit: int, now: int, lease_us: int) -> list[Work]:
        if limit <= 0:
            return []
        with self._engine.read() as cursor:  # no lock is taken to learn that nothing is due
            if self._any.run(cursor, {"now": now}).fetchone() is None:
                return []
        with self._engine.write(durable=False) as cursor:
            found = self._due.run(cursor, {"now": now, "rows": limit}).fetchall()
            ids = _choose(found, limit)
            if not ids:
                return []
            given = self._engine.many(ids)
            values = {"ids": given, "now": now, "owner": owner, "until": now + lease_us}
            taken = self._take.run(cursor, values).fetchall()
            kept = self._isolate(cursor, taken, now)
            messages = self._messages.run(cursor, {"ids": given}).fetchall()
        for row in messages:
            if row[11] is not None:
                self._recent.put(row[0], Ref(row[11], row[12], row[13]))
        return _works(ids, kept, messages)

    def renew(self, owner: str, queue_ids: Sequence[str], until: int) -> None:
        if queue_ids:
            with self._engine.write(durable=False) as cursor:
                self._renew.run(cursor, {"owner": owner, "ids": self._engine.many(queue_ids), "until": until})

    def reclaim(self, prefix: str, now: int) -> int:
        with self._engine.write(durable=False) as cursor:
            return self._reclaim.run(cursor, {"prefix": prefix, "size": len(prefix), "at": now}).rowcount

    def release(self, owner: str, now: int) -> int:
        with self._engine.write(durable=False) as cursor:
            return self._release.run(cursor, {"owner": owner, "at": now}).rowcount

    def next_due(self) -> int:
        with self._engine.read() as cursor:
            return self._next.run(cursor).fetchone()[0] or 0

    def _isolate(self, cursor: Cursor, taken: list[Row], now: int) -> list[Row]:
        """Hold the rows that were interrupted too often; returns the others."""
        kept, events = [], []
        for row in taken:
            if row[8] < MAX_INTERRUPTED:
                kept.append(row)
                continue
            self._hold.run(cursor, {"q": row[0], "num": row[1], "at": now, "why": ISOLATED})
            events.append(rows.event_row(row[0], row[1], now, HELD, "store", ISOLATED))
        self._event.run(cursor, events)
        return kept


def _choose(found: list[Row], limit: int) -> list[str]:
    """Distinct ids in order; of those that are on their last attempt before isolation, only the first.

    A suspect travels alone, so that neighbours of a message that kills its carrier are not held with it.
    """
    ids: dict[str, None] = {}
    suspect = ""
    for queue_id, interrupted in found:
        if interrupted == MAX_INTERRUPTED - 1:
            suspect = suspect or queue_id
            if queue_id != suspect:
                continue
        ids[queue_id] = None
    return list(ids)[:limit]


def _works(ids: list[str], taken: list[Row], messages: list[Row]) -> list[Work]:
    by_id: dict[str, list[WorkRecipient]] = {}
    for queue_id, n, address, notify, orcpt, attempts, disposition, warned, _ in taken:
        additions: list[Any] = rows.load(disposition).get("additions", []) if disposition else []
        rcpt = WorkRecipient(n, address, notify, orcpt, attempts, additions, bool(warned))
        by_id.setdefault(queue_id, []).append(rcpt)
    found = {row[0]: row for row in messages}
    out = []
    for queue_id in ids:
        rcpts, m = by_id.get(queue_id), found.get(queue_id)
        if rcpts and m:
            rcpts.sort(key=lambda r: r.n)
            trace = m[9].encode("latin-1")
            out.append(Work(m[0], m[1], m[2], m[3], m[4], bool(m[5]), m[6], m[7], m[8], trace, m[10], rcpts))
    return out
