"""Leases given back by a process that stops in order, on every backend."""

from __future__ import annotations

from mxtest.storekit import new_message, now_us
from mxward.server.store.store import SqlStore

LEASE = 60_000_000


def test_what_is_given_back_is_due_at_once_and_counts_as_nothing(store: SqlStore) -> None:
    """However often a process stops and starts: no attempt, no interruption, nothing isolated."""
    store.commit([new_message(), new_message()])
    at = now_us()
    for life in range(6):
        works = store.lease(f"delivery.0:{life}", 10, at, LEASE)
        assert [r.attempts for w in works for r in w.recipients] == [0, 0]
        assert store.release(f"delivery.0:{life}", at) == 2
    assert store.next_due() == at


def test_only_the_owners_leases_are_given_back(store: SqlStore) -> None:
    store.commit([new_message(), new_message()])
    at = now_us()
    (mine,) = store.lease("delivery.0:1", 1, at, LEASE)
    store.lease("delivery.1:1", 1, at, LEASE)
    assert store.release("delivery.0:1", at) == 1
    assert [w.queue_id for w in store.lease("delivery.0:2", 10, at, LEASE)] == [mine.queue_id]
    assert store.release("delivery.0:9", at) == 0
