"""Group commit: batches form, faults stay with their message, nothing handed over is dropped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from mxtest.storekit import new_message, now_us, store_config
from mxward.core.errors import StoreError, StoreFull, StoreUnavailable, StoreUnfit
from mxward.server.store.api import DELIVERED, NewMessage, Outcome
from mxward.server.store.backend import Backend
from mxward.server.store.group import GroupCommit
from mxward.server.store.opening import open_store
from mxward.server.store.store import SqlStore


class Gated(SqlStore):
    """The real store behind a gate that a test opens; counts transactions, and fails on request."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.gate = threading.Event()
        self.gate.set()
        self.sizes: list[int] = []
        self.fault: StoreError | None = None

    def record_outcomes(self, outcomes: Sequence[Outcome], new: Sequence[NewMessage] = ()) -> None:
        self.gate.wait()
        self.sizes.append(len(new))
        if self.fault:
            raise self.fault
        super().record_outcomes(outcomes, new)


@pytest.fixture
def store(tmp_path: Path) -> Gated:
    return Gated(open_store(store_config(tmp_path / "data"), "smtp.0").backend)


async def test_waiting_messages_share_a_transaction(store: Gated) -> None:
    group = GroupCommit(store)
    messages = [new_message() for _ in range(50)]
    store.gate.clear()
    tasks = [asyncio.create_task(group.commit(m)) for m in messages]
    await asyncio.sleep(0)
    assert group.pending == 50
    assert group.pending_bytes == sum(len(m.raw) for m in messages)
    store.gate.set()
    await asyncio.gather(*tasks)
    assert sum(store.sizes) == 50 and len(store.sizes) <= 3
    assert (group.pending, group.pending_bytes) == (0, 0)
    assert store.ledger().accepted == 50
    await group.close()
    store.close()


async def test_caps_on_count_and_bytes(store: Gated) -> None:
    group = GroupCommit(store, max_batch=4, max_batch_bytes=10_000)
    store.gate.clear()
    small = [asyncio.create_task(group.commit(new_message())) for _ in range(9)]
    large = [asyncio.create_task(group.commit(new_message(raw=b"x" * 6000))) for _ in range(4)]
    await asyncio.sleep(0)
    store.gate.set()
    await asyncio.gather(*small, *large)
    assert max(store.sizes) <= 4 and sum(store.sizes) == 13
    assert store.sizes[-1] <= 2
    await group.close()
    store.close()


async def test_a_bad_message_fails_alone(store: Gated) -> None:
    group = GroupCommit(store)
    store.gate.clear()
    good = [new_message() for _ in range(5)]
    bad = new_message(queue_id=good[0].queue_id)  # a queue id twice
    tasks = [asyncio.create_task(group.commit(m)) for m in (*good[:3], bad, *good[3:])]
    await asyncio.sleep(0)
    store.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[3], StoreError)
    assert [r for i, r in enumerate(results) if i != 3] == [None] * 5
    assert store.ledger().accepted == 5
    await group.close()
    store.close()


@pytest.mark.parametrize("fault", [StoreFull("full"), StoreUnavailable("gone"), StoreUnfit("unfit")])
async def test_a_fault_of_the_store_reaches_everyone_once(store: Gated, fault: StoreError) -> None:
    group = GroupCommit(store)
    store.fault = fault
    store.gate.clear()
    tasks = [asyncio.create_task(group.commit(new_message())) for _ in range(5)]
    await asyncio.sleep(0)
    store.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(type(r) is type(fault) for r in results)
    assert len(store.sizes) <= 2  # not once more for each
    assert group.pending == 0
    await group.close()
    store.close()


async def test_a_cancelled_waiter_takes_nothing_back(store: Gated) -> None:
    group = GroupCommit(store)
    message, other = new_message(), new_message()
    store.gate.clear()
    task, staying = asyncio.create_task(group.commit(message)), asyncio.create_task(group.commit(other))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    store.gate.set()
    await staying
    await group.close()
    assert task.cancelled()
    assert store.body(message.queue_id) == message.raw
    assert (group.pending, group.pending_bytes) == (0, 0)
    store.close()


async def test_close_settles_everything_first(store: Gated) -> None:
    group = GroupCommit(store, max_batch=3)
    store.gate.clear()
    tasks = [asyncio.create_task(group.commit(new_message())) for _ in range(10)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(group.close())
    await asyncio.sleep(0)
    store.gate.set()
    await closing
    assert await asyncio.gather(*tasks) == [None] * 10
    with pytest.raises(StoreUnavailable):
        await group.commit(new_message())
    await group.close()
    assert store.ledger().accepted == 10
    store.close()


async def test_outcomes_and_the_dsn_they_cause(store: Gated) -> None:
    group = GroupCommit(store)
    message, dsn = new_message(), new_message(origin="dsn")
    await group.commit(message)
    await group.record([Outcome(message.queue_id, 0, DELIVERED, now_us(), "250 ok")], [dsn])
    row = store.message(message.queue_id)
    assert row is not None and row.recipients[0].state == DELIVERED
    assert store.body(dsn.queue_id) == dsn.raw
    await group.close()
    store.close()
