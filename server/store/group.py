"""Group commit: many awaiting tasks, one writer thread, few durable transactions.

While one transaction waits for the disk everything that arrives is collected, and goes into the next one. A
task that is cancelled does not take its message back: what was handed over is committed all the same.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mxward.core.errors import StoreFull, StoreUnavailable, StoreUnfit
from mxward.server.store.api import NewMessage, Outcome, Store

MAX_BATCH: Final = 256  # items a transaction; also bounds how long one takes
MAX_BATCH_BYTES: Final = 32 * 1024 * 1024
# Faults of the store, not of an item: trying the items one by one would only repeat them.
_SHARED: Final = (StoreFull, StoreUnavailable, StoreUnfit)


@dataclass(slots=True)
class _Item:
    outcomes: Sequence[Outcome]
    new: Sequence[NewMessage]
    size: int
    future: asyncio.Future[None]


class GroupCommit:
    """The asynchronous face of `Store.commit` and `Store.record_outcomes` for one event loop."""

    def __init__(self, store: Store, max_batch: int = MAX_BATCH, max_batch_bytes: int = MAX_BATCH_BYTES) -> None:
        self._store, self._max, self._max_bytes = store, max_batch, max_batch_bytes
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._pending = self._pending_bytes = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Items handed over and not yet settled."""
        return self._pending

    @property
    def pending_bytes(self) -> int:
        """Message bytes in them."""
        return self._pending_bytes

    async def commit(self, message: NewMessage) -> None:
        """Returns once the message is durable: 250 may be said. Raises what `Store.commit` raises."""
        await self._submit((), (message,))

    async def record(self, outcomes: Sequence[Outcome], new: Sequence[NewMessage] = ()) -> None:
        """Returns once the outcomes, and messages they cause, are durable."""
        await self._submit(outcomes, new)

    async def close(self) -> None:
        """Settle everything handed over, then end the thread. Later calls raise StoreUnavailable."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        while self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
        await asyncio.sleep(0)  # let the last results reach those who await them

    async def _submit(self, outcomes: Sequence[Outcome], new: Sequence[NewMessage]) -> None:
        if self._closed:
            raise StoreUnavailable("the store is closing")
        size = sum(len(m.raw) for m in new)
        future: asyncio.Future[None] = self._loop.create_future()
        self._pending += 1
        self._pending_bytes += size
        self._queue.put(_Item(outcomes, new, size, future))
        await future

    # -- writer thread

    def _run(self) -> None:
        last = False
        while not last:
            item = self._queue.get()
            if item is None:
                return
            batch = [item]
            last = self._collect(batch)
            self._settle(batch)

    def _collect(self, batch: list[_Item]) -> bool:
        """Add what waits already, up to the caps; true when the end mark was met."""
        size = batch[0].size
        while len(batch) < self._max and size < self._max_bytes:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return False
            if item is None:
                return True
            batch.append(item)
            size += item.size
        return False

    def _settle(self, batch: list[_Item]) -> None:
        error = self._write(batch)
        if error is None or len(batch) == 1 or isinstance(error, _SHARED):
            self._report([(item, error) for item in batch])
            return
        for item in batch:  # one bad message must not fail its neighbours
            self._report([(item, self._write([item]))])

    def _write(self, batch: list[_Item]) -> Exception | None:
        try:
            if len(batch) == 1:
                self._store.record_outcomes(batch[0].outcomes, batch[0].new)
            else:
                outcomes = [o for item in batch for o in item.outcomes]
                self._store.record_outcomes(outcomes, [m for item in batch for m in item.new])
        except Exception as error:  # handed to whoever awaits
            return error
        return None

    def _report(self, results: list[tuple[_Item, Exception | None]]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._resolve, results)
        except RuntimeError:  # the loop is gone, and with it everyone who could have been told
            pass

    def _resolve(self, results: list[tuple[_Item, Exception | None]]) -> None:
        for item, error in results:
            self._pending -= 1
            self._pending_bytes -= item.size
            if item.future.done():
                continue  # cancelled meanwhile
            if error is None:
                item.future.set_result(None)
            else:
                item.future.set_exception(error)
