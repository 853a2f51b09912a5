"""Makes what transactions came to durable: outcomes and the notifications they cause, in batches.

A finished transaction waits here until the store has it; only then does the engine forget the message, so no
second attempt can start before the first is on the disk. When the store fails, results wait and are tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mxward.core.errors import StoreError, StoreFull, StoreUnavailable, StoreUnfit
from mxward.server.delivery import dsn, outcome
from mxward.server.metrics import METRICS
from mxward.server.store import api
from mxward.server.store.queueid import new_queue_id

if TYPE_CHECKING:
    from mxward.server.clock import Clock
    from mxward.server.config import Config
    from mxward.server.delivery.outcome import Notice, Schedule, Settled
    from mxward.server.delivery.transaction import Transaction
    from mxward.server.log import Log
    from mxward.server.store.group import GroupCommit

BATCH: Final = 256  # transactions in one durable write
RETRY_SECONDS: Final = 1.0
_COUNTERS: Final = {
    api.DELIVERED: "delivery_delivered_total",
    api.QUEUED: "delivery_deferred_total",
    api.BOUNCED: "delivery_bounced_total",
}


@dataclass(slots=True)
class _Result:
    tx: Transaction
    settled: list[Settled]


class Recorder:
    """`add` finished transactions; `run` records them."""

    def __init__(
        self, group: GroupCommit, store: api.Store, executor: Executor, log: Log, clock: Clock,
        recorded: Callable[[Transaction], None],
    ) -> None:  # fmt: skip
        """recorded: called with every transaction once it is on the disk."""
        self._group, self._store, self._executor, self._log, self._clock = group, store, executor, log, clock
        self._recorded = recorded
        self._waiting: list[_Result] = []
        self._n_writing = 0
        self._wake, self._written = asyncio.Event(), asyncio.Event()
        self.is_stuck = False  # the store does not take outcomes: no new work should start

    def configure(self, config: Config, schedule: Schedule) -> None:
        self._config, self._schedule = config, schedule

    @property
    def pending(self) -> int:
        """Transactions not yet on the disk."""
        return len(self._waiting) + self._n_writing

    def add(self, tx: Transaction) -> None:
        """A transaction has ended; every recipient has a reply."""
        now = self._clock.now_us()
        self._waiting.append(_Result(tx, outcome.settle(tx, self._schedule, now)))
        self._wake.set()

    async def run(self) -> None:
        """Record until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._write_batch()

    async def flush(self, seconds: float) -> None:
        """Wait until everything is recorded, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                while self.pending:
                    self._written.clear()
                    await self._written.wait()
        except TimeoutError:
            pass
        if self.pending:
            self._log.error("outcomes_lost", transactions=self.pending)

    async def _write_batch(self) -> None:
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        self._n_writing = len(batch)
        try:
            await self._record(batch)
        finally:
            self._n_writing = 0
            self._written.set()
        for result in batch:
            self._recorded(result.tx)

    async def _record(self, batch: list[_Result]) -> None:
        """Into the store, however long that takes: an outcome that happened must not be forgotten.

        Raises StoreUnfit: nothing can be recorded in this process any more, a new one must take over. A result
        that the store can never take is logged and left to its lease, which ends in isolation.
        """
        outcomes, notices = [s.outcome for r in batch for s in r.settled], await self._notices(batch)
        while True:
            try:
                await self._group.record(outcomes, notices)
            except StoreUnfit:
                raise
            except (StoreUnavailable, StoreFull) as error:
                self.is_stuck = True
                self._log.error("record_failed", error=str(error), outcomes=len(outcomes))
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as error:
                await self._record_singly(batch, error)
                return
            else:
                break
        self.is_stuck = False
        METRICS.add("delivery_dsn_total", len(notices))
        for result in batch:
            self._report(result)

    async def _record_singly(self, batch: list[_Result], error: Exception) -> None:
        """One of them is poison: its neighbours must not suffer."""
        self.is_stuck = False
        if len(batch) == 1:
            self._log.exception("outcome_refused", error, queue_id=batch[0].tx.body.work.queue_id)
            return
        for result in batch:
            await self._record([result])

    async def _notices(self, batch: list[_Result]) -> list[api.NewMessage]:
        groups: dict[tuple[str, Notice], list[Settled]] = {}
        works: dict[str, api.Work] = {}
        for result in batch:
            for settled in result.settled:
                if settled.notice:
                    works[settled.outcome.queue_id] = result.tx.body.work
                    groups.setdefault((settled.outcome.queue_id, settled.notice), []).append(settled)
        if not groups:
            return []
        jobs = [(works[queue_id], notice, settled) for (queue_id, notice), settled in groups.items()]
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._build, jobs)

    def _build(self, jobs: list[tuple[api.Work, Notice, list[Settled]]]) -> list[api.NewMessage]:
        """Notifications, in a thread. An original that cannot be read is left out of its notification."""
        out = []
        for work, notice, settled in jobs:
            now = self._clock.now_us()
            try:
                raw = self._store.body(work.queue_id)
            except (KeyError, StoreError):
                raw = b""
            queue_id = new_queue_id(now)
            try:
                out.append(dsn.build(work, notice, settled, raw, config=self._config, queue_id=queue_id, now=now))
            except Exception as error:  # a bug in a courtesy must not cost the outcome
                self._log.exception("notification_failed", error, queue_id=work.queue_id)
        return out

    def _report(self, result: _Result) -> None:
        """Counters and one line of log."""
        tx = result.tx
        METRICS.add("delivery_attempts_total", len(result.settled))
        states = [s.outcome.state for s in result.settled]
        for state in states:
            if state in _COUNTERS:
                METRICS.add(_COUNTERS[state])
        work = tx.body.work
        first = result.settled[0].outcome
        self._log(
            "delivery", queue_id=work.queue_id, sender=work.sender, rcpts=[s.recipient.address for s in result.settled],
            states=states if len(set(states)) > 1 else states[0], reply=first.reply, route=tx.route, tls=tx.tls,
            size=work.size, delay_us=first.at - work.received_at,
            **({"next_attempt": first.next_attempt} if first.next_attempt else {}),
            **({"ambiguous_dot": True} if tx.is_ambiguous else {}),
        )  # fmt: skip
