"""The commit point: durable transactions of 1, 8 and 32 messages of 20 KB on SQLite and the spool log, and leasing."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from bench import inputs
from mxward.server.config import load
from mxward.server.store.api import QUEUED, NewMessage, NewRecipient

store_package = pytest.importorskip("mxward.server.store", reason="this tree has no store", exc_type=ImportError)
RAW = inputs.plain(2500)
_numbers = itertools.count()


@pytest.fixture
def store() -> Iterator[Any]:
    """A fresh embedded store."""
    with tempfile.TemporaryDirectory(prefix="mxward-store-") as data:
        opened = store_package.open_store(load(None, data=data, environ={}), process="bench")
        yield opened
        opened.close()


def message(now: int = 1_795_510_800_000_000) -> NewMessage:
    """A message of about 20 KB with one queued recipient and an id of its own."""
    from mxward.server.store.queueid import new_queue_id

    return NewMessage(
        queue_id=new_queue_id(now + next(_numbers)), received_at=now, direction="inbound", sender="a@sender.example",
        raw=RAW, recipients=[NewRecipient("u@trust.example", QUEUED)], trace=b"Received: from x by y\r\n",
        subject="Theatre list", header_from="a@sender.example",
        judgement={"verdict": "clean", "score": 0.0, "hits": []},
    )  # fmt: skip


@pytest.mark.parametrize("n", [1, 8, 32])
def test_commit(benchmark: Any, store: Any, n: int) -> None:
    def commit() -> str:
        batch = [message() for _ in range(n)]
        store.commit(batch)
        return batch[-1].queue_id

    queue_id = benchmark(commit)
    assert store.body(queue_id) == RAW
    ledger = store.ledger()
    assert ledger.consistent and ledger.accepted % n == 0


def test_commit_lease_and_settle(benchmark: Any, store: Any) -> None:
    from mxward.server.store.api import DELIVERED, Outcome

    def cycle() -> int:
        store.commit([message() for _ in range(8)])
        now = 1_900_000_000_000_000
        work = store.lease("bench", 8, now, 60_000_000)
        store.record_outcomes([Outcome(w.queue_id, 0, DELIVERED, now, "250 ok", "smtp://sink") for w in work])
        return len(work)

    assert benchmark(cycle) == 8
    ledger = store.ledger()
    assert ledger.consistent and ledger.queued == 0
