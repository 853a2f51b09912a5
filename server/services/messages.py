"""Message tracking: find, show, and say in plain English what became of a message and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from mxward.core.policy import plain
from mxward.server.services.context import Context
from mxward.server.services.errors import NotFound
from mxward.server.store.api import (
    BOUNCED,
    DELIVERED,
    DISCARDED,
    EXPIRED,
    HELD,
    QUARANTINED,
    QUEUED,
    REDIRECTED,
    Event,
    MessageQuery,
    MessageRow,
    RecipientRow,
)

_FATES: Final = {
    DELIVERED: "It was delivered",
    HELD: "It is held until an administrator decides",
    QUARANTINED: "It is in the quarantine",
    BOUNCED: "It could not be delivered, and the sender was told where that is allowed",
    DISCARDED: "It was discarded",
    REDIRECTED: "It was redirected to another address",
    EXPIRED: "It was kept until its time was over and then removed",
}


def find(context: Context, query: MessageQuery) -> list[MessageRow]:
    """Messages that match, newest first."""
    return context.store.find(query)


def show(context: Context, queue_id: str) -> tuple[MessageRow, list[Event]]:
    """One message and its history. Raises NotFound."""
    row = context.store.message(queue_id)
    if row is None:
        raise NotFound(f"there is no message {queue_id!r}")
    return row, context.store.events(queue_id)


def body(context: Context, queue_id: str) -> bytes:
    """The message exactly as received. Raises NotFound when it is unknown or its body has expired."""
    try:
        return context.store.body(queue_id)
    except KeyError:
        raise NotFound(f"the content of {queue_id!r} is not kept (any more)") from None


def explain(row: MessageRow) -> str:
    """What came, how it was judged and what became of it for each recipient, in plain English.

    Values from the message are quoted as they are: who prints them escapes them for the medium.
    """
    sender = row.sender or "the null sender (a notification)"
    subject = f' with the subject "{row.subject}"' if row.subject else " without a subject"
    source = " ".join(filter(None, (row.client_name, f"[{row.client_ip}]" if row.client_ip else ""))) or "this gateway"
    first = (
        f"{_when(row.received_at)}: {row.direction} message from {sender}{subject}, {row.size:,} bytes, from {source}."
    )
    packs = ", ".join(map(str, row.judgement.get("packs", ())))
    parts = [f"{first} It was judged with {packs}." if packs else first]
    for rcpt in row.recipients:
        reason = plain.describe(row.judgement, rcpt.disposition) if rcpt.disposition else ""
        if reason and _was_released(rcpt):
            reason = f"It had been kept back and was released; its history says by whom. When it came: {reason}"
        parts.append(f"{rcpt.address}: {' '.join(filter(None, (_fate(rcpt), reason)))}")
    return "\n\n".join(parts)


def _was_released(rcpt: RecipientRow) -> bool:
    return rcpt.disposition.get("action") in ("quarantine", "hold") and rcpt.state in (QUEUED, DELIVERED, BOUNCED)


def _fate(rcpt: RecipientRow) -> str:
    said = f' ("{rcpt.reply}")' if rcpt.reply else ""
    if rcpt.state != QUEUED:
        area = f" ({rcpt.area})" if rcpt.state == QUARANTINED and rcpt.area else ""
        at = f" on {_when(rcpt.updated_at)}" if rcpt.updated_at else ""
        via = f" by {rcpt.route}" if rcpt.state == DELIVERED and rcpt.route else ""
        return f"{_FATES[rcpt.state]}{area}{at}{via}{said}."
    if not rcpt.attempts:
        return "It is waiting for its first delivery."
    times = "once" if rcpt.attempts == 1 else f"{rcpt.attempts} times"
    return f"It was tried {times} without success{said} and will be tried again on {_when(rcpt.next_attempt)}."


def _when(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%-d %B %Y at %H:%M:%S UTC")


def as_dict(row: MessageRow, events: Sequence[Event] = ()) -> dict[str, Any]:
    """The JSON form of `message find` and `message show`; times in seconds since the epoch."""
    doc: dict[str, Any] = {
        name: getattr(row, name)
        for name in (
            "queue_id", "direction", "sender", "size", "client_ip", "client_name", "helo", "protocol", "tls",
            "auth_user", "subject", "header_from", "message_id", "verdict", "score", "policy_version", "origin",
            "parent", "judgement",
        )
    }  # fmt: skip
    doc["received_at"] = row.received_at / 1e6
    doc["recipients"] = [recipient_as_dict(rcpt) for rcpt in row.recipients]
    if events:
        doc["events"] = [event_as_dict(event) for event in events]
    return doc


def recipient_as_dict(rcpt: RecipientRow) -> dict[str, Any]:
    """The JSON form of one ledger row."""
    return {
        "n": rcpt.n, "address": rcpt.address, "state": rcpt.state, "action": rcpt.action, "area": rcpt.area,
        "attempts": rcpt.attempts, "next_attempt": rcpt.next_attempt / 1e6, "updated_at": rcpt.updated_at / 1e6,
        "reply": rcpt.reply, "route": rcpt.route, "disposition": rcpt.disposition,
    }  # fmt: skip


def event_as_dict(event: Event) -> dict[str, Any]:
    """The JSON form of one line of history."""
    return {
        "n": event.n, "at": event.at / 1e6, "kind": event.kind, "actor": event.actor, "detail": event.detail,
    }  # fmt: skip
