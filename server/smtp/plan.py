"""From dispositions to what is said and what is stored: one reply for the message, one row a recipient.

* Every recipient `reject`: the message is refused with the first one's 5xx. SMTP has one reply for all, so when only
  some reject, their rows are quarantined in the area "rejected": refusing later would be backscatter.
* Any recipient `defer`: the whole message is deferred with 4xx. Nothing was accepted, so the peer keeps it for all,
  and nobody gets it twice.
* modify: what is delivered is a changed copy, so a row in quarantine, area "originals", keeps the original.
* redirect: the original's row is REDIRECTED and a row for the new address follows after all of the envelope's, as
  Store.reroute does. `copy` additions likewise make a row each, with NOTIFY=NEVER, so that no DSN tells of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mxward.core.errors import Reply
from mxward.core.message import Recipient
from mxward.core.verdict import Disposition
from mxward.server.smtp import reply
from mxward.server.store.api import DISCARDED, HELD, QUARANTINED, QUEUED, REDIRECTED, NewRecipient

REJECTED_AREA = "rejected"
ORIGINALS_AREA = "originals"
_REPLY = re.compile(r"([45]\d\d) (?:([45]\.\d{1,3}\.\d{1,3}) )?([ -~]{1,400})")


@dataclass(slots=True)
class Plan:
    """`refusal`: say this and store nothing; else store `recipients` and say 250."""

    refusal: Reply | None = None
    recipients: list[NewRecipient] = field(default_factory=list)


def make_plan(rcpts: tuple[Recipient, ...], dispositions: tuple[Disposition, ...]) -> Plan:
    """The plan for one message. Raises ValueError when dispositions do not match the recipients one to one."""
    if len(rcpts) != len(dispositions):
        raise ValueError(f"{len(dispositions)} dispositions for {len(rcpts)} recipients")
    for disposition in dispositions:
        if disposition.action == "defer":
            return Plan(reply_of(disposition, reply.DEFERRED))
    if all(d.action == "reject" for d in dispositions):
        return Plan(reply_of(dispositions[0], reply.REFUSED))
    rows = [_row(rcpt, d) for rcpt, d in zip(rcpts, dispositions, strict=True)]
    if any(d.action == "redirect" or d.additions for d in dispositions):
        rows += _more(rcpts, dispositions)
    return Plan(None, rows)


def reply_of(disposition: Disposition, default: Reply) -> Reply:
    """The reply a policy rule asks for: its argument is "", a text, or "CODE [ENHANCED] text" of the same class."""
    text = disposition.argument.strip()
    match = _REPLY.fullmatch(text)
    if match and match[1][0] == str(default.code)[0]:
        return Reply(int(match[1]), match[2] or default.enhanced, match[3])
    if text and text.isascii() and text.isprintable() and len(text) <= 400:
        return Reply(default.code, default.enhanced, text)
    return default


_STATES = {
    "deliver": QUEUED, "redirect": REDIRECTED, "quarantine": QUARANTINED, "hold": HELD, "reject": QUARANTINED,
    "discard": DISCARDED,
}  # fmt: skip


def _row(rcpt: Recipient, disposition: Disposition) -> NewRecipient:
    action = disposition.action
    area = ""
    if action == "quarantine":
        area = disposition.argument or "default"
    elif action == "hold":
        area = disposition.argument
    elif action == "reject":
        area = REJECTED_AREA
    return NewRecipient(
        address=rcpt.address,
        state=_STATES[action],
        action=action,
        area=area,
        notify=rcpt.notify,
        orcpt=rcpt.orcpt,
        disposition=disposition.to_dict(),
    )


def _more(rcpts: tuple[Recipient, ...], dispositions: tuple[Disposition, ...]) -> list[NewRecipient]:
    """Rows for redirection targets and copies; one a target, however many recipients ask for it."""
    rows: dict[str, NewRecipient] = {}
    for rcpt, disposition in zip(rcpts, dispositions, strict=True):
        if disposition.action == "redirect":
            row = NewRecipient(disposition.argument, QUEUED, "deliver", notify=rcpt.notify, orcpt=rcpt.orcpt)
            row.disposition = {**disposition.to_dict(), "rcpt": disposition.argument, "action": "deliver"}
            rows.setdefault(disposition.argument, row)
    for disposition in dispositions:
        for addition in disposition.additions:
            if addition.kind == "copy" and addition.argument not in rows:
                row = NewRecipient(addition.argument, QUEUED, "deliver", notify="NEVER")
                row.disposition = {**disposition.to_dict(), "rcpt": addition.argument, "action": "deliver"}
                row.disposition["additions"] = []
                rows[addition.argument] = row
    return [*rows.values(), *_originals(rcpts, dispositions)]


def _originals(rcpts: tuple[Recipient, ...], dispositions: tuple[Disposition, ...]) -> Iterator[NewRecipient]:
    """Rows in quarantine for recipients who get a changed copy: their release sends the original."""
    for rcpt, disposition in zip(rcpts, dispositions, strict=True):
        delivers = disposition.action in ("deliver", "redirect")
        if delivers and any(addition.kind == "modify" for addition in disposition.additions):
            to = disposition.argument if disposition.action == "redirect" else rcpt.address
            row = NewRecipient(to, QUARANTINED, "quarantine", area=ORIGINALS_AREA, notify="NEVER")
            kept = {"rcpt": to, "action": "quarantine", "argument": ORIGINALS_AREA, "additions": []}
            row.disposition = {**disposition.to_dict(), **kept}
            yield row
