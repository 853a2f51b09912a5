"""The queue: what waits for delivery or is held, in the words of postqueue(1), and what may be done with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, NotFound
from mxward.server.services.wake import wake_delivery
from mxward.server.store.api import DISCARDED, HELD, QUEUED, MessageQuery, MessageRow, RecipientRow

ALL: Final = ("ALL",)
# Upper bounds of the age columns of `shape`, in minutes, as qshape(1) has them.
AGES: Final = (5, 10, 20, 40, 80, 160, 320, 640, 1280)


def entries(
    context: Context, *, text: str = "", recipient: str = "", sender: str = "", held_only: bool = False
) -> Iterator[dict[str, Any]]:
    """One dictionary a message and queue, oldest first, with the keys of `postqueue -j`.

    queue_name: incoming (not tried yet), active (being delivered now), deferred (tried, waiting), hold. A message
    whose recipients are in different queues comes once for each, with the recipients that are there.
    """
    now = context.clock.now_us()
    for row in _open_rows(context, text, recipient, sender, (HELD,) if held_only else (QUEUED, HELD)):
        by_queue: dict[str, list[RecipientRow]] = {}
        for rcpt in row.recipients:
            if rcpt.state in (QUEUED, HELD):
                by_queue.setdefault(_queue_name(rcpt, now), []).append(rcpt)
        for name, rcpts in by_queue.items():
            if not held_only or name == "hold":
                yield _entry(row, name, rcpts)


def _open_rows(context: Context, text: str, recipient: str, sender: str, states: Sequence[str]) -> Iterator[MessageRow]:
    seen: set[str] = set()  # of messages that have recipients in both states
    for state in states:
        for row in context.store.iterate(MessageQuery(text=text, recipient=recipient, sender=sender, state=state)):
            if state == states[0] and any(r.state in states[1:] for r in row.recipients):
                seen.add(row.queue_id)
            elif row.queue_id in seen:
                continue
            yield row


def _queue_name(rcpt: RecipientRow, now: int) -> str:
    if rcpt.state == HELD:
        return "hold"
    if rcpt.lease_until > now:
        return "active"
    return "deferred" if rcpt.attempts else "incoming"


def _entry(row: MessageRow, queue_name: str, rcpts: Sequence[RecipientRow]) -> dict[str, Any]:
    return {
        "queue_name": queue_name,
        "queue_id": row.queue_id,
        "arrival_time": row.received_at // 1_000_000,
        "message_size": row.size,
        "forced_expire": False,
        "sender": row.sender or "MAILER-DAEMON",
        "recipients": [_recipient(rcpt) for rcpt in rcpts],
    }


def _recipient(rcpt: RecipientRow) -> dict[str, str]:
    doc = {"address": rcpt.address}
    if rcpt.reply or rcpt.state == HELD:
        doc["delay_reason"] = rcpt.reply or "held"
    return doc


def shape(context: Context) -> list[dict[str, Any]]:
    """Queued recipients by domain and age, as qshape(1): a row {"domain", "total", "5", ..., "1280", "1280+"}.

    The first row is the total; the others come largest first.
    """
    now = context.clock.now_us()
    columns = [*map(str, AGES), f"{AGES[-1]}+"]
    rows: dict[str, dict[str, Any]] = {"TOTAL": {"domain": "TOTAL", "total": 0, **dict.fromkeys(columns, 0)}}
    for row in context.store.iterate(MessageQuery(state=QUEUED)):
        minutes = (now - row.received_at) / 60e6
        column = next((str(age) for age in AGES if minutes <= age), columns[-1])
        for rcpt in row.recipients:
            if rcpt.state == QUEUED:
                domain = rcpt.address.rpartition("@")[2].lower()
                mine = rows.setdefault(domain, {"domain": domain, "total": 0, **dict.fromkeys(columns, 0)})
                for target in (mine, rows["TOTAL"]):
                    target["total"] += 1
                    target[column] += 1
    total = rows.pop("TOTAL")
    return [total, *sorted(rows.values(), key=lambda r: (-r["total"], r["domain"]))]


def hold(context: Context, queue_ids: Sequence[str], *, reason: str = "") -> int:
    """Keep queued recipients from delivery until `unhold`. Those being delivered at this moment are not counted."""
    return _change(context, "queue.hold", queue_ids, QUEUED, HELD, reason)


def unhold(context: Context, queue_ids: Sequence[str], *, reason: str = "") -> int:
    """Queue held recipients again, as they are. To have them scanned again first, use `quarantine.release`."""
    changed = _change(context, "queue.unhold", queue_ids, HELD, QUEUED, reason)
    wake_delivery(context.config.data)
    return changed


def delete(context: Context, queue_ids: Sequence[str], *, reason: str = "") -> int:
    """Discard queued and held recipients; the ledger keeps them as discarded. Nobody is notified."""
    queued = _change(context, "queue.delete", queue_ids, QUEUED, DISCARDED, reason)
    return queued + _change(context, "queue.delete", queue_ids, HELD, DISCARDED, reason)


def requeue(context: Context, queue_ids: Sequence[str]) -> int:
    """Make the queued recipients of some messages due now."""
    now = context.clock.now_us()
    changed = sum(context.store.flush("", now, row.queue_id) for row in _chosen(context, queue_ids, QUEUED))
    context.audit("queue.requeue", " ".join(queue_ids)[:1000], changed=changed)
    wake_delivery(context.config.data)
    return changed


def flush(context: Context, domain: str = "") -> int:
    """Make queued recipients due now, all or those of one domain; returns how many."""
    changed = context.store.flush(domain.lower(), context.clock.now_us())
    context.audit("queue.flush", domain or "ALL", changed=changed)
    wake_delivery(context.config.data)
    return changed


def reroute(context: Context, queue_id: str, address: str, *, n: int | None = None) -> int:
    """Send what is queued or held of a message to another address instead (recipient `n`, or all). Audited."""
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or len(address) > 254 or not address.isprintable() or " " in address:
        raise BadRequest(f"{address!r} is not a mail address")
    row = _get(context, queue_id)
    numbers = [r.n for r in row.recipients if r.state in (QUEUED, HELD) and n in (None, r.n)]
    for number in numbers:
        context.store.reroute(queue_id, number, address, context.clock.now_us(), context.actor)
    context.audit("queue.reroute", queue_id, to=address, changed=len(numbers))
    wake_delivery(context.config.data)
    return len(numbers)


def _get(context: Context, queue_id: str) -> MessageRow:
    row = context.store.message(queue_id)
    if row is None:
        raise NotFound(f"there is no message {queue_id!r}")
    return row


def _change(context: Context, action: str, queue_ids: Sequence[str], before: str, after: str, reason: str) -> int:
    """Move every recipient that is in state `before`; only those, so that an area of quarantine is never touched."""
    changed = 0
    for row in _chosen(context, queue_ids, before):
        done = 0
        for rcpt in row.recipients:
            if rcpt.state == before:
                done += context.store.set_state(
                    row.queue_id, rcpt.n, after, context.clock.now_us(), context.actor, reason or action
                )
        if done:
            context.audit(action, row.queue_id, reason=reason, changed=done)
        changed += done
    return changed


def _chosen(context: Context, queue_ids: Sequence[str], state: str) -> Iterator[MessageRow]:
    if tuple(queue_ids) == ALL:
        # listed first: changing rows under a running query is no business of a store
        yield from list(context.store.iterate(MessageQuery(state=state)))
        return
    for queue_id in queue_ids:
        yield _get(context, queue_id)
