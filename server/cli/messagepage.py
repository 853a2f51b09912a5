"""Messages on a terminal: the overview of many and the details of one."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mxward.server.cli.output import bold, line, safe, table
from mxward.server.store.api import Event, MessageRow


def overview(rows: Sequence[MessageRow], *, empty: str) -> None:
    """One line a message."""
    if not rows:
        line(empty)
        return
    head = ("QUEUE ID", "RECEIVED", "VERDICT", "SCORE", "STATE", "SENDER", "RECIPIENT", "SUBJECT")
    table(head, ([*_cells(row)] for row in rows), right=frozenset((3,)))


def _cells(row: MessageRow) -> Sequence[object]:
    first = row.recipients[0].address if row.recipients else ""
    more = f" +{len(row.recipients) - 1}" if len(row.recipients) > 1 else ""
    states = ",".join(dict.fromkeys(rcpt.state for rcpt in row.recipients))
    return (
        row.queue_id, when(row.received_at), row.verdict, f"{row.score:g}", states, _short(row.sender or "<>", 32),
        _short(first, 32) + more, _short(row.subject, 40),
    )  # fmt: skip


def details(row: MessageRow, events: Sequence[Event]) -> None:
    """Everything that is known of one message, its content excepted."""
    client = f"{row.client_name} [{row.client_ip}]".strip() if row.client_ip else ""
    pairs = (
        ("queue id", row.queue_id), ("received", when(row.received_at)), ("direction", row.direction),
        ("client", client), ("HELO", row.helo), ("protocol", " ".join(filter(None, (row.protocol, row.tls)))),
        ("user", row.auth_user), ("sender", row.sender or "<>"), ("author", row.header_from),
        ("subject", row.subject), ("Message-ID", row.message_id), ("size", f"{row.size:,} bytes"),
        ("about", row.parent),
        ("verdict", f"{row.verdict}, score {row.score:g}"), ("policy", row.policy_version),
    )  # fmt: skip
    for name, value in pairs:
        if value:
            line(f"{name:<11} {safe(value)}")
    _hits(row)
    line()
    line(bold("recipients"))
    for rcpt in row.recipients:
        extra = ", ".join(filter(None, (rcpt.area, rcpt.route, rcpt.reply)))
        line(f"  {rcpt.n:>3} {safe(rcpt.address)}: {rcpt.state}{f' ({safe(extra)})' if extra else ''}")
    if events:
        line()
        line(bold("history"))
    for event in events:
        which = "" if event.n < 0 else f" [{event.n}]"
        line(f"  {when(event.at)} {safe(event.kind)}{which} by {safe(event.actor)}: {safe(event.detail)}".rstrip(": "))


def _hits(row: MessageRow) -> None:
    for hit in row.judgement.get("hits", ()):
        line(f"{'hit':<11} {safe(hit['name'])} ({safe(hit['category'])}, {hit['weight']:g}): {safe(hit['detail'])}")
    for item in row.judgement.get("not_inspected", ()):
        line(f"{'not seen':<11} part {item['part']}: {safe(item['reason'])} {safe(item['detail'])}".rstrip())


def when(us: int) -> str:
    """A time for people, in the machine's zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(us / 1e6)) if us else ""


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
