"""Outcomes of delivery attempts: the only way a leased recipient leaves the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from mxward.core.errors import StoreError
from mxward.server.store import rows
from mxward.server.store.api import FINAL_STATES, QUEUED, TRANSITIONS, Outcome
from mxward.server.store.backend import Backend
from mxward.server.store.schema import EVENT, RECIPIENT, literal
from mxward.server.store.sql import Cursor, Insert, Row

_R = RECIPIENT.c


class Outcomes:
    def __init__(self, backend: Backend) -> None:
        engine = backend.engine
        self._event = Insert(EVENT, engine.dialect)
        names = ("state", "due", "at", "reply", "route", "tls", "warned")
        new: dict[str, sa.ColumnElement[Any]] = {name: sa.bindparam(f"new_{name}") for name in names}
        here = (_R.queue_id == sa.bindparam("q")) & (_R.n == sa.bindparam("num"))
        self._update = engine.statement(
            sa.update(RECIPIENT)
            .where(here, _R.state == literal(QUEUED))
            .values(
                state=new["state"], due=new["due"], attempts=_R.attempts + sa.literal_column("1"), updated_at=new["at"],
                reply=new["reply"], route=new["route"], tls=new["tls"],
                delay_warned=sa.case((new["warned"] > 0, sa.literal_column("1")), else_=_R.delay_warned),
                lease_owner=sa.literal_column("''"), interrupted=sa.literal_column("0"),
            )
        )  # fmt: skip
        self._state = engine.statement(sa.select(_R.state).where(here))

    def apply(self, cursor: Cursor, outcomes: Sequence[Outcome]) -> None:
        """Within a write transaction. An outcome of a recipient that is no longer queued changes nothing."""
        events: list[Row] = []
        for o in outcomes:
            if o.state not in TRANSITIONS[QUEUED]:
                raise StoreError(f"{o.queue_id}: {o.state!r} is no outcome")
            self._update.run(cursor, _values(o))
            kind = _kind(o) if cursor.rowcount == 1 else self._late(cursor, o)
            if kind:
                detail = f"{o.reply} [{o.route}]" if o.route else o.reply
                events.append(rows.event_row(o.queue_id, o.n, o.at, kind, o.actor, detail))
        self._event.run(cursor, events)

    def _late(self, cursor: Cursor, outcome: Outcome) -> str:
        """A recipient held meanwhile keeps its state, but its history says what really happened."""
        found = self._state.run(cursor, {"q": outcome.queue_id, "num": outcome.n}).fetchone()
        return "" if found is None or found[0] in FINAL_STATES else f"late {outcome.state}"


def _values(o: Outcome) -> dict[str, object]:
    return {
        "new_state": o.state, "new_due": o.next_attempt or o.at if o.state == QUEUED else 0, "new_at": o.at,
        "new_reply": rows.clean(o.reply), "new_route": rows.clean(o.route), "new_tls": o.tls,
        "new_warned": 1 if o.delay_warned else 0, "q": o.queue_id, "num": o.n,
    }  # fmt: skip


def _kind(outcome: Outcome) -> str:
    return "deferred" if outcome.state == QUEUED else outcome.state
