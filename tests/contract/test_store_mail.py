"""Mail in, leased, settled: what every backend promises about commits, leases and outcomes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from mxtest.storekit import RAW, new_message, now_us, rcpts
from mxward.core.errors import StoreError
from mxward.server.store.api import (
    BOUNCED,
    DELIVERED,
    DISCARDED,
    HELD,
    QUARANTINED,
    QUEUED,
    REDIRECTED,
    Outcome,
)
from mxward.server.store.lease import ISOLATED
from mxward.server.store.store import SqlStore

LEASE = 60_000_000


def delivered(queue_id: str, n: int = 0, state: str = DELIVERED, **fields: object) -> Outcome:
    return Outcome(queue_id, n, state, now_us(), "250 2.0.0 ok", "smtp://next:25 [192.0.2.1]", **fields)  # type: ignore[arg-type]  # keywords of mixed types


def states(store: SqlStore, queue_id: str) -> list[str]:
    row = store.message(queue_id)
    assert row is not None
    return [r.state for r in row.recipients]


def test_what_is_committed_comes_back_as_it_was(store: SqlStore, open_another: Callable[..., SqlStore]) -> None:
    raw = bytes(range(256)) * 20
    message = new_message(
        rcpts("a@trust.example", orcpt="rfc822;a", disposition={"additions": [["tag", "X-A: b"]], "x": 1}),
        raw=raw, trace=b"Received: by us\r\n\xe9\r\n", subject="Größe \u2603", client_ip="192.0.2.9", smtputf8=True,
        judgement={"verdict": "clean", "hits": []}, score=3.25, envid="QQ", ret="HDRS", tls="TLSv1.3", parent="P" * 16,
    )  # fmt: skip
    store.commit([message])
    other = open_another("delivery.0")
    assert other.body(message.queue_id) == raw
    row = other.message(message.queue_id)
    assert row is not None
    for name in ("queue_id", "received_at", "sender", "subject", "client_ip", "score", "judgement", "tls", "parent"):
        assert getattr(row, name) == getattr(message, name)
    assert row.size == len(raw)
    assert row.recipients[0].disposition == message.recipients[0].disposition
    (work,) = other.lease("d", 10, now_us(), LEASE)
    assert (work.trace, work.envid, work.ret, work.smtputf8) == (message.trace, "QQ", "HDRS", True)
    assert work.recipients[0].additions == [["tag", "X-A: b"]]
    assert work.recipients[0].orcpt == "rfc822;a"


def test_large_and_empty_bodies(store: SqlStore) -> None:
    big = new_message(raw=b"".join(b"%012d incompressible?\r\n" % (i * 7919 % 999983) for i in range(150_000)))
    empty = new_message(raw=b"")
    store.commit([big, empty])
    assert store.body(big.queue_id) == big.raw
    assert store.body(empty.queue_id) == b""


def test_a_batch_is_all_or_nothing(store: SqlStore) -> None:
    good, twice = new_message(), new_message()
    store.commit([twice])
    with pytest.raises(StoreError):
        store.commit([good, twice])
    assert store.message(good.queue_id) is None
    assert store.ledger().accepted == 1
    store.commit([good])
    assert store.body(good.queue_id) == RAW


@pytest.mark.parametrize(
    "message",
    [
        new_message(queue_id="../../etc/passwd"),
        new_message(queue_id="short"),
        new_message(rcpts("x@y.example", state=DELIVERED)),
        new_message(rcpts("x@y.example", state="nonsense")),
    ],
)
def test_impossible_messages_are_refused(store: SqlStore, message: object) -> None:
    with pytest.raises(StoreError):
        store.commit([message])  # type: ignore[list-item]  # bad input on purpose
    assert store.ledger().accepted == 0


def test_hostile_text_is_stored_somehow(store: SqlStore) -> None:
    nasty = "a\0b\ud800c\r\n'; DROP TABLE message; --\U0001f600"
    message = new_message(
        rcpts("b\udcff@trust.example", orcpt=nasty, disposition={"sentence": nasty}),
        subject=nasty, header_from=nasty, message_id=nasty, helo=nasty, judgement={"hits": [nasty, 1 << 70]},
    )  # fmt: skip
    store.commit([message])
    row = store.message(message.queue_id)
    assert row is not None
    assert "DROP TABLE" in row.subject and "\0" not in row.subject
    assert store.ledger().consistent


def test_a_recipient_may_begin_in_every_direct_state(store: SqlStore) -> None:
    begin = (QUEUED, QUARANTINED, HELD, DISCARDED, REDIRECTED)
    message = new_message([r for s in begin for r in rcpts(f"{s}@trust.example", state=s)])
    store.commit([message])
    assert states(store, message.queue_id) == list(begin)
    (work,) = store.lease("d", 10, now_us(), LEASE)
    assert [r.address for r in work.recipients] == ["queued@trust.example"]
    count = store.ledger()
    assert (count.accepted, count.queued, count.held, count.discarded, count.redirected) == (5, 1, 2, 1, 1)
    assert count.consistent


def test_a_lease_is_exclusive_until_it_ends(store: SqlStore) -> None:
    messages = [new_message() for _ in range(5)]
    store.commit(messages)
    at = now_us()
    first = store.lease("one", 3, at, LEASE)
    second = store.lease("two", 10, at, LEASE)
    assert [w.queue_id for w in first + second] == [m.queue_id for m in messages]
    assert store.lease("three", 10, at, LEASE) == []
    assert store.next_due() == at + LEASE
    store.renew("one", [first[0].queue_id, second[0].queue_id], at + 2 * LEASE)  # of these it holds only the first
    again = store.lease("three", 10, at + LEASE, LEASE)
    assert {w.queue_id for w in again} == {m.queue_id for m in messages} - {first[0].queue_id}


def test_leases_of_a_dead_owner_are_reclaimed_by_name(store: SqlStore) -> None:
    store.commit([new_message(), new_message()])
    at = now_us()
    store.lease("delivery.0:1", 1, at, LEASE)
    store.lease("delivery.1:1", 1, at, LEASE)
    assert store.reclaim("delivery.0", at) == 1
    assert len(store.lease("delivery.0:2", 10, at, LEASE)) == 1


def test_oldest_due_goes_first(store: SqlStore) -> None:
    at = now_us()
    late, early = (
        new_message(rcpts("l@x.example", next_attempt=at - 1000)),
        new_message(rcpts("e@x.example", next_attempt=at - 2000)),
    )
    future = new_message(rcpts("f@x.example", next_attempt=at + LEASE))
    store.commit([future, late, early])
    assert [w.queue_id for w in store.lease("d", 10, at, LEASE)] == [early.queue_id, late.queue_id]
    assert store.next_due() == at + LEASE


def test_concurrent_leases_never_overlap(store: SqlStore, open_another: Callable[..., SqlStore]) -> None:
    messages = [new_message(rcpts("a@x.example", "b@x.example")) for _ in range(60)]
    store.commit(messages)
    got: list[tuple[str, int]] = []
    stores = [store, open_another("delivery.0"), open_another("delivery.1")]

    def work(mine: SqlStore, owner: str) -> None:
        while found := mine.lease(owner, 7, now_us(), LEASE):
            got.extend((w.queue_id, r.n) for w in found for r in w.recipients)

    threads = [threading.Thread(target=work, args=(s, f"d{i}")) for i, s in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted((m.queue_id, n) for m in messages for n in (0, 1))


def test_outcomes_settle_and_retry(store: SqlStore) -> None:
    message = new_message(rcpts("a@x.example", "b@x.example", "c@x.example"))
    store.commit([message])
    at = now_us()
    store.lease("d", 10, at, LEASE)
    later = at + 5_000_000
    dsn = new_message(origin="dsn", sender="", parent=message.queue_id)
    store.record_outcomes(
        [
            delivered(message.queue_id, 0),
            delivered(message.queue_id, 1, QUEUED, next_attempt=later, delay_warned=True),
            delivered(message.queue_id, 2, BOUNCED),
        ],
        [dsn],
    )
    assert states(store, message.queue_id) == [DELIVERED, QUEUED, BOUNCED]
    assert store.body(dsn.queue_id) == RAW
    row = store.message(message.queue_id)
    assert row is not None and row.recipients[1].attempts == 1
    assert {w.queue_id for w in store.lease("d", 10, later - 1, LEASE)} == {dsn.queue_id}
    (work,) = [w for w in store.lease("d", 10, later, LEASE) if w.queue_id == message.queue_id]
    assert [(r.n, r.attempts, r.delay_warned) for r in work.recipients] == [(1, 1, True)]
    assert [e.kind for e in store.events(message.queue_id)] == ["accepted", "delivered", "deferred", "bounced"]


def test_an_outcome_after_a_final_state_changes_nothing(store: SqlStore) -> None:
    message = new_message()
    store.commit([message])
    store.record_outcomes([delivered(message.queue_id)])
    store.record_outcomes([delivered(message.queue_id, 0, BOUNCED), delivered(message.queue_id, 7)])
    assert states(store, message.queue_id) == [DELIVERED]
    assert [e.kind for e in store.events(message.queue_id)] == ["accepted", "delivered"]


def test_an_outcome_of_a_held_recipient_is_remembered(store: SqlStore) -> None:
    message = new_message(rcpts("a@x.example", state=HELD))
    store.commit([message])
    store.record_outcomes([delivered(message.queue_id)])
    assert states(store, message.queue_id) == [HELD]
    assert [e.kind for e in store.events(message.queue_id)] == ["accepted", "late delivered"]


def test_an_impossible_outcome_is_refused(store: SqlStore) -> None:
    message = new_message()
    store.commit([message])
    with pytest.raises(StoreError):
        store.record_outcomes([delivered(message.queue_id, 0, "expired")])


def test_three_interrupted_leases_isolate_a_message(store: SqlStore) -> None:
    poison, other = new_message(), new_message()
    store.commit([poison])
    at = now_us()
    for i in range(3):
        assert [w.queue_id for w in store.lease("d", 10, at + i * LEASE, LEASE)] == [poison.queue_id]
    store.commit([other])
    assert [w.queue_id for w in store.lease("d", 10, at + 3 * LEASE, LEASE)] == [other.queue_id]
    row = store.message(poison.queue_id)
    assert row is not None
    assert (row.recipients[0].state, row.recipients[0].reply) == (HELD, ISOLATED)
    assert store.events(poison.queue_id)[-1].detail == ISOLATED
    assert store.ledger().consistent


def test_an_outcome_clears_the_suspicion(store: SqlStore) -> None:
    message = new_message()
    store.commit([message])
    at = now_us()
    for i in range(8):
        assert len(store.lease("d", 10, at + i * LEASE, LEASE)) == 1
        if i % 2:
            store.record_outcomes([delivered(message.queue_id, 0, QUEUED, next_attempt=at)])


def test_suspects_are_leased_one_at_a_time(store: SqlStore) -> None:
    messages = [new_message() for _ in range(4)]
    store.commit(messages)
    at = now_us()
    for i in range(2):
        assert len(store.lease("d", 10, at + i * LEASE, LEASE)) == 4
    last = [store.lease("d", 10, at + 2 * LEASE, LEASE) for _ in range(5)]
    assert [len(works) for works in last] == [1, 1, 1, 1, 0]
    assert {works[0].queue_id for works in last if works} == {m.queue_id for m in messages}


def test_unknown_messages(store: SqlStore) -> None:
    assert store.message("0" * 16) is None
    assert store.events("0" * 16) == []
    with pytest.raises(KeyError):
        store.body("0" * 16)
    assert store.next_due() == 0
    assert store.lease("d", 0, now_us(), LEASE) == []
    store.record_outcomes([])
    store.commit([])


def test_everything_survives_a_restart(store: SqlStore, open_another: Callable[..., SqlStore]) -> None:
    message = new_message()
    store.commit([message])
    store.close()
    again = open_another()
    assert again.body(message.queue_id) == RAW
    assert again.ledger().consistent
    assert again.check() == []
