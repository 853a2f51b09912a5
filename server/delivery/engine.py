"""The delivery engine of one process: leased work to transactions to lanes to recorded outcomes.

A bounded number of messages is under way; the backlog stays in the store. A lane that does not get on takes at
most a share of that window, so that a dead destination never holds up the others. What a transaction came to is
recorded in batches by recorder.py, and only then is its message forgotten here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol

from mxward.core.errors import StoreError
from mxward.core.extract.opener import Opener
from mxward.server.clock import SYSTEM_CLOCK, Clock
from mxward.server.config import Config
from mxward.server.delivery import planning
from mxward.server.delivery.body import Body, Loader
from mxward.server.delivery.connection import Timeouts, make_context
from mxward.server.delivery.lane import DeadHosts, Lane, Shared
from mxward.server.delivery.maildir_lane import MaildirLane
from mxward.server.delivery.outcome import Schedule
from mxward.server.delivery.recorder import Recorder
from mxward.server.delivery.reply import local
from mxward.server.delivery.resolve import Resolver
from mxward.server.delivery.route import RouteTable, parse_via
from mxward.server.delivery.session import TlsMode
from mxward.server.delivery.transaction import Transaction
from mxward.server.log import Log
from mxward.server.store.api import Store, Work
from mxward.server.store.group import GroupCommit

LEASE_US: Final = 300 * 1_000_000
RENEW_SECONDS: Final = 60.0
LEASE_BATCH: Final = 64  # messages a lease
POLL_SECONDS: Final = 1.0  # the longest wait between two looks at the store
DRAIN_SECONDS: Final = 20.0  # transactions under way may end on stop
HARD_CAP: Final = 10  # times max_active: messages leased in all, when many lanes are stuck
LANE_SHARE: Final = 4  # a stuck lane counts for at most 1/LANE_SHARE of the window
# Stuck lanes together count for at most half of it.
STUCK_SECONDS: Final = 5.0  # a lane with work where nothing has ended for so long is stuck
FORGET_SECONDS: Final = 60.0  # an empty lane is kept so long
SWEEP_SECONDS: Final = 1.0
THREADS: Final = 4


class AnyLane(Protocol):
    """What the engine needs of a lane."""

    used_at: float
    ended_at: float

    @property
    def load(self) -> int: ...
    @property
    def is_empty(self) -> bool: ...
    def submit(self, tx: Transaction) -> None: ...
    def sweep(self, now: float) -> None: ...
    def drain(self) -> list[Transaction]: ...
    def abort(self) -> None: ...


class Engine:
    """`run` until `stop` is set. Everything happens in one event loop, disk and database in a few threads."""

    def __init__(
        self, config: Config, store: Store, group: GroupCommit, log: Log, *, owner: str, resolver: Resolver,
        clock: Clock = SYSTEM_CLOCK, context: Callable[[TlsMode], ssl.SSLContext | None] = make_context,
        opener: Opener | None = None,
    ) -> None:  # fmt: skip
        """owner: the name on our leases, different for every life of a process; opener: what disarms attachments."""
        self._store, self._log, self._owner, self._clock = store, log, owner, clock
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(THREADS, "delivery")
        self._opener = opener
        self._loader = Loader(store, self._executor, opener=opener)
        self._resolver, self._context = resolver, context
        self._dead = DeadHosts()
        self._contexts: dict[TlsMode, ssl.SSLContext | None] = {}
        self._lanes: dict[tuple[object, ...], AnyLane] = {}
        self._active: dict[str, set[int]] = {}  # queue id -> recipients whose outcome is not yet recorded
        self._wake = asyncio.Event()
        self._recorder = Recorder(group, store, self._executor, log, clock, self._forget)
        self.reconfigure(config)

    def reconfigure(self, config: Config, resolver: Resolver | None = None) -> None:
        """Take a new configuration. Lanes under way finish as they began; later mail uses new ones."""
        self._config = config
        self._resolver = resolver or self._resolver
        self._contexts.clear()
        self._routes = RouteTable(config.routes())
        self._recorder.configure(config, Schedule(config.delivery))
        limits = config.delivery
        timeouts = Timeouts(limits.connect_timeout, limits.command_timeout, limits.data_timeout)
        self._shared = Shared(config.hostname, self._loader, self._dead, timeouts, self._context_of, self._log)
        self._generation = object()  # part of the key of every lane: new ones from now on

    def wake(self) -> None:
        """There may be something new in the store."""
        self._wake.set()

    @property
    def n_active(self) -> int:
        """Messages leased and not yet recorded."""
        return len(self._active)

    # -- the loop

    async def run(self, stop: asyncio.Event) -> None:
        """Lease and deliver until `stop`, then finish what is under way.

        Raises StoreUnfit, or what a bug raised, when outcomes can no longer be recorded: the process must end.
        """
        tasks = [
            self._loop.create_task(self._recorder.run()),
            self._loop.create_task(self._sweep()),
            self._loop.create_task(self._renew()),
        ]
        stopping = self._loop.create_task(stop.wait())
        for task in (*tasks, stopping):
            task.add_done_callback(lambda _: self._wake.set())
        try:
            while not stop.is_set():
                self._wake.clear()
                for task in tasks:
                    if task.done():
                        task.result()  # none ends by itself: this raises
                if await self._lease() == 0 and not stop.is_set():
                    await self._wait()
            await self._drain()
        finally:
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)
            self._executor.shutdown(wait=True)

    async def _lease(self) -> int:
        """Lease and start one batch; returns how many messages came."""
        room = self._room()
        least = min(LEASE_BATCH, self._config.delivery.max_active // LANE_SHARE) if self._active else 1
        if room < max(least, 1) or self._recorder.is_stuck:
            return 0
        now = self._clock.now_us()
        limit = min(room, LEASE_BATCH)
        try:
            works = await self._loop.run_in_executor(
                self._executor, self._store.lease, self._owner, limit, now, LEASE_US
            )
        except StoreError as error:
            self._log.error("lease_failed", error=str(error))
            return 0
        for work in works:
            self._start(work)
        return len(works)

    def _room(self) -> int:
        """Messages that may be leased now."""
        window = self._config.delivery.max_active
        share = max(1, window // LANE_SHARE)
        used, stuck = self._recorder.pending, 0
        for lane in self._lanes.values():
            if self._is_stuck(lane):
                stuck += min(lane.load, share)
            else:
                used += lane.load
        return min(window - used - min(stuck, window // 2), HARD_CAP * window - len(self._active))

    def _is_stuck(self, lane: AnyLane) -> bool:
        return lane.load > 0 and self._loop.time() - lane.ended_at > STUCK_SECONDS

    async def _wait(self) -> None:
        """Until woken, until something falls due, or POLL_SECONDS."""
        pause = POLL_SECONDS
        try:
            due = await self._loop.run_in_executor(self._executor, self._store.next_due)
            if due and self._room() > 0:
                pause = min(pause, max(0.01, (due - self._clock.now_us()) / 1e6))
        except StoreError as error:
            self._log.error("next_due_failed", error=str(error))
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            pass

    # -- one message

    def _start(self, work: Work) -> None:
        busy = self._active.setdefault(work.queue_id, set())
        work.recipients = [r for r in work.recipients if r.n not in busy]  # a lease of ours may have run out
        busy.update(r.n for r in work.recipients)
        body = Body(work)
        for group in planning.plan(work, self._routes):
            for rcpts in group.chunks:
                tx = Transaction(
                    work.sender, rcpts, body, group.additions, self._recorder.add, ret=work.ret, envid=work.envid
                )
                if group.refusal:
                    tx.settle(group.refusal)
                    self._recorder.add(tx)
                else:
                    self._submit(tx, group)

    def _submit(self, tx: Transaction, group: planning.Group) -> None:
        lane = self._lane(group)
        if lane.load >= HARD_CAP * self._config.delivery.max_active // 2 and self._is_stuck(lane):
            tx.settle(local("4.4.5", "too much mail is waiting for this destination"))
            self._recorder.add(tx)
        else:
            lane.submit(tx)

    def _lane(self, group: planning.Group) -> AnyLane:
        key = (self._generation, *group.key)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = self._make_lane(group)
        return lane

    def _make_lane(self, group: planning.Group) -> AnyLane:
        route = group.route
        assert route is not None  # groups without a route are refused before
        hops = [parse_via(via) for via in route.via]
        if hops[0].kind == "maildir":
            root = self._config.data / hops[0].path
            return MaildirLane(root, self._config.hostname, self._store, self._executor, self._log, self._opener)
        return Lane(
            self._shared, lambda: planning.find_targets(self._resolver, hops, group.domain), tls_mode=route.tls,
            max_connections=route.max_connections, max_rate=route.max_rate,
        )  # fmt: skip

    def _context_of(self, mode: TlsMode) -> ssl.SSLContext | None:
        if mode not in self._contexts:
            self._contexts[mode] = self._context(mode)
        return self._contexts[mode]

    def _forget(self, tx: Transaction) -> None:
        """The transaction has been recorded, or given back."""
        queue_id = tx.body.work.queue_id
        busy = self._active.get(queue_id, set())
        busy.difference_update(r.n for r in tx.rcpts)
        if not busy:
            self._active.pop(queue_id, None)
        self._wake.set()

    # -- housekeeping

    async def _sweep(self) -> None:
        delivery = self._config.delivery
        pause = min(SWEEP_SECONDS, *(t / 4 for t in (delivery.connect_timeout, delivery.command_timeout)))
        while True:
            await asyncio.sleep(pause)
            now = self._loop.time()
            for key, lane in list(self._lanes.items()):
                lane.sweep(now)
                if lane.is_empty and now - lane.used_at > FORGET_SECONDS:
                    del self._lanes[key]

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            ids, until = list(self._active), self._clock.now_us() + LEASE_US
            await self._in_thread("renew_failed", partial(self._store.renew, self._owner, ids, until))

    async def _drain(self) -> None:
        """Give back what has not begun, let the rest end, record everything."""
        waiting = [tx for lane in self._lanes.values() for tx in lane.drain()]
        self._log("draining", waiting=len(waiting), active=len(self._active))
        for tx in waiting:
            self._forget(tx)
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._active:
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            pass
        for lane in self._lanes.values():
            lane.abort()
        await asyncio.sleep(0)
        await self._recorder.flush(DRAIN_SECONDS / 4)
        await self._in_thread("release_failed", lambda: self._store.release(self._owner, self._clock.now_us()))

    async def reclaim(self, prefix: str) -> None:
        """Take over at once what an earlier life of this process had leased; `prefix` of its owner names."""
        await self._in_thread("reclaim_failed", lambda: self._store.reclaim(prefix, self._clock.now_us()))

    async def _in_thread(self, fault: str, call: Callable[[], object]) -> None:
        """A store call whose failure is only logged: leases end by themselves."""
        try:
            await self._loop.run_in_executor(self._executor, call)
        except StoreError as error:
            self._log.error(fault, error=str(error))
