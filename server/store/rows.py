"""Rows out of the API's records and back: the one place that knows the order of columns."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any, Final

import orjson

from mxward.core.errors import StoreError
from mxward.server.store import api
from mxward.server.store.crypto import Sealed
from mxward.server.store.queueid import is_queue_id
from mxward.server.store.spool import Ref
from mxward.server.store.sql import Row

_DIRECT: Final = frozenset((api.QUEUED, api.QUARANTINED, api.HELD, api.DISCARDED, api.REDIRECTED))
_event_ids = itertools.count(time.time_ns())


def clean(text: str) -> str:
    """Text that both databases can hold: without NUL and lone surrogates. Cost: 50 ns for ordinary text."""
    if text.isprintable():
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def dump(document: dict[str, Any]) -> str:
    if not document:
        return ""
    try:
        return orjson.dumps(document).decode()
    except orjson.JSONEncodeError:  # lone surrogates, numbers beyond 64 bits
        return clean(json.dumps(document, ensure_ascii=False, default=repr))


def load(text: str) -> dict[str, Any]:
    return orjson.loads(text) if text else {}


def check(message: api.NewMessage) -> None:
    """Raises StoreError for a message that can never be stored: the caller's mistake."""
    if not is_queue_id(message.queue_id):
        raise StoreError(f"{message.queue_id!r} is not a queue id")
    if not message.recipients:
        raise StoreError(f"{message.queue_id}: no recipients")
    for rcpt in message.recipients:
        if rcpt.state not in _DIRECT:
            raise StoreError(f"{message.queue_id}: a recipient cannot begin as {rcpt.state!r}")


def message_row(m: api.NewMessage, sealed: Sealed, ref: Ref) -> Row:
    """In the order of schema.MESSAGE."""
    return (
        m.queue_id, m.received_at, m.direction, clean(m.sender), len(m.raw), m.trace.decode("latin-1"),
        m.client_ip, clean(m.client_name), clean(m.helo), m.protocol, clean(m.tls), clean(m.auth_user), m.body,
        1 if m.smtputf8 else 0, m.ret, clean(m.envid), clean(m.subject[:250]), clean(m.header_from[:320]),
        clean(m.message_id), m.verdict, float(m.score), m.policy_version, dump(m.judgement), m.origin, m.parent,
        len(m.recipients), 0, sealed.digest, ref.segment, ref.offset, ref.length,
    )  # fmt: skip


def recipient_row(queue_id: str, n: int, r: api.NewRecipient, at: int) -> Row:
    """In the order of schema.RECIPIENT."""
    due = r.next_attempt or at if r.state == api.QUEUED else 0
    return (
        queue_id, n, clean(r.address), r.state, r.action, r.area, r.notify, clean(r.orcpt), 0, due, at, "", "", "",
        0, "", 0, dump(r.disposition),
    )  # fmt: skip


def event_row(queue_id: str, n: int, at: int, kind: str, actor: str, detail: str) -> Row:
    """In the order of schema.EVENT; ids rise within a process and start at its own nanosecond."""
    return (queue_id, next(_event_ids), n, at, kind, clean(actor), clean(detail))
