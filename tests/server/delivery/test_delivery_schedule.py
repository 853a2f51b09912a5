"""When it is tried again, when a warning goes out, when it is given up: by a clock in the test's hand."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.deliverykit import HandClock, open_kit, to
from mxtest.scriptpeer import ScriptPeer
from mxward.server.config import Delivery
from mxward.server.delivery.body import Body
from mxward.server.delivery.outcome import JITTER, MIN_ATTEMPTS, Schedule, settle
from mxward.server.delivery.reply import PeerReply, local
from mxward.server.delivery.transaction import Transaction
from mxward.server.store.api import BOUNCED, DELIVERED, QUEUED, Work, WorkRecipient

HOUR, DAY = 3_600_000_000, 86_400_000_000


def transaction(reply: PeerReply, *, attempts: int = 9, sender: str = "s@x.example", **rcpt: object) -> Transaction:
    given = {"notify": "", "orcpt": "", "delay_warned": False, **rcpt}
    row = WorkRecipient(0, "a@x.example", given["notify"], given["orcpt"], attempts, [], given["delay_warned"])  # type: ignore[arg-type]  # by construction
    work = Work("Q" * 16, 0, "inbound", sender, 10, False, "", "", "", b"", "smtp", [row])
    return Transaction(sender, [row], Body(work), (), lambda tx: None, replies=[reply])


LATER = PeerReply(450, "4.2.0", "later", ("later",))


@given(st.integers(0, 10_000), st.integers(0, 2**32))
def test_the_pause_doubles_within_its_jitter_and_bound(attempts: int, seed: int) -> None:
    schedule = Schedule(Delivery(retry_first=60, retry_max=4000), random.Random(seed))
    base = min(4000.0, 60.0 * 2 ** min(attempts, 40))
    assert base * (1 - JITTER) <= schedule.pause(attempts) <= base * (1 + JITTER)


def test_pauses_differ() -> None:
    schedule = Schedule(Delivery())
    assert len({schedule.pause(3) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("age", "attempts", "state", "notice"),
    [
        (0, 0, QUEUED, ""),
        (4 * HOUR - 1, 5, QUEUED, ""),
        (4 * HOUR, 5, QUEUED, "delayed"),
        (5 * DAY - 1, 90, QUEUED, "delayed"),
        (5 * DAY, 90, BOUNCED, "failed"),
        (5 * DAY, MIN_ATTEMPTS - 2, QUEUED, "delayed"),  # a clock that jumped bounces nothing at once
        (3650 * DAY, 0, QUEUED, "delayed"),
        (-10 * DAY, 9, QUEUED, ""),
    ],
)
def test_age_decides(age: int, attempts: int, state: str, notice: str) -> None:
    (one,) = settle(transaction(LATER, attempts=attempts), Schedule(Delivery()), age)
    assert (one.outcome.state, one.notice) == (state, notice)
    assert (one.outcome.next_attempt > age) == (state == QUEUED)
    if state == BOUNCED:
        assert one.status == "4.4.7"
        assert one.outcome.reply == "delivery time expired; last reply: 450 4.2.0 later"


@pytest.mark.parametrize(
    ("notify", "failed", "delayed", "success"),
    [
        ("", "failed", "delayed", ""),
        ("NEVER", "", "", ""),
        ("FAILURE", "failed", "", ""),
        ("DELAY", "", "delayed", ""),
        ("SUCCESS", "", "", "relayed"),
        ("success,failure,delay", "failed", "delayed", "relayed"),
    ],
)
def test_notify_is_honoured(notify: str, failed: str, delayed: str, success: str) -> None:
    schedule = Schedule(Delivery())
    no, yes = PeerReply(550, "5.1.1", "no", ("no",)), PeerReply(250, "2.0.0", "ok", ("ok",))
    assert settle(transaction(no, notify=notify), schedule, HOUR)[0].notice == failed
    assert settle(transaction(LATER, notify=notify), schedule, 5 * HOUR)[0].notice == delayed
    assert settle(transaction(yes, notify=notify), schedule, HOUR)[0].notice == success
    final, known = transaction(yes, notify=notify), transaction(yes, notify=notify)
    final.is_final, known.peer_has_dsn = True, True
    assert settle(final, schedule, HOUR)[0].notice == success.replace("relayed", "delivered")
    assert settle(known, schedule, HOUR)[0].notice == ""


def test_the_null_sender_gets_no_notice_and_a_warning_goes_out_once() -> None:
    schedule = Schedule(Delivery())
    assert settle(transaction(local("5.1.1", "no"), sender=""), schedule, HOUR)[0].notice == ""
    first = settle(transaction(LATER), schedule, 5 * HOUR)[0]
    assert first.outcome.delay_warned
    second = settle(transaction(LATER, delay_warned=True), schedule, 6 * HOUR)[0]
    assert (second.notice, second.outcome.delay_warned) == ("", False)


async def test_five_days_of_a_dead_next_hop(tmp_path: Path) -> None:
    """One warning after four hours, one bounce after five days, the pauses doubling to their bound in between."""
    clock = HandClock()
    start = clock.at
    async with ScriptPeer({"RCPT": b"450 4.2.1 away\r\n"}) as peer, ScriptPeer() as home:
        routes = [to(peer.url, "x.example"), to(home.url)]
        async with open_kit(tmp_path, *routes, clock=clock, command_timeout=9e8) as kit:
            queue_id = kit.put("a@x.example", at=start, sender="s@home.example")
            pauses = []
            for attempt in range(1, 300):
                (row,) = await kit.tried(queue_id, attempt)
                if row.state != QUEUED:
                    break
                pauses.append((row.next_attempt - clock.at) / 1e6)
                clock.at = row.next_attempt
                kit.engine.wake()
            assert row.state == BOUNCED
            assert 5 * DAY <= clock.at - start < 5 * DAY + 4800 * 1_000_000
            bases = [min(4000.0, 60.0 * 2**i) for i in range(len(pauses))]
            assert all(0.8 * b <= p <= 1.2 * b for p, b in zip(pauses, bases, strict=True))
            found = kit.notifications()
            assert [m.subject for m, _ in found] == [
                "Delayed mail (still being retried)", "Undelivered mail returned to sender",
            ]  # fmt: skip
            assert 4 * HOUR <= found[0][0].received_at - start < 4 * HOUR + 4800 * 1_000_000
            for message, _ in found:
                (sent,) = await kit.settled(message.queue_id)
                assert sent.state == DELIVERED
