"""The ledger's proof: what was accepted, counted apart from what became of it, and every inconsistency in words."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from mxward.server.store import api
from mxward.server.store.api import LedgerCount
from mxward.server.store.backend import Backend
from mxward.server.store.bodies import SpoolBodies
from mxward.server.store.engine import Engine
from mxward.server.store.schema import IN_DATABASE, MESSAGE, RECIPIENT, literal
from mxward.server.store.sql import Cursor

_M, _R = MESSAGE.c, RECIPIENT.c
_SHOWN: Final = 20  # problems of one kind that are written out
_OPEN: Final = (api.QUEUED, api.HELD, api.QUARANTINED)


class Ledger:
    def __init__(self, backend: Backend) -> None:
        self._backend, self._engine = backend, backend.engine
        engine = backend.engine
        self._accepted = engine.statement(sa.select(sa.func.coalesce(sa.func.sum(_M.n_rcpt + _M.n_added), 0)))
        self._states = engine.statement(sa.select(_R.state, sa.func.count()).group_by(_R.state))
        self._segments = engine.statement(
            sa.select(_M.segment, sa.func.max(_M.offset + _M.length))
            .where(_M.segment.is_not(None))
            .group_by(_M.segment)
        )
        self._probes = _probes(engine)

    def verify(self) -> LedgerCount:
        """Counted from one snapshot. Cost: a pass over both tables."""
        with self._engine.snapshot() as cursor:
            accepted = int(self._accepted.run(cursor).fetchone()[0])
            states: dict[str, int] = dict(self._states.run(cursor).fetchall())
            problems = [text for statement, words in self._probes for text in _found(cursor, statement, words)]
            segments = dict(self._segments.run(cursor).fetchall())
        problems += [f"{n} recipients in unknown state {s!r}" for s, n in states.items() if s not in api.STATES]
        problems += self._missing(segments)
        n = {state: states.get(state, 0) for state in api.STATES}
        return LedgerCount(
            accepted, n[api.QUEUED], n[api.DELIVERED], n[api.HELD] + n[api.QUARANTINED],
            n[api.DISCARDED] + n[api.EXPIRED], n[api.BOUNCED], n[api.REDIRECTED], problems,
        )  # fmt: skip

    def counts(self, since: int) -> dict[str, Any]:
        """Open states as they stand; final states, verdicts and directions of messages received since."""
        recent = _M.received_at >= since
        joined = RECIPIENT.join(MESSAGE, _R.queue_id == _M.queue_id)
        final = sa.select(_R.state, sa.func.count()).select_from(joined).where(recent).group_by(_R.state)
        queued = sa.select(_R.queue_id).where(_R.state == literal(api.QUEUED))
        with self._engine.snapshot() as cursor:
            by_state = {s: n for s, n in self._pairs(cursor, final).items() if s in api.FINAL_STATES}
            for state in _OPEN:
                by_state.update(self._pairs(cursor, _tally(_R.state).where(_R.state == literal(state))))
            oldest = self._engine.statement(sa.select(sa.func.min(_M.received_at)).where(_M.queue_id.in_(queued)))
            return {
                "by_verdict": self._pairs(cursor, _tally(_M.verdict).where(recent)),
                "by_direction": self._pairs(cursor, _tally(_M.direction).where(recent)),
                "by_state": by_state,
                "oldest_queued": oldest.run(cursor).fetchone()[0] or 0,
            }

    def _pairs(self, cursor: Cursor, select: sa.Select[str, int]) -> dict[str, int]:
        return dict(self._engine.statement(select).run(cursor).fetchall())

    def _missing(self, segments: dict[str, int]) -> list[str]:
        """Spool segments that rows refer to and the disk does not have, or has too short."""
        bodies = self._backend.bodies
        if not isinstance(bodies, SpoolBodies):
            return []
        problems = []
        for segment, needed in segments.items():
            size = bodies.spool.size(segment) if segment != IN_DATABASE else -1
            if size < needed:
                problems.append(f"spool segment {segment}: {max(size, 0)} bytes, but records reach to {needed}")
        return problems


def _tally(column: sa.ColumnElement[str]) -> sa.Select[str, int]:
    return sa.select(column, sa.func.count()).group_by(column)


def _found(cursor: Cursor, statement: Any, words: str) -> list[str]:
    found = statement.run(cursor).fetchall()
    out = [words.format(*row) for row in found[:_SHOWN]]
    if len(found) > _SHOWN:
        out.append(f"and more of: {words.format('...', '...', '...')}")
    return out


def _probes(engine: Engine) -> list[tuple[Any, str]]:
    """Each a select of offending rows and the words for one of them."""
    orphan = sa.select(_R.queue_id, _R.n).where(~sa.exists().where(_M.queue_id == _R.queue_id))
    bodiless = sa.select(_R.queue_id, _R.n, _R.state).where(
        _R.state.in_([literal(s) for s in _OPEN]), sa.exists().where(_M.queue_id == _R.queue_id, _M.segment.is_(None))
    )
    per_message = sa.select(_R.queue_id.label("q"), sa.func.count().label("k"), sa.func.max(_R.n).label("top"))
    counted = per_message.group_by(_R.queue_id).subquery()
    total = _M.n_rcpt + _M.n_added
    both = sa.outerjoin(MESSAGE, counted, _M.queue_id == counted.c.q)
    have = sa.func.coalesce(counted.c.k, 0)
    uneven = sa.select(_M.queue_id, total, have).select_from(both).where(have != total)
    gaps = sa.select(counted.c.q, counted.c.top).where(counted.c.top + 1 != counted.c.k)
    leased = sa.select(_R.queue_id, _R.n, _R.state).where(
        _R.state != literal(api.QUEUED), _R.lease_owner != sa.literal_column("''")
    )
    probes = [
        (orphan, "{0} recipient {1}: no message"),
        (bodiless, "{0} recipient {1}: {2} but the message body is gone"),
        (uneven, "{0}: {1} recipients accepted but {2} rows"),
        (gaps, "{0}: recipient numbers are not 0..{1} without gaps"),
        (leased, "{0} recipient {1}: {2} and still leased"),
    ]
    return [(engine.statement(select.limit(_SHOWN + 1)), words) for select, words in probes]
