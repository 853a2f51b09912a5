"""The queue as administrators see and change it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from mxward.server.services import ledger, messages, queue
from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, NotFound
from mxward.server.store.api import DELIVERED, DISCARDED, HELD, QUARANTINED, QUEUED, REDIRECTED, Outcome


def states(context: Context, queue_id: str) -> list[str]:
    row, _ = messages.show(context, queue_id)
    return [rcpt.state for rcpt in row.recipients]


def test_entries_have_the_keys_of_postqueue(context: Context, put: Any, moving_time: Any) -> None:
    first = put(["a@trust.example", "b@trust.example"], raw=b"x" * 100)
    moving_time.advance(1)
    context.store.record_outcomes(
        [
            Outcome(first, 0, DELIVERED, moving_time.us),
            Outcome(first, 1, QUEUED, moving_time.us, reply="451 later", next_attempt=moving_time.us + 10**9),
        ]
    )
    second = put(["c@trust.example"])
    put(["q@trust.example"], state=QUARANTINED, area="spam")
    assert list(queue.entries(context)) == [
        {
            "queue_name": "deferred", "queue_id": first, "arrival_time": 1_790_000_000, "message_size": 100,
            "forced_expire": False, "sender": "b@example.org",
            "recipients": [{"address": "b@trust.example", "delay_reason": "451 later"}],
        },
        {
            "queue_name": "incoming", "queue_id": second, "arrival_time": 1_790_000_060, "message_size": 24,
            "forced_expire": False, "sender": "b@example.org", "recipients": [{"address": "c@trust.example"}],
        },
    ]  # fmt: skip


def test_what_is_being_delivered_is_active(context: Context, put: Any, moving_time: Any) -> None:
    queue_id = put(["a@trust.example"])
    (work,) = context.store.lease("delivery.0", 10, moving_time.us, 60_000_000)
    assert work.queue_id == queue_id
    assert [entry["queue_name"] for entry in queue.entries(context)] == ["active"]
    assert queue.hold(context, [queue_id]) == 0
    moving_time.advance(2)  # the lease is over: its holder died
    assert queue.hold(context, [queue_id]) == 1


def test_a_message_in_two_queues_comes_once_for_each(context: Context, put: Any) -> None:
    queue_id = put(["a@trust.example", "b@trust.example"])
    context.store.set_state(queue_id, 1, HELD, context.clock.now_us(), "me", "why")
    found = {entry["queue_name"]: entry["recipients"] for entry in queue.entries(context)}
    assert found == {
        "incoming": [{"address": "a@trust.example"}],
        "hold": [{"address": "b@trust.example", "delay_reason": "why"}],
    }
    assert [entry["queue_name"] for entry in queue.entries(context, held_only=True)] == ["hold"]


def test_hold_unhold_and_delete_leave_the_rest_alone(context: Context, put: Any) -> None:
    one, two = put(["a@trust.example", "b@trust.example"]), put(["c@trust.example"])
    kept = put(["q@trust.example"], state=QUARANTINED, area="malware")
    assert queue.hold(context, [one], reason="ward asked") == 2
    assert (states(context, one), states(context, two)) == ([HELD, HELD], [QUEUED])
    assert queue.hold(context, ["ALL"]) == 1
    assert queue.unhold(context, ["ALL"]) == 3
    assert queue.unhold(context, [kept]) == 0  # only a release lets quarantined mail out
    assert queue.delete(context, ["ALL"], reason="test") == 3
    assert states(context, kept) == [QUARANTINED]
    assert states(context, one) == [DISCARDED, DISCARDED]
    assert list(queue.entries(context)) == []
    count = ledger.verify(context)
    assert count["consistent"], count
    assert (count["accepted"], count["discarded"], count["held"]) == (4, 3, 1)


def test_unknown_messages_are_said(context: Context) -> None:
    for action in (queue.hold, queue.unhold, queue.delete, queue.requeue):
        with pytest.raises(NotFound, match="no message 'nothing'"):
            action(context, ["nothing"])


def test_flush_and_requeue_make_due_and_wake_delivery(context: Context, put: Any, moving_time: Any) -> None:
    one, two = put(["a@trust.example"]), put(["b@Other.example"])
    later = moving_time.us + 10**10
    context.store.record_outcomes([Outcome(q, 0, QUEUED, moving_time.us, next_attempt=later) for q in (one, two)])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as delivery:
        delivery.bind(str(Path(context.config.data) / "run" / "delivery.0.sock"))
        delivery.settimeout(5)
        assert queue.requeue(context, [one]) == 1
        assert delivery.recv(10)
        assert queue.flush(context, "nowhere.example") == 0
        assert queue.flush(context, "OTHER.example") == 1
        assert delivery.recv(10)
    assert queue.flush(context) == 0
    assert context.store.next_due() <= moving_time.us


def test_reroute_keeps_the_account_right(context: Context, put: Any) -> None:
    queue_id = put(["a@trust.example", "b@trust.example"])
    assert queue.reroute(context, queue_id, "c@trust.example", n=1) == 1
    row, events = messages.show(context, queue_id)
    assert [(r.address, r.state) for r in row.recipients] == [
        ("a@trust.example", QUEUED), ("b@trust.example", REDIRECTED), ("c@trust.example", QUEUED),
    ]  # fmt: skip
    assert any(event.actor == "cli:tester" for event in events)
    count = ledger.verify(context)
    assert count["consistent"], count
    for address in ("nobody", "@x.example", "a b@x.example", "a@x.example\r\n", "x@" + "y" * 300):
        with pytest.raises(BadRequest, match="is not a mail address"):
            queue.reroute(context, queue_id, address)


def test_shape_counts_by_domain_and_age(context: Context, put: Any, moving_time: Any) -> None:
    put(["a@old.example"])
    moving_time.advance(100)
    put(["a@new.example", "b@NEW.example"])
    total, *rows = queue.shape(context)
    assert (total["domain"], total["total"], total["5"], total["160"]) == ("TOTAL", 3, 2, 1)
    assert [(r["domain"], r["total"], r["5"], r["160"]) for r in rows] == [
        ("new.example", 2, 2, 0),
        ("old.example", 1, 0, 1),
    ]


def test_every_change_is_audited(context: Context, put: Any) -> None:
    queue_id = put(["a@trust.example"])
    queue.hold(context, [queue_id], reason="asked")
    queue.unhold(context, [queue_id])
    queue.delete(context, [queue_id])
    entries = context.store.audit_entries()  # type: ignore[attr-defined]  # beyond the protocol, for readers of the trail
    assert [(e.action, e.actor, e.object) for e in reversed(entries)] == [
        ("queue.hold", "cli:tester", queue_id), ("queue.unhold", "cli:tester", queue_id),
        ("queue.delete", "cli:tester", queue_id),
    ]  # fmt: skip
