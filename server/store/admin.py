"""What people do to recipients: hold, release, delete, flush, reroute. Transitions are those of api.TRANSITIONS."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from mxward.core.errors import StoreError
from mxward.server.store import rows
from mxward.server.store.api import HELD, QUEUED, REDIRECTED, TRANSITIONS
from mxward.server.store.backend import Backend
from mxward.server.store.schema import EVENT, MESSAGE, RECIPIENT, literal
from mxward.server.store.sql import Cursor, Insert, Row, like

_R, _M = RECIPIENT.c, MESSAGE.c
_NONE: Final = sa.literal_column("''", sa.Text)
_ZERO: Final = sa.literal_column("0", sa.BigInteger)
# What an administrative change is called in the history, where the state's name would not say it.
_WORDS: Final = {QUEUED: "released"}


class Admin:
    def __init__(self, backend: Backend) -> None:
        engine = self._engine = backend.engine
        self._event = Insert(EVENT, engine.dialect)
        self._recipient = Insert(RECIPIENT, engine.dialect)
        self._rows = engine.statement(sa.select(RECIPIENT).where(_R.queue_id == sa.bindparam("q")).order_by(_R.n))
        self._added = engine.statement(
            sa.update(MESSAGE).where(_M.queue_id == sa.bindparam("q")).values(n_added=_M.n_added + 1)
        )
        self._count = engine.statement(sa.select(_M.n_rcpt + _M.n_added).where(_M.queue_id == sa.bindparam("q")))
        self._changes = {state: engine.statement(self._change(state)) for state in _sources()}

    def set_state(self, queue_id: str, n: int | None, state: str, at: int, actor: str, detail: str) -> int:
        """How many recipients went to `state`. Raises StoreError for a state nothing may be set to."""
        statement = self._changes.get(state)
        if statement is None:
            raise StoreError(f"no recipient can be set to {state!r}")
        given = -1 if n is None else n
        values = {
            "q": queue_id,
            "num": given,
            "at": at,
            "why": rows.clean(detail),
            "start": at if state == QUEUED else 0,
        }
        with self._engine.write() as cursor:
            changed = statement.run(cursor, values).fetchall()
            kind = _WORDS.get(state, state)
            self._event.run(cursor, [rows.event_row(queue_id, row[0], at, kind, actor, detail) for row in changed])
        return len(changed)

    def flush(self, domain: str, now: int, queue_id: str = "") -> int:
        """Make waiting recipients due now; those being delivered are left alone."""
        waiting = [_R.state == literal(QUEUED), _R.lease_owner == _NONE, _R.due > now]
        if domain:
            pattern = like("@" + domain).removesuffix("%")
            waiting.append(self._engine.contains(_R.address, pattern))
        if queue_id:
            waiting.append(_R.queue_id == queue_id)
        with self._engine.write() as cursor:
            return self._engine.statement(sa.update(RECIPIENT).where(*waiting).values(due=now)).run(cursor).rowcount

    def reroute(self, queue_id: str, n: int, address: str, at: int, actor: str) -> None:
        """Raises KeyError for an unknown recipient, StoreError when it is not queued or held, or being delivered."""
        with self._engine.write() as cursor:
            self._engine.serialise(cursor, f"reroute {queue_id}")
            found = {row[1]: row for row in self._rows.run(cursor, {"q": queue_id}).fetchall()}
            if n not in found:
                raise KeyError(f"{queue_id} recipient {n}")
            old = found[n]
            events = self._free(old, at, actor, address)
            self._update_redirected(cursor, queue_id, n, at, address)
            number = int(self._count.run(cursor, {"q": queue_id}).fetchone()[0])
            self._recipient.run(cursor, [_successor(old, number, rows.clean(address), at)])
            self._added.run(cursor, {"q": queue_id})
            events.append(rows.event_row(queue_id, number, at, "rerouted", actor, f"in place of recipient {n}"))
            self._event.run(cursor, events)

    def _free(self, old: Row, at: int, actor: str, address: str) -> list[Row]:
        """The history entries of a recipient that is redirected; raises when it cannot be."""
        state, owner, due = old[3], old[15], old[9]
        if state not in (QUEUED, HELD):
            raise StoreError(f"{old[0]} recipient {old[1]} is {state}: only queued or held ones can be rerouted")
        if owner and due > at:
            raise StoreError(f"{old[0]} recipient {old[1]} is being delivered; try again shortly")
        released = [rows.event_row(old[0], old[1], at, "released", actor, "to be rerouted")] if state == HELD else []
        return [*released, rows.event_row(old[0], old[1], at, REDIRECTED, actor, f"to {address}")]

    def _update_redirected(self, cursor: Cursor, queue_id: str, n: int, at: int, address: str) -> None:
        update = (
            sa.update(RECIPIENT)
            .where(_R.queue_id == queue_id, _R.n == n, _R.state.in_([literal(QUEUED), literal(HELD)]))
            .values(state=literal(REDIRECTED), due=_ZERO, lease_owner=_NONE, updated_at=at, reply=f"to {address}")
        )
        if self._engine.statement(update).run(cursor).rowcount != 1:
            raise StoreError(f"{queue_id} recipient {n} changed meanwhile; try again")

    def _change(self, state: str) -> sa.UpdateBase:
        sources = [literal(s) for s in sorted(_sources()[state])]
        idle = (_R.lease_owner == _NONE) | (_R.due <= sa.bindparam("at"))
        which = (sa.bindparam("num", type_=sa.BigInteger) < _ZERO) | (_R.n == sa.bindparam("num"))
        return (
            sa.update(RECIPIENT)
            .where(_R.queue_id == sa.bindparam("q"), which, _R.state.in_(sources), idle)
            .values(
                state=literal(state), due=sa.bindparam("start"), updated_at=sa.bindparam("at"),
                reply=sa.bindparam("why"), lease_owner=_NONE, interrupted=_ZERO,
            )
            .returning(_R.n)
        )  # fmt: skip


def _sources() -> dict[str, set[str]]:
    """For each state, the other states it may be reached from."""
    out: dict[str, set[str]] = {}
    for source, targets in TRANSITIONS.items():
        for target in targets - {source}:
            out.setdefault(target, set()).add(source)
    return out


def _successor(old: Row, n: int, address: str, at: int) -> Row:
    """The row of the new address: queued, with the old one's wishes and disposition."""
    queue_id, action, area, notify, orcpt, disposition = old[0], old[4], old[5], old[6], old[7], old[17]
    return (
        queue_id, n, address, QUEUED, action, area, notify, orcpt, 0, at, at, "", "", "", 0, "", 0, disposition,
    )  # fmt: skip
