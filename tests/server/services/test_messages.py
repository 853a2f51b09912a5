"""Tracking in plain English and as data."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mxward.server.cli.output import to_json
from mxward.server.services import ledger, messages, scanning
from mxward.server.services.context import Context
from mxward.server.services.errors import NotFound
from mxward.server.store.api import BOUNCED, DELIVERED, HELD, QUARANTINED, QUEUED, MessageQuery, Outcome


def judged(context: Context, name: str) -> dict[str, Any]:
    """Judgement and disposition as the pipeline makes them."""
    raw, _ = scanning.SELF_TEST[name]
    message = scanning.current(context.config).judge(raw, ENVELOPE)
    assert message.verdict is not None
    return {
        "raw": raw, "verdict": message.verdict.name, "score": message.verdict.score,
        "judgement": message.verdict.to_dict(), "disposition": message.dispositions[0].to_dict(),
    }  # fmt: skip


ENVELOPE = scanning.Envelope("b@example.org", (scanning.Recipient("a@trust.example"),))


def test_explanation_says_what_came_why_and_what_became_of_it(context: Context, put: Any, moving_time: Any) -> None:
    queue_id = put(
        ["a@trust.example"], state=QUARANTINED, area="malware", subject="Invoice", **judged(context, "EICAR")
    )
    text = messages.explain(messages.show(context, queue_id)[0])
    first, second = text.split("\n\n")
    assert "inbound message from b@example.org" in first
    assert '"Invoice"' in first
    assert re.search(r" It was judged with starter@1\.0\b.*\.$", first), "which packs judged it is on the record"
    assert second.startswith("a@trust.example: It is in the quarantine (malware)")
    assert "malware" in second.lower()
    assert "EICAR" in text or "test" in text


DELIVERED_TEXT = r'It was delivered on .* by smtp://mail:25 \("250 ok"\)'
BOUNCED_TEXT = r'could not be delivered, and the sender was told .*\("550 no"\)'
WAITING_TEXT = r'tried once without success \("451 later"\) and will be tried again on 21 September 2026'


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"state": DELIVERED, "route": "smtp://mail:25", "reply": "250 ok"}, DELIVERED_TEXT),
        ({"state": BOUNCED, "reply": "550 no"}, BOUNCED_TEXT),
        ({"state": QUEUED, "reply": "451 later", "next_attempt": 1_790_000_600_000_000}, WAITING_TEXT),
    ],
)
def test_every_fate_has_its_sentence(context: Context, put: Any, outcome: dict[str, Any], words: str) -> None:
    queue_id = put(["a@trust.example"])
    assert "waiting for its first delivery" in messages.explain(messages.show(context, queue_id)[0])
    context.store.record_outcomes([Outcome(queue_id, 0, at=context.clock.now_us(), **outcome)])
    text = messages.explain(messages.show(context, queue_id)[0])
    assert re.search(words, text), text


def test_null_senders_and_held_mail_are_words_too(context: Context, put: Any) -> None:
    queue_id = put(["a@trust.example"], state=HELD)
    assert "held until an administrator decides" in messages.explain(messages.show(context, queue_id)[0])


def test_find_and_show_and_their_json(context: Context, put: Any, moving_time: Any) -> None:
    one = put(["a@trust.example"], subject="lunch \u202e menu")
    moving_time.advance(1)
    two = put(["b@trust.example"], subject="dinner")
    assert [row.queue_id for row in messages.find(context, MessageQuery())] == [two, one]
    assert [row.queue_id for row in messages.find(context, MessageQuery(text="LUNCH"))] == [one]
    row, events = messages.show(context, one)
    doc = json.loads(to_json(messages.as_dict(row, events)))
    assert doc["subject"] == "lunch \u202e menu"
    assert doc["recipients"][0]["state"] == QUEUED
    assert doc["received_at"] == 1_790_000_000.0
    assert doc["events"][0]["kind"] == "accepted"
    assert ledger.show(context, one)["recipients"][0]["address"] == "a@trust.example"


def test_what_is_not_there_is_said(context: Context) -> None:
    for action in (messages.show, messages.body, ledger.show):
        with pytest.raises(NotFound, match="nothing-like-it"):
            action(context, "nothing-like-it")
