"""Message content on its way out: read from the store in batches, changed where policy asks, dot-stuffed.

Bodies are loaded only when a connection is ready to send them, shared by the transactions that send the same
message, and dropped when the last of these ends. A byte budget bounds what is in memory at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Final

from mxward.core import modify
from mxward.pyx import dotstuff
from mxward.server.delivery.command import ascii_address

if TYPE_CHECKING:
    from mxward.core.extract.opener import Opener
    from mxward.server.delivery.transaction import Transaction
    from mxward.server.store.api import Store, Work

BUDGET: Final = 128 * 1024 * 1024  # bytes of bodies in memory; one message above it is sent alone
BATCH: Final = 64  # bodies read in one go of the executor

Additions = tuple[tuple[str, str], ...]
Ready = Callable[["Transaction", Exception | None], None]


class Body:
    """The content of one leased message. `raw` is there only while a transaction uses it."""

    __slots__ = ("_contents", "has_utf8_header", "raw", "users", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.raw: bytes | None = None
        self.users = 0
        self.has_utf8_header = False
        self._contents: dict[Additions, tuple[list[bytes], int, bool]] = {}

    def fill(self, tx: Transaction, store: Store, opener: Opener | None) -> None:
        """Give `tx` its content; in a thread. Raises KeyError, StoreError."""
        if self.raw is None:
            self.raw = store.body(self.work.queue_id)
            end = self.raw.find(b"\r\n\r\n")
            self.has_utf8_header = not self.raw[: end if end >= 0 else None].isascii()
        content = self._contents.get(tx.additions)
        if content is None:
            content = self._contents[tx.additions] = prepare(self.work.trace, self.raw, tx.additions, opener)
        tx.content, tx.size, tx.is_8bit = content
        tx.needs_utf8 = (self.work.smtputf8 and self.has_utf8_header) or not (
            ascii_address(tx.sender).isascii() and all(ascii_address(r.address).isascii() for r in tx.rcpts)
        )

    def drop(self) -> None:
        """Free the bytes."""
        self.raw = None
        self._contents = {}


def prepare(
    trace: bytes, raw: bytes, additions: Additions, opener: Opener | None = None
) -> tuple[list[bytes], int, bool]:
    """What goes between 354 and the final dot: trace and message, stuffed; its plain size; whether 8-bit."""
    message = modify.apply(raw, additions, opener) if additions else raw
    is_8bit = not (message.isascii() and trace.isascii())
    return [dotstuff.stuff(trace), dotstuff.stuff(message)], len(trace) + len(message), is_8bit


class Loader:
    """Fills transactions in batches by the executor, within the budget, in the order they were asked for."""

    def __init__(self, store: Store, executor: Executor, budget: int = BUDGET, opener: Opener | None = None) -> None:
        self._store, self._executor, self._opener = store, executor, opener
        self._left = self._budget = budget
        self._waiting: deque[tuple[Transaction, Ready]] = deque()
        self._is_running = False

    def request(self, tx: Transaction, ready: Ready) -> None:
        """Call `ready(tx, None)` when tx.content is there, or `ready(tx, error)`; then `release` is due."""
        self._waiting.append((tx, ready))
        self._run()

    def release(self, tx: Transaction) -> None:
        """The content of `tx` is no longer needed."""
        tx.content = []
        body = tx.body
        body.users -= 1
        if body.users == 0:
            body.drop()
            self._left += body.work.size
            self._run()

    def _admit(self) -> list[tuple[Transaction, Ready]]:
        batch: list[tuple[Transaction, Ready]] = []
        while self._waiting and len(batch) < BATCH:
            body = self._waiting[0][0].body
            cost = 0 if body.users else body.work.size
            if cost > self._left and self._left < self._budget:
                break
            self._left -= cost
            body.users += 1
            batch.append(self._waiting.popleft())
        return batch

    def _run(self) -> None:
        if self._is_running or not self._waiting:
            return
        batch = self._admit()
        if batch:
            self._is_running = True
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._executor, self._fill, [tx for tx, _ in batch])
            future.add_done_callback(lambda done: self._finish(batch, done))

    def _fill(self, txs: list[Transaction]) -> list[Exception | None]:
        out: list[Exception | None] = []
        for tx in txs:
            try:
                tx.body.fill(tx, self._store, self._opener)
                out.append(None)
            except Exception as error:
                out.append(error)
        return out

    def _finish(self, batch: list[tuple[Transaction, Ready]], done: asyncio.Future[list[Exception | None]]) -> None:
        self._is_running = False
        if done.cancelled():
            return
        failure = done.exception()
        errors = [RuntimeError(str(failure))] * len(batch) if failure else done.result()
        for (tx, ready), error in zip(batch, errors, strict=True):
            ready(tx, error)
        self._run()
