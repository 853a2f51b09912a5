"""Retention: the quarantine expires, and bodies that nobody can need any more are dropped.

Never touches mail that is queued or held. Rows stay: the ledger is for ever. Work goes in small transactions,
so that mail flows between them. What this leaves behind in the spool is compact.py's business.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from mxward.server.store import rows
from mxward.server.store.api import EXPIRED, HELD, QUARANTINED, QUEUED
from mxward.server.store.backend import Backend
from mxward.server.store.bodies import RowBodies, SpoolBodies
from mxward.server.store.compact import Compactor, rewrap_rows
from mxward.server.store.schema import EVENT, MESSAGE, RECIPIENT, literal
from mxward.server.store.sql import Insert, Row

_R, _M = RECIPIENT.c, MESSAGE.c
_STEP: Final = 500  # rows a transaction
_DAY_US: Final = 86_400_000_000


class Purge:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        engine = self._engine = backend.engine
        self._event = Insert(EVENT, engine.dialect)
        old = sa.select(_R.queue_id, _R.n).where(
            _R.state == literal(QUARANTINED), _R.updated_at < sa.bindparam("before")
        )
        self._expire = engine.statement(
            sa.update(RECIPIENT)
            .where(sa.tuple_(_R.queue_id, _R.n).in_(old.limit(_STEP)))
            # Again outside: PostgreSQL asks only this part anew after waiting for somebody who released the row.
            .where(_R.state == literal(QUARANTINED), _R.updated_at < sa.bindparam("before"))
            .values(state=literal(EXPIRED), updated_at=sa.bindparam("at"), reply=sa.bindparam("why"))
            .returning(_R.queue_id, _R.n)
        )
        open_states = [literal(s) for s in (QUEUED, HELD, QUARANTINED)]
        settled = ~sa.exists().where(_R.queue_id == _M.queue_id, _R.state.in_(open_states))
        self._segments = engine.statement(sa.select(_M.segment).where(_M.segment.is_not(None)).distinct())
        here = (_M.segment == sa.bindparam("seg")) & (_M.received_at < sa.bindparam("before"))
        self._old = engine.statement(sa.select(_M.queue_id).where(here, settled).limit(_STEP))
        self._drop = engine.statement(
            sa.update(MESSAGE)
            .where(engine.one_of(_M.queue_id, "ids"), _M.segment.is_not(None), settled)
            .values(segment=sa.null())
            .returning(_M.queue_id)
        )

    def run(self, now: int, keep_us: int) -> dict[str, int]:
        """Counts of what was done: expired recipients, bodies dropped, records moved and segments removed."""
        days = self._backend.config.store.quarantine_days
        expired, bodies = self._expire_quarantine(now, now - int(days * _DAY_US))
        done = {"expired": expired, "bodies": bodies + self._drop_old(now - keep_us)}
        homes = self._backend.bodies
        if isinstance(homes, SpoolBodies):
            done |= Compactor(self._backend, homes.spool).run()
        elif isinstance(homes, RowBodies):
            done |= rewrap_rows(self._backend, homes)
        return done

    def _expire_quarantine(self, now: int, before: int) -> tuple[int, int]:
        expired = bodies = 0
        values = {"before": before, "at": now, "why": "quarantine period over"}
        while True:
            with self._engine.write() as cursor:
                gone: list[Row] = self._expire.run(cursor, values).fetchall()
                self._event.run(
                    cursor, [rows.event_row(q, n, now, EXPIRED, "store", "quarantine period over") for q, n in gone]
                )
            if not gone:
                return expired, bodies
            expired += len(gone)
            bodies += self._forget(sorted({row[0] for row in gone}))

    def _drop_old(self, before: int) -> int:
        dropped = 0
        with self._engine.read() as cursor:
            segments = [row[0] for row in self._segments.run(cursor).fetchall()]
        for segment in segments:
            while True:
                with self._engine.read() as cursor:
                    found = self._old.run(cursor, {"seg": segment, "before": before}).fetchall()
                if not found:
                    break
                dropped += self._forget([row[0] for row in found])
        return dropped

    def _forget(self, ids: list[str]) -> int:
        """Drop the bodies of those messages that are settled now; the condition is tested again inside."""
        homes = self._backend.bodies
        with self._engine.write() as cursor:
            gone = [row[0] for row in self._drop.run(cursor, {"ids": self._engine.many(ids)}).fetchall()]
            if isinstance(homes, RowBodies):
                for queue_id in gone:
                    homes.drop(cursor, queue_id)
        return len(gone)
