"""Message tracking: one message, its history and its body, and searches over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from mxward.core.errors import StoreCorrupt
from mxward.server.store import rows
from mxward.server.store.api import Event, MessageQuery, MessageRow, RecipientRow
from mxward.server.store.backend import Backend
from mxward.server.store.schema import EVENT, MESSAGE, RECIPIENT, columns_of, literal
from mxward.server.store.spool import Ref
from mxward.server.store.sql import Cursor, Row, like

_M, _R, _E = MESSAGE.c, RECIPIENT.c, EVENT.c
_PAGE: Final = 500
_SHOWN: Final = (
    "queue_id", "received_at", "direction", "sender", "size", "client_ip", "client_name", "helo", "protocol", "tls",
    "auth_user", "subject", "header_from", "message_id", "verdict", "score", "policy_version", "origin", "parent",
    "judgement",
)  # fmt: skip
_RCPT: Final = (
    "queue_id", "n", "address", "state", "action", "area", "attempts", "due", "updated_at", "reply", "route",
    "disposition", "lease_owner",
)  # fmt: skip


class Tracking:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        engine = self._engine = backend.engine
        one = _M.queue_id == sa.bindparam("q")
        self._recipients = engine.statement(
            sa.select(*columns_of(RECIPIENT, _RCPT))
            .where(engine.one_of(_R.queue_id, "ids"))
            .order_by(_R.queue_id, _R.n)
        )
        self._message = engine.statement(sa.select(*columns_of(MESSAGE, _SHOWN)).where(one))
        self._ref = engine.statement(sa.select(_M.segment, _M.offset, _M.length).where(one))
        self._events = engine.statement(
            sa.select(_E.queue_id, _E.n, _E.at, _E.kind, _E.actor, _E.detail)
            .where(_E.queue_id == sa.bindparam("q"))
            .order_by(_E.at, _E.id)
        )

    def body(self, queue_id: str) -> bytes:
        """The message as received. Raises KeyError (unknown or dropped), StoreCorrupt."""
        ref = self._backend.recent.take(queue_id) or self._where(queue_id)
        while True:
            try:
                return self._backend.sealer.open(self._backend.bodies.read(queue_id, ref), queue_id)
            except (FileNotFoundError, StoreCorrupt) as error:
                moved = self._where(queue_id)  # compaction may have moved it meanwhile
                if moved == ref:
                    raise StoreCorrupt(f"{queue_id}: {error}") from error
                ref = moved

    def message(self, queue_id: str) -> MessageRow | None:
        with self._engine.read() as cursor:
            found = self._message.run(cursor, {"q": queue_id}).fetchall()
            shown = self._with_recipients(cursor, found)
        return shown[0] if shown else None

    def events(self, queue_id: str) -> list[Event]:
        """Oldest first. "accepted" is read off the message's own row."""
        with self._engine.read() as cursor:
            found = self._message.run(cursor, {"q": queue_id}).fetchone()
            later = [Event(*row) for row in self._events.run(cursor, {"q": queue_id}).fetchall()]
        if found is None:
            return later
        detail = f"from <{found[3]}>, {found[4]} bytes, verdict {found[14]}"
        if found[5]:
            detail += f", client {found[6] or '?'} [{found[5]}]"
        return [Event(queue_id, -1, found[1], "accepted", found[17], detail), *later]

    def find(self, query: MessageQuery) -> list[MessageRow]:
        return self._page(query, newest_first=True, limit=max(0, query.limit), after="")

    def iterate(self, query: MessageQuery) -> Iterator[MessageRow]:
        """Pages of their own, so that no reader holds a snapshot open for long."""
        after = ""
        while True:
            page = self._page(query, newest_first=False, limit=_PAGE, after=after)
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].queue_id

    def _where(self, queue_id: str) -> Ref:
        with self._engine.read() as cursor:
            row = self._ref.run(cursor, {"q": queue_id}).fetchone()
        if row is None or row[0] is None:
            raise KeyError(queue_id)
        return Ref(*row)

    def _page(self, query: MessageQuery, *, newest_first: bool, limit: int, after: str) -> list[MessageRow]:
        conditions = self._conditions(query)
        if query.before_id:
            conditions.append(_M.queue_id < query.before_id)
        if after:
            conditions.append(_M.queue_id > after)
        order = _M.queue_id.desc() if newest_first else _M.queue_id.asc()
        select = sa.select(*columns_of(MESSAGE, _SHOWN)).where(*conditions).order_by(order).limit(limit)
        with self._engine.read() as cursor:
            found = self._engine.statement(select).run(cursor).fetchall()
            return self._with_recipients(cursor, found)

    def _with_recipients(self, cursor: Cursor, found: Sequence[Row]) -> list[MessageRow]:
        by_id: dict[str, list[RecipientRow]] = {row[0]: [] for row in found}
        if found:
            for row in self._recipients.run(cursor, {"ids": self._engine.many(list(by_id))}).fetchall():
                by_id[row[0]].append(_rcpt(*row[1:]))
        return [_shown(row, by_id[row[0]]) for row in found]

    def _conditions(self, query: MessageQuery) -> list[sa.ColumnElement[bool]]:
        out: list[sa.ColumnElement[bool]] = []
        contains = self._engine.contains
        if query.sender:
            out.append(contains(_M.sender, like(query.sender)))
        if query.subject:
            out.append(contains(_M.subject, like(query.subject)))
        if query.text:
            out.append(self._anywhere(query.text))
        for column, value in ((_M.verdict, query.verdict), (_M.direction, query.direction)):
            if value:
                out.append(column == value)
        if query.since:
            out.append(_M.received_at >= query.since)
        if query.until:
            out.append(_M.received_at < query.until)
        rcpt = self._rcpt_conditions(query)
        if rcpt:
            out.append(_M.queue_id.in_(sa.select(_R.queue_id).where(*rcpt)))
        return out

    def _anywhere(self, text: str) -> sa.ColumnElement[bool]:
        pattern, contains = like(text), self._engine.contains
        rcpt: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
            _R.queue_id == _M.queue_id, contains(_R.address, pattern)
        )
        own: list[Any] = [contains(c, pattern) for c in (_M.sender, _M.subject, _M.header_from, _M.message_id)]
        return sa.or_(_M.queue_id == text, *own, rcpt.exists())

    def _rcpt_conditions(self, query: MessageQuery) -> list[sa.ColumnElement[bool]]:
        """All about one recipient row: a message matches when some recipient meets all of them."""
        out: list[sa.ColumnElement[bool]] = []
        if query.recipient:
            out.append(self._engine.contains(_R.address, like(query.recipient)))
        if query.state:
            known = query.state.isalpha() and query.state.isascii()
            out.append(_R.state == literal(query.state) if known else sa.false())
        if query.area:
            out.append(_R.area == query.area)
        return out


def _shown(row: Row, recipients: list[RecipientRow]) -> MessageRow:
    fields: dict[str, Any] = dict(zip(_SHOWN, row, strict=True))
    fields["judgement"] = rows.load(fields["judgement"])
    return MessageRow(**fields, recipients=recipients)


def _rcpt(*row: Any) -> RecipientRow:
    *fields, disposition, owner = row
    n, address, state, action, area, attempts, due, updated_at, reply, route = fields
    lease_until = due if owner else 0  # while leased, `due` is the end of the lease
    return RecipientRow(
        n, address, state, action, area, attempts, due, updated_at, reply, route, rows.load(disposition), lease_until
    )
