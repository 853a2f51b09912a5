"""The quarantine: what is kept back, and its release, which is a decision of its own.

A release sends the original bytes to the original recipients, after they were scanned again with today's rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mxward.core.errors import EngineError
from mxward.core.policy import plain
from mxward.server.services import learning, messages, scanning
from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, Refused
from mxward.server.services.wake import wake_delivery
from mxward.server.store.api import DISCARDED, HELD, QUARANTINED, QUEUED, MessageQuery, MessageRow, RecipientRow

KEPT: Final = (QUARANTINED, HELD)


@dataclass(frozen=True, slots=True)
class Release:
    """What a release did: how many recipients are queued now, and what today's rules say of the message."""

    queue_id: str
    released: int
    verdict: str
    score: float
    forced: bool


def entries(
    context: Context,
    *,
    area: str = "",
    text: str = "",
    recipient: str = "",
    held: bool = True,
    before_id: str = "",
    limit: int = 50,
) -> list[MessageRow]:
    """Messages with a quarantined (and, unless `held` is false, held) recipient, newest first.

    An area has quarantined recipients only.
    """
    found: dict[str, MessageRow] = {}
    for state in KEPT if held and not area else (QUARANTINED,):
        query = MessageQuery(text=text, recipient=recipient, state=state, area=area, before_id=before_id, limit=limit)
        found.update({row.queue_id: row for row in context.store.find(query)})
    return [found[queue_id] for queue_id in sorted(found, reverse=True)[:limit]]


def release(
    context: Context, queue_id: str, *, n: int | None = None, force: bool = False, reason: str = "", teach: bool = False
) -> Release:
    """Queue quarantined or held recipients (recipient `n`, or all) for delivery of the original message.

    With `teach` the classifier learns it as wanted mail; what only force releases teaches nothing.

    Raises NotFound; BadRequest when nothing is to be released or `force` comes without a reason; Refused when
    today's rules say malware, or could not look inside, and `force` is not given. Refusals are audited too.
    """
    if force and not reason.strip():
        raise BadRequest("a forced release needs a reason")
    row, _ = messages.show(context, queue_id)
    chosen = _chosen(row, n)
    verdict = scanning.scan_again(context, row)
    objection = _objection(verdict)
    if objection and not force:
        context.audit("quarantine.release.refused", queue_id, reason=reason, objection=objection, verdict=verdict.name)
        raise Refused(f"{queue_id} is not released: {objection}. To release it nevertheless, force it with a reason")
    detail = f"released: {reason or 'no reason given'} (scanned again: {verdict.name}, {verdict.score:g})"
    released = _move(context, queue_id, chosen, QUEUED, detail)
    context.audit(
        "quarantine.release", queue_id, reason=reason, forced=bool(objection), verdict=verdict.name,
        score=verdict.score, released=released, recipients=[r.address for r in chosen],
    )  # fmt: skip
    wake_delivery(context.config.data)
    if teach and released and not objection:
        _teach(context, queue_id)
    return Release(queue_id, released, verdict.name, verdict.score, bool(objection))


def _teach(context: Context, queue_id: str) -> None:
    """Learn what was released as wanted. A fault of the lessons does not undo the release; it is audited."""
    try:
        learning.learn_message(context, queue_id, "ham")
    except EngineError as error:
        context.audit("learn.failed", queue_id, reason=str(error))


def _objection(verdict: scanning.Verdict) -> str:
    """Why a message may not simply be released; "" when it may."""
    if verdict.name == "malware":
        names = ", ".join(hit.name for hit in verdict.hits if hit.category == "malware")
        return f"today's rules find malware in it ({names})"
    if verdict.not_inspected:
        reasons = ", ".join(dict.fromkeys(item.reason for item in verdict.not_inspected))
        return f"a part of it could not be inspected ({reasons})"
    if any(hit.category == "degraded" for hit in verdict.hits):
        return "a scanning engine was missing"
    return ""


def delete(context: Context, queue_id: str, *, n: int | None = None, reason: str = "") -> int:
    """Discard quarantined or held recipients; the ledger keeps them as discarded. Returns how many."""
    row, _ = messages.show(context, queue_id)
    chosen = _chosen(row, n)
    deleted = _move(context, queue_id, chosen, DISCARDED, f"deleted: {reason or 'no reason given'}")
    context.audit("quarantine.delete", queue_id, reason=reason, deleted=deleted, recipients=[r.address for r in chosen])
    return deleted


def _chosen(row: MessageRow, n: int | None) -> list[RecipientRow]:
    chosen = [rcpt for rcpt in row.recipients if rcpt.state in KEPT and n in (None, rcpt.n)]
    if not chosen:
        raise BadRequest(f"no recipient of {row.queue_id} is in quarantine or held")
    return chosen


def _move(context: Context, queue_id: str, rcpts: Sequence[RecipientRow], state: str, detail: str) -> int:
    now = context.clock.now_us()
    return sum(context.store.set_state(queue_id, rcpt.n, state, now, context.actor, detail) for rcpt in rcpts)


def as_dict(row: MessageRow) -> dict[str, Any]:
    """The JSON form of `quarantine list`: tracking's, with the reason in plain English for each kept recipient."""
    doc = messages.as_dict(row)
    doc["reasons"] = {
        rcpt.address: plain.describe(row.judgement, rcpt.disposition)
        for rcpt in row.recipients
        if rcpt.state in KEPT and rcpt.disposition
    }
    return doc
