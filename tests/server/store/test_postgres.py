"""PostgreSQL where it could lie or vanish: cut synchronous commits, lost connections, restarts."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mxtest.postgres import Cluster, cluster
from mxtest.storekit import new_message, store_config
from mxward.core.errors import StoreCorrupt, StoreError, StoreUnavailable
from mxward.server.store.opening import open_store
from mxward.server.store.store import SqlStore


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture
def store(server: Cluster, tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(store_config(tmp_path / "data", server.url("mail")), "smtp.0")
    yield opened
    opened.close()


class Attempt(threading.Thread):
    """A commit in a thread of its own, with what became of it."""

    def __init__(self, action: Callable[[], None]) -> None:
        super().__init__()
        self.action, self.error, self.done = action, None, False
        self.start()

    error: StoreError | None

    def run(self) -> None:
        try:
            self.action()
        except StoreError as error:
            self.error = error
        self.done = True


@pytest.fixture
def without_standby(server: Cluster) -> Iterator[None]:
    """Synchronous replication to a standby that is not there: every commit waits."""
    server.setting("synchronous_standby_names", "nobody")
    yield
    server.setting("synchronous_standby_names", "")


def waiting_backend(server: Cluster) -> int:
    """The process that waits for the standby."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        rows = server.execute("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        if rows:
            return int(str(rows[0][0]))
    raise AssertionError("no backend waits for the standby")


def test_a_cancelled_wait_for_the_standby_is_no_success(
    server: Cluster, store: SqlStore, without_standby: None
) -> None:
    message = new_message()
    attempt = Attempt(lambda: store.commit([message]))
    server.execute(f"SELECT pg_cancel_backend({waiting_backend(server)})")
    attempt.join(20)
    assert isinstance(attempt.error, StoreUnavailable)
    assert "synchronous replication" in str(attempt.error)
    server.setting("synchronous_standby_names", "")
    # The node committed it all the same; the peer, told 451, sends again: twice, not never.
    assert store.message(message.queue_id) is not None
    store.commit([new_message()])
    assert store.ledger().consistent


def test_a_lost_connection_is_checked_by_queue_id(server: Cluster, store: SqlStore, without_standby: None) -> None:
    message = new_message()
    attempt = Attempt(lambda: store.commit([message]))
    server.execute(f"SELECT pg_terminate_backend({waiting_backend(server)})")
    second = waiting_backend(server)  # the check itself waits for a durable commit
    assert not attempt.done and second
    server.setting("synchronous_standby_names", "")
    attempt.join(20)
    assert attempt.done and attempt.error is None
    assert store.body(message.queue_id) == message.raw


def test_outage_and_return(server: Cluster, store: SqlStore) -> None:
    before = new_message()
    store.commit([before])
    server.stop()
    try:
        started = time.monotonic()
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                store.commit([new_message()])
        assert time.monotonic() - started < 5  # refused, not waited for
        assert store.check() and store.check()  # broken connection first, none to be had then
    finally:
        server.start()
    after = new_message()
    deadline = time.monotonic() + 20
    while True:
        try:
            store.commit([after])
            break
        except StoreUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert [store.body(m.queue_id) for m in (before, after)] == [before.raw, after.raw]
    assert store.ledger().consistent
    assert store.check() == []


def test_bodies_lie_in_chunks_out_of_line(server: Cluster, store: SqlStore) -> None:
    message = new_message(raw=os.urandom(2_500_000))
    store.commit([message])
    sizes = server.execute("SELECT n, length(data) FROM body_chunk ORDER BY n", "mail")
    assert [row[0] for row in sizes] == [0, 1, 2]
    assert max(int(str(row[1])) for row in sizes) <= 1 << 20
    assert store.body(message.queue_id) == message.raw


def test_damaged_chunks_are_told(server: Cluster, store: SqlStore) -> None:
    flipped, short = new_message(), new_message()
    store.commit([flipped, short])
    at = f"WHERE queue_id = '{flipped.queue_id}'"
    server.execute(f"UPDATE body_chunk SET data = set_byte(data, 150, get_byte(data, 150) # 1) {at}", "mail")
    server.execute(f"DELETE FROM body_chunk WHERE queue_id = '{short.queue_id}'", "mail")
    for message in (flipped, short):
        with pytest.raises(StoreCorrupt):
            store.body(message.queue_id)


def test_asynchronous_commit_is_reported(server: Cluster, tmp_path: Path) -> None:
    url = server.url("lax")
    server.execute("ALTER DATABASE lax SET synchronous_commit = off")
    store = open_store(store_config(tmp_path / "data", url), "smtp.0")
    assert any("synchronous_commit is off" in p for p in store.check())
    store.close()
