"""The lane of a Maildir tree: takes transactions like lane.Lane and writes them in batches in a thread."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mxward.core import modify
from mxward.server.delivery import maildir
from mxward.server.delivery.reply import PeerReply, local

if TYPE_CHECKING:
    from mxward.core.extract.opener import Opener
    from mxward.server.delivery.transaction import Transaction
    from mxward.server.log import Log
    from mxward.server.store.api import Store

BATCH: Final = 64
BATCH_BYTES: Final = 16 * 1024 * 1024  # a batch ends when the messages in it come to this


class MaildirLane:
    """`submit` transactions; each comes back through its `done`."""

    def __init__(
        self, root: Path, host: str, store: Store, executor: Executor, log: Log, opener: Opener | None = None
    ) -> None:
        self._opener = opener
        self._root, self._host, self._store, self._executor, self._log = root, host, store, executor, log
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Transaction] = deque()
        self._n_running = 0
        self._is_stopping = False
        self.used_at = self.ended_at = self._loop.time()

    @property
    def load(self) -> int:
        return len(self._waiting) + self._n_running

    @property
    def is_empty(self) -> bool:
        return not self.load

    def submit(self, tx: Transaction) -> None:
        """Queue a transaction."""
        if not self.load:
            self.ended_at = self._loop.time()
        self._waiting.append(tx)
        self.used_at = self._loop.time()
        self._run()

    def sweep(self, now: float) -> None:
        """Nothing to time out: local writes end by themselves."""

    def drain(self) -> list[Transaction]:
        """Stop: returns what was still waiting."""
        self._is_stopping = True
        waiting, self._waiting = list(self._waiting), deque()
        return waiting

    def abort(self) -> None:
        """A write under way is short and ends by itself."""

    def _run(self) -> None:
        if self._n_running or not self._waiting or self._is_stopping:
            return
        batch: list[Transaction] = []
        size = 0
        while self._waiting and len(batch) < BATCH and size < BATCH_BYTES:
            tx = self._waiting.popleft()
            size += tx.body.work.size
            batch.append(tx)
        self._n_running = len(batch)
        future = self._loop.run_in_executor(self._executor, self._write, batch)
        future.add_done_callback(lambda done: self._finish(batch, done))

    def _finish(self, batch: list[Transaction], done: asyncio.Future[None]) -> None:
        self._n_running = 0
        self.ended_at = self._loop.time()
        failure = None if done.cancelled() else done.exception()
        if failure:
            self._log.exception("maildir_failed", failure)
        for tx in batch:
            tx.settle(local("4.3.0", "the Maildir cannot be written"))
            tx.done(tx)
        self._run()

    # -- in the thread

    def _write(self, batch: list[Transaction]) -> None:
        items: list[maildir.Item] = []
        owners: list[tuple[Transaction, int]] = []
        for tx in batch:
            try:
                items.extend(self._items(tx))
            except Exception as error:
                tx.body_error = error
                self._log.error("body_unreadable", queue_id=tx.body.work.queue_id, error=repr(error))
                continue
            owners.extend((tx, i) for i in range(len(tx.rcpts)))
        replies: list[PeerReply] = maildir.deliver(items)
        for (tx, i), reply in zip(owners, replies, strict=True):
            tx.replies[i] = reply

    def _items(self, tx: Transaction) -> list[maildir.Item]:
        work = tx.body.work
        raw = self._store.body(work.queue_id)
        content = (
            f"Return-Path: <{work.sender}>\r\n".encode("utf-8", "replace"), work.trace,
            modify.apply(raw, tx.additions, self._opener) if tx.additions else raw,
        )  # fmt: skip
        tx.route, tx.is_final = f"maildir:{self._root}", True
        return [
            maildir.Item(
                maildir.directory_of(self._root, rcpt.address),
                maildir.file_name(work.queue_id, rcpt.n, work.received_at, self._host), content,
            )
            for rcpt in tx.rcpts
        ]  # fmt: skip
