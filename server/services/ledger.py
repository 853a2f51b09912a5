"""The ledger: proof that every accepted recipient is accounted for, and the rows of one message."""

from __future__ import annotations

from typing import Any

from mxward.server.services import messages
from mxward.server.services.context import Context


def verify(context: Context) -> dict[str, Any]:
    """Count all rows; `consistent` says whether accepted is the sum of the rest and no problem was found."""
    count = context.store.ledger()
    return {
        "accepted": count.accepted, "queued": count.queued, "delivered": count.delivered, "held": count.held,
        "discarded": count.discarded, "bounced": count.bounced, "redirected": count.redirected,
        "consistent": count.consistent, "problems": list(count.problems),
    }  # fmt: skip


def show(context: Context, queue_id: str) -> dict[str, Any]:
    """Ledger rows and history of one message. Raises NotFound."""
    row, events = messages.show(context, queue_id)
    return {
        "queue_id": row.queue_id,
        "received_at": row.received_at / 1e6,
        "sender": row.sender,
        "recipients": [messages.recipient_as_dict(rcpt) for rcpt in row.recipients],
        "events": [messages.event_as_dict(event) for event in events],
    }
