"""What people and time do to mail: holds, releases, reroutes, searches, the ledger's proof, users, audit."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from mxtest.storekit import new_message, now_us, rcpts
from mxward.core.errors import StoreError
from mxward.server.store.api import (
    DELIVERED,
    DISCARDED,
    EXPIRED,
    HELD,
    QUARANTINED,
    QUEUED,
    REDIRECTED,
    MessageQuery,
    NewMessage,
    Outcome,
    UserRow,
)
from mxward.server.store.store import SqlStore

LEASE = 60_000_000


def states(store: SqlStore, queue_id: str) -> list[str]:
    row = store.message(queue_id)
    assert row is not None
    return [r.state for r in row.recipients]


def ids(store: SqlStore, **query: object) -> list[str]:
    return [row.queue_id for row in store.find(MessageQuery(**query))]  # type: ignore[arg-type]  # keywords of mixed types


# -- transitions


def test_hold_release_delete(store: SqlStore) -> None:
    message = new_message(rcpts("a@x.example", "b@x.example"))
    store.commit([message])
    at = now_us()
    assert store.set_state(message.queue_id, None, HELD, at, "admin", "looks odd") == 2
    assert store.lease("d", 10, at, LEASE) == []
    assert store.set_state(message.queue_id, None, HELD, at, "admin", "again") == 0
    assert store.set_state(message.queue_id, 1, QUEUED, at, "admin", "fine") == 1
    assert store.set_state(message.queue_id, 0, DISCARDED, at, "admin", "rubbish") == 1
    assert states(store, message.queue_id) == [DISCARDED, QUEUED]
    assert store.set_state(message.queue_id, 0, QUEUED, at, "admin", "no way back") == 0
    assert [(e.n, e.kind, e.actor) for e in store.events(message.queue_id)[1:]] == [
        (0, "held", "admin"),
        (1, "held", "admin"),
        (1, "released", "admin"),
        (0, "discarded", "admin"),
    ]
    assert len(store.lease("d", 10, at, LEASE)) == 1


def test_mail_under_way_is_left_alone(store: SqlStore) -> None:
    message = new_message()
    store.commit([message])
    at = now_us()
    store.lease("d", 10, at, LEASE)
    assert store.set_state(message.queue_id, None, HELD, at, "admin", "") == 0
    assert store.set_state(message.queue_id, None, DISCARDED, at, "admin", "") == 0
    with pytest.raises(StoreError):
        store.reroute(message.queue_id, 0, "z@x.example", at, "admin")
    assert store.flush("", at) == 0
    assert store.set_state(message.queue_id, None, HELD, at + LEASE, "admin", "its lease is over") == 1


@pytest.mark.parametrize("state", ["nonsense", "", "queued' OR '1'='1"])
def test_unknown_states_are_refused(store: SqlStore, state: str) -> None:
    with pytest.raises(StoreError):
        store.set_state("0" * 16, None, state, 1, "admin", "")


def test_reroute_keeps_the_account(store: SqlStore) -> None:
    message = new_message(
        rcpts("a@x.example") + rcpts("h@x.example", state=HELD) + rcpts("d@x.example", state=DISCARDED)
    )
    store.commit([message])
    at = now_us()
    store.reroute(message.queue_id, 0, "new@y.example", at, "admin")
    store.reroute(message.queue_id, 1, "held@y.example", at, "admin")
    assert states(store, message.queue_id) == [REDIRECTED, REDIRECTED, DISCARDED, QUEUED, QUEUED]
    count = store.ledger()
    assert (count.accepted, count.queued, count.redirected, count.discarded) == (5, 2, 2, 1)
    assert count.consistent
    (work,) = store.lease("d", 10, at, LEASE)
    assert [r.address for r in work.recipients] == ["new@y.example", "held@y.example"]
    with pytest.raises(StoreError):
        store.reroute(message.queue_id, 2, "z@y.example", at, "admin")
    with pytest.raises(KeyError):
        store.reroute(message.queue_id, 9, "z@y.example", at, "admin")
    with pytest.raises(KeyError):
        store.reroute("0" * 16, 0, "z@y.example", at, "admin")


def test_flush_by_domain_and_message(store: SqlStore) -> None:
    at = now_us()
    later = at + 10 * LEASE
    first = new_message(rcpts("a@One.example", "b@two.example", next_attempt=later))
    second = new_message(rcpts("c@one.example", "d@sub.one.example", next_attempt=later))
    store.commit([first, second])
    assert store.flush("one.example", at) == 2
    assert store.flush("one.example", at) == 0
    assert store.flush("", at, second.queue_id) == 1
    assert store.flush("", at) == 1
    assert store.flush("o_e.example", at) == 0


# -- the ledger's proof


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM recipient WHERE n = 1", "recipients accepted but"),
        ("UPDATE recipient SET n = 5 WHERE n = 1", "without gaps"),
        ("UPDATE message SET segment = NULL", "body is gone"),
        ("DELETE FROM message", "no message"),
        ("UPDATE recipient SET state = 'delivered', lease_owner = 'x' WHERE n = 0", "still leased"),
        ("UPDATE recipient SET state = 'lost' WHERE n = 0", "unknown state"),
    ],
)
def test_the_ledger_notices(store: SqlStore, damage: str, words: str) -> None:
    store.commit([new_message(rcpts("a@x.example", "b@x.example"))])
    assert store.ledger().consistent
    with store.backend.engine.write() as cursor:
        cursor.execute(damage)
    count = store.ledger()
    assert not count.consistent
    assert any(words in p for p in count.problems)


def test_counts_for_the_first_page(store: SqlStore) -> None:
    at = now_us()
    old = new_message(received_at=at - 1000 * LEASE, direction="outbound")
    store.commit([old, new_message(verdict="spam", recipients=rcpts("q@x.example", state=QUARANTINED)), new_message()])
    counts = store.counts(at - LEASE)
    assert counts["by_verdict"] == {"spam": 1, "clean": 1}
    assert counts["by_direction"] == {"inbound": 2}
    assert counts["by_state"] == {QUEUED: 2, QUARANTINED: 1}
    assert counts["oldest_queued"] == old.received_at


# -- searches


@pytest.fixture
def mailbox(store: SqlStore) -> list[NewMessage]:
    messages = [
        new_message(rcpts("Anna.Smith@trust.example"), subject="Results 100% ready", message_id="<m1@x>"),
        new_message(rcpts("bob@trust.example", state=HELD), subject="Ärztliche Überweisung", verdict="suspect"),
        new_message(
            rcpts("anna.smith@trust.example", state=QUARANTINED, area="spam") + rcpts("c@trust.example"),
            sender="Eve_1@evil.example",
            subject="a\\b",
            verdict="spam",
        ),
        new_message(rcpts("d@elsewhere.example"), direction="outbound", sender="evex1@evil.example"),
    ]
    store.commit(messages)
    return messages


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 2, 1, 0]),
        ({"recipient": "ANNA.smith"}, [2, 0]),
        ({"sender": "eve_1"}, [2]),  # "_" is no wildcard
        ({"subject": "100%"}, [0]),
        ({"subject": "%"}, [0]),
        ({"subject": "a\\b"}, [2]),
        ({"subject": "ÜBERWEISUNG"}, [1]),
        ({"text": "überweisung"}, [1]),
        ({"text": "evil.example"}, [3, 2]),
        ({"text": "elsewhere"}, [3]),
        ({"text": "<m1@x>"}, [0]),
        ({"state": HELD}, [1]),
        ({"state": "h' OR 1=1 --"}, []),
        ({"state": QUARANTINED, "recipient": "c@trust"}, []),  # no one recipient meets both
        ({"area": "spam"}, [2]),
        ({"verdict": "spam"}, [2]),
        ({"direction": "outbound"}, [3]),
        ({"limit": 2}, [3, 2]),
        ({"text": "'; DROP TABLE message; --"}, []),
    ],
)
def test_find(store: SqlStore, mailbox: list[NewMessage], query: dict[str, object], expected: list[int]) -> None:
    assert ids(store, **query) == [mailbox[i].queue_id for i in expected]
    newest_last = [row.queue_id for row in store.iterate(MessageQuery(**query))]  # type: ignore[arg-type]  # keywords of mixed types
    assert newest_last[: len(expected)] == [m.queue_id for m in mailbox if m.queue_id in newest_last][: len(expected)]


def test_find_by_queue_id_and_time(store: SqlStore, mailbox: list[NewMessage]) -> None:
    assert ids(store, text=mailbox[1].queue_id) == [mailbox[1].queue_id]
    assert ids(store, since=mailbox[2].received_at) == [mailbox[3].queue_id, mailbox[2].queue_id]
    assert ids(store, until=mailbox[1].received_at) == [mailbox[0].queue_id]


def test_pages_and_streams_are_complete(store: SqlStore) -> None:
    store.commit([new_message() for _ in range(1203)])
    everything = [row.queue_id for row in store.iterate(MessageQuery())]
    assert everything == sorted(everything) and len(set(everything)) == 1203
    paged: list[str] = []
    while page := ids(store, before_id=paged[-1] if paged else "", limit=100):
        paged += page
    assert paged == everything[::-1]


# -- users, audit, keys


def test_users(store: SqlStore) -> None:
    assert store.user("ann") is None
    store.put_user(UserRow("bob", "h", "helpdesk", 1, False))
    store.put_user(UserRow("ann", "h1", "admin", 1, False))
    store.put_user(UserRow("ann", "h2", "admin", 2, True, must_change=True))
    assert store.user("ann") == UserRow("ann", "h2", "admin", 2, True, must_change=True)
    assert [u.name for u in store.users()] == ["ann", "bob"]


def test_audit_is_a_chain(store: SqlStore) -> None:
    for i in range(5):
        store.audit(i, "admin", "did", f"thing {i}", {"b": i, "a": [1, "\u2603"]})
    assert store.audit_verify() == []
    assert [e.id for e in store.audit_entries(limit=2)] == [5, 4]
    assert store.audit_entries(before=2)[0].detail == {"a": [1, "\u2603"], "b": 0}


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET actor = 'nobody' WHERE id = 3",
        "UPDATE audit SET at = at + 1 WHERE id = 1",
        "UPDATE audit SET detail = '{}' WHERE id = 5",
        "DELETE FROM audit WHERE id = 2",
        "UPDATE audit SET id = 9 WHERE id = 5",
    ],
)
def test_tampering_with_the_audit_shows(store: SqlStore, tampering: str) -> None:
    for i in range(5):
        store.audit(i, "admin", "did", f"thing {i}", {"i": i})
    with store.backend.engine.write() as cursor:
        cursor.execute(tampering)
    assert store.audit_verify()


def test_keys_rotate_and_old_mail_stays_readable(store: SqlStore, open_another: Callable[..., SqlStore]) -> None:
    before = new_message(raw=b"before")
    store.commit([before])
    other = open_another("smtp.1")
    first = store.backend.keys.current()[0].decode()
    second = store.rotate_key(now_us(), "admin")
    assert second != first
    after = new_message(raw=b"after")
    store.commit([after])
    assert [other.body(m.queue_id) for m in (before, after)] == [b"before", b"after"]
    assert store.audit_entries()[0].detail == {"id": second}


# -- retention


def test_purge_drops_what_is_settled_and_old_and_nothing_else(store: SqlStore) -> None:
    old = now_us() - 40 * 86_400_000_000
    settled, queued, held, fresh = (
        new_message(received_at=old),
        new_message(received_at=old),
        new_message(rcpts("h@x.example", state=HELD), received_at=old),
        new_message(),
    )
    store.commit([settled, queued, held, fresh])
    store.record_outcomes([Outcome(m.queue_id, 0, DELIVERED, now_us()) for m in (settled, fresh)])
    assert store.purge(now_us(), 30 * 86_400_000_000)["bodies"] == 1
    with pytest.raises(KeyError):
        store.body(settled.queue_id)
    for kept in (queued, held, fresh):
        assert store.body(kept.queue_id) == kept.raw
    assert states(store, settled.queue_id) == [DELIVERED]
    assert store.ledger().consistent


def test_the_quarantine_expires(store: SqlStore) -> None:
    old = now_us() - 40 * 86_400_000_000
    both = new_message(rcpts("q@x.example", state=QUARANTINED) + rcpts("a@x.example"), received_at=old)
    alone = new_message(rcpts("q@x.example", state=QUARANTINED), received_at=old)
    young = new_message(rcpts("q@x.example", state=QUARANTINED))
    store.commit([both, alone, young])
    done = store.purge(now_us(), 365 * 86_400_000_000)
    assert (done["expired"], done["bodies"]) == (2, 1)
    assert states(store, both.queue_id) == [EXPIRED, QUEUED]
    assert states(store, young.queue_id) == [QUARANTINED]
    assert store.body(both.queue_id) == both.raw
    with pytest.raises(KeyError):
        store.body(alone.queue_id)
    count = store.ledger()
    assert count.consistent and count.discarded == 2


def test_purge_rewraps_under_the_new_key(open_another: Callable[..., SqlStore], tmp_path: Path) -> None:
    store = open_another(segment_bytes=4096)
    messages = [new_message(raw=b"%d" % i * 2000) for i in range(20)]
    for message in messages:
        store.commit([message])
    current = store.rotate_key(now_us(), "admin")
    store.commit([new_message(raw=secrets.token_bytes(5000))])  # fills the segment that holds both keys' records
    store.commit([new_message()])
    while store.purge(now_us(), 1 << 60)["moved"]:
        pass
    store.close()
    path = tmp_path / "data" / "keys" / "master.json"
    document = orjson.loads(path.read_bytes())
    document["keys"] = {current: document["keys"][current]}  # the old key is destroyed
    path.write_bytes(orjson.dumps(document))
    again = open_another()
    assert [again.body(m.queue_id) for m in messages] == [m.raw for m in messages]
    assert again.ledger().consistent
