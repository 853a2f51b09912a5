"""A destination: its waiting transactions, its open connections, its rate and its fail-over.

One lane serves all mail of one route (a smart host list) or of one domain (by MX). Concurrency grows with success
from a small window; a host that failed is left alone for a while (`DeadHosts`), and when no host is left, all that
waits is deferred at once instead of queueing up behind a dead peer.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mxward.core.errors import StoreError
from mxward.core.modify import ModifyError
from mxward.server.delivery.connection import Connection, Timeouts, make_session
from mxward.server.delivery.reply import PeerReply, local
from mxward.server.delivery.resolve import ResolveError, Target
from mxward.server.delivery.session import State, TlsMode
from mxward.server.metrics import METRICS

if TYPE_CHECKING:
    from mxward.server.delivery.body import Loader
    from mxward.server.delivery.transaction import Transaction
    from mxward.server.log import Log

START_WINDOW: Final = 5  # connections before the first success
MAX_TRIES: Final = 4  # connections that one attempt of a transaction may use up
DEAD_FIRST, DEAD_MAX = 30.0, 300.0  # seconds that a failed host is left alone; doubles
NO_TLS_SECONDS: Final = 3600.0  # a host whose STARTTLS failed is spoken to in plain text so long (opportunistic)
MAX_REMEMBERED: Final = 10_000
MAX_IDLE: Final = 200  # open connections without mail, over all lanes


class DeadHosts:
    """Short memory of hosts that failed, shared by all lanes."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._dead: dict[Target, tuple[float, float, PeerReply]] = {}

    def reason(self, target: Target) -> PeerReply | None:
        """Why the target is left alone now, or None when it may be tried."""
        entry = self._dead.get(target)
        return entry[2] if entry and entry[0] > self._now() else None

    def mark(self, target: Target, reason: PeerReply) -> None:
        """It failed: leave it alone, longer than the last time. Failures of attempts made at once count once."""
        if self.reason(target):
            return
        last = self._dead.pop(target, None)
        pause = min(DEAD_MAX, last[1] * 2) if last else DEAD_FIRST
        if len(self._dead) >= MAX_REMEMBERED:
            del self._dead[next(iter(self._dead))]
        self._dead[target] = (self._now() + pause, pause, reason)

    def clear(self, target: Target) -> None:
        """It works."""
        self._dead.pop(target, None)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all lanes of a process have in common."""

    name: str  # for EHLO
    loader: Loader
    dead: DeadHosts
    timeouts: Timeouts
    context: Callable[[TlsMode], ssl.SSLContext | None]
    log: Log
    idle: set[Connection] = field(default_factory=set)  # over all lanes


class Lane:
    """`submit` transactions; each comes back through its `done` with a reply for every recipient."""

    def __init__(
        self, shared: Shared, find_targets: Callable[[], Awaitable[list[Target]]], *,
        tls_mode: TlsMode = "opportunistic", max_connections: int = 20, max_rate: float = 0.0,
    ) -> None:  # fmt: skip
        self._shared, self._find_targets, self._tls_mode = shared, find_targets, tls_mode
        self._max_connections, self._max_rate = max_connections, max_rate
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Transaction] = deque()
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._targets: list[Target] = []
        self._plain_until: dict[Target, float] = {}
        self._window = min(START_WINDOW, max_connections)
        self._next_slot = 0.0  # rate: loop time before which nothing more may start
        self._timer: asyncio.TimerHandle | None = None
        self._is_stopping = False
        self.used_at = self.ended_at = self._loop.time()

    @property
    def load(self) -> int:
        """Transactions waiting or under way."""
        return len(self._waiting) + len(self._open) - len(self._idle)

    @property
    def is_empty(self) -> bool:
        return not (self._waiting or self._open or self._opening)

    def submit(self, tx: Transaction) -> None:
        """Queue a transaction."""
        if not self.load:
            self.ended_at = self._loop.time()
        self._waiting.append(tx)
        self._pump()

    def sweep(self, now: float) -> None:
        """Enforce deadlines; called every second or so. Cost: linear in open connections."""
        for connection in [c for c in self._open if c.deadline <= now]:
            self._no_longer_idle(connection)
            connection.expire()

    def drain(self) -> list[Transaction]:
        """Stop: nothing new starts; returns what was still waiting. What is under way goes on."""
        self._is_stopping = True
        waiting, self._waiting = list(self._waiting), deque()
        for task in self._opening:
            task.cancel()
        self._quit_idle()
        return waiting

    def abort(self) -> None:
        """End what is still under way."""
        for connection in list(self._open):
            connection.abort()

    # -- matching transactions and connections

    def _pump(self) -> None:
        self.used_at = self._loop.time()
        while self._waiting and not self._is_stopping:
            if not self._may_start():
                return
            if not self._idle:
                self._grow()
                return
            connection = self._idle.pop()
            self._shared.idle.discard(connection)
            self._assign(connection, self._waiting.popleft())

    def _may_start(self) -> bool:
        """The rate limit; books a slot only when a connection is there to use it."""
        if not self._max_rate:
            return True
        now = self._loop.time()
        if now < self._next_slot:
            if self._timer is None:
                self._timer = self._loop.call_at(self._next_slot, self._on_slot)
            return False
        if self._idle:
            self._next_slot = now + 1 / self._max_rate
        return True

    def _on_slot(self) -> None:
        self._timer = None
        self._pump()

    def _assign(self, connection: Connection, tx: Transaction) -> None:
        METRICS.add("delivery_active")
        self._shared.loader.request(tx, lambda tx, error: self._loaded(connection, tx, error))

    def _loaded(self, connection: Connection, tx: Transaction, error: Exception | None) -> None:
        if error is None and connection.session.state is State.IDLE:
            if connection.n_done:
                METRICS.add("delivery_reused_total")
            connection.begin(tx)
            return
        self._release(tx)
        if error is None:  # the connection closed while the body was read
            self._waiting.appendleft(tx)
            self._pump()
            return
        self._on_body_error(tx, error)
        self._free(connection)

    def _on_body_error(self, tx: Transaction, error: Exception) -> None:
        if isinstance(error, StoreError | KeyError | ModifyError):
            self._shared.log.error("body_unreadable", queue_id=tx.body.work.queue_id, error=repr(error))
        else:
            self._shared.log.exception("content_failed", error, queue_id=tx.body.work.queue_id)
        tx.body_error = error
        tx.settle(local("4.3.0", "the stored message cannot be read"))
        tx.done(tx)

    def _release(self, tx: Transaction) -> None:
        METRICS.add("delivery_active", -1)
        self._shared.loader.release(tx)

    # -- events of connections

    def _on_progress(self, connection: Connection) -> None:
        session = connection.session
        tx, session.finished = session.finished, None
        if tx:
            connection.n_done += 1
            self.ended_at = self._loop.time()
            self._window = min(self._window + 1, self._max_connections)
            self._release(tx)
            tx.done(tx)
        if session.state is State.IDLE:
            self._free(connection)

    def _free(self, connection: Connection) -> None:
        """The connection can take the next transaction."""
        if connection.session.state is not State.IDLE:
            return
        self._idle.append(connection)
        self._shared.idle.add(connection)
        connection.park()
        self._pump()
        if self._is_stopping or len(self._shared.idle) > MAX_IDLE:
            self._quit_idle()

    def _no_longer_idle(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
            self._shared.idle.discard(connection)

    def _on_closed(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._no_longer_idle(connection)
        session = connection.session
        tx, session.tx = session.tx, None
        if tx:
            self._release(tx)
            self._broken(connection, tx)
        self._pump()

    def _broken(self, connection: Connection, tx: Transaction) -> None:
        """The connection ended under a transaction: settle it, or try it again elsewhere."""
        session = connection.session
        reason = session.failure or local("4.4.2", "connection lost")
        if session.failed_in is State.CONTENT:
            self._cut_in_content(connection, tx, reason)
            return
        if connection.n_done:
            self._quit_idle()  # its siblings are likely as stale
        else:
            self._shared.dead.mark(connection.target, reason)
        tx.tries += 1
        may_retry = connection.n_done or any(self._shared.dead.reason(t) is None for t in self._targets)
        if may_retry and tx.tries < MAX_TRIES and not self._is_stopping:
            tx.forget()
            self._waiting.appendleft(tx)
            return
        tx.settle(_temporary(reason))
        tx.done(tx)

    def _cut_in_content(self, connection: Connection, tx: Transaction, reason: PeerReply) -> None:
        if not connection.has_unsent:
            tx.is_ambiguous = True
            self._shared.log.warning(
                "ambiguous_dot", queue_id=tx.body.work.queue_id, route=tx.route, rcpts=[r.address for r in tx.rcpts],
                reason=str(reason),
            )  # fmt: skip
        tx.settle(_temporary(reason))
        tx.done(tx)

    def _quit_idle(self) -> None:
        idle, self._idle = self._idle, []
        self._shared.idle.difference_update(idle)
        for connection in idle:
            connection.quit()

    # -- opening

    def _grow(self) -> None:
        """Open as many connections as there is work for, within the window."""
        room = self._window - len(self._open) - len(self._opening)
        for _ in range(min(room, len(self._waiting) - len(self._opening))):
            task = self._loop.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._on_opened)

    def _on_opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if not task.cancelled() and task.exception():
            self._shared.log.exception("lane_failed", task.exception() or RuntimeError())
            self._defer_all(local("4.3.0", "internal error while connecting"))
        if not self._is_stopping:
            self._pump()

    async def _connect(self) -> None:
        """Open one connection to the first host that answers; with none, defer what waits."""
        try:
            self._targets = await self._find_targets()
        except ResolveError as error:
            self._defer_all(error.reply)
            return
        last = local("4.4.1", "no host to connect to")
        for target in self._targets:
            reason = self._shared.dead.reason(target)
            if reason is None:
                reason = await self._try(target)
            if reason is None:
                return
            last = reason
        if self._open:
            self._window = max(1, len(self._open))
        else:
            self._defer_all(_temporary(last))

    async def _try(self, target: Target) -> PeerReply | None:
        """Open a connection to one target; returns why not."""
        connection = await self._dial(target, self._mode(target))
        if connection.tls_failed and self._tls_mode == "opportunistic":
            self._plain_until[target] = self._loop.time() + NO_TLS_SECONDS
            self._shared.log.warning("tls_fallback", target=str(target), reason=str(connection.session.failure))
            connection = await self._dial(target, "none")
        session = connection.session
        if session.state is not State.IDLE:
            reason = session.failure or local("4.4.1", "connection failed")
            if not any(c.target == target and c.is_open for c in self._open):
                self._shared.dead.mark(target, reason)  # else it only limits the number of connections
            self._shared.log("host_failed", target=str(target), reason=str(reason))
            return reason
        self._shared.dead.clear(target)
        self._free(connection)
        return None

    async def _dial(self, target: Target, mode: TlsMode) -> Connection:
        session = make_session(self._shared.name, target, mode)
        connection = Connection(
            target, session, self._shared.timeouts, self._shared.context(session.tls_mode),
            self._on_progress, self._on_closed,
        )  # fmt: skip
        self._open.add(connection)
        await connection.open()
        if session.state is State.CLOSED:
            self._open.discard(connection)
        return connection

    def _mode(self, target: Target) -> TlsMode:
        if self._tls_mode == "opportunistic" and self._plain_until.get(target, 0.0) > self._loop.time():
            return "none"
        return self._tls_mode

    def _defer_all(self, reply: PeerReply) -> None:
        waiting, self._waiting = self._waiting, deque()
        for tx in waiting:
            tx.settle(reply)
            tx.done(tx)


def _temporary(reply: PeerReply) -> PeerReply:
    """A refusal of the whole host (say, 554 in its greeting) never bounces mail: another day it may take it."""
    if reply.code < 500:
        return reply
    return local("4.3.0", f"the next hop refused the session: {reply}")
