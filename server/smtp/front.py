"""What the sessions of one worker share: settings, load, clock, the way to judge and commit, and the ticker."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from functools import partial

from mxward.server.config import Listener
from mxward.server.log import Log
from mxward.server.smtp.finish import Finish
from mxward.server.smtp.load import Load
from mxward.server.smtp.password import Passwords
from mxward.server.smtp.protocol import HANDSHAKE_SECONDS, SmtpProtocol
from mxward.server.smtp.scanpool import ScanPool
from mxward.server.smtp.settings import Settings

BACKLOG = 1024
TICK_SECONDS = 1.0  # coarse on purpose: one timer a worker, not one a read


class SmtpFront:
    """Lives on the loop's thread. `acting` holds the protocols whose session waits for the world."""

    def __init__(
        self, settings: Settings, load: Load, finish: Finish, passwords: Passwords, pool: ScanPool, log: Log,
        *, tick_seconds: float = TICK_SECONDS,
    ) -> None:  # fmt: skip
        self.settings, self.load, self.finish, self.passwords, self.log = settings, load, finish, passwords, log
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time
        self.protocols: set[SmtpProtocol] = set()
        self.acting: set[SmtpProtocol] = set()
        self._pool, self._tick_seconds = pool, tick_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._drained = asyncio.Event()
        self._timer = self.loop.call_later(tick_seconds, self._tick)

    async def listen(self, listener: Listener, sock: socket.socket) -> asyncio.Server:
        """Serve a bound socket. Implicit TLS is negotiated before the protocol sees a byte."""
        implicit = listener.tls == "implicit"
        return await self.loop.create_server(
            partial(SmtpProtocol, self, listener),
            sock=sock,
            backlog=BACKLOG,
            ssl=self.settings.tls if implicit else None,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if implicit else None,
        )

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run work as a task of the worker: it ends by itself, whatever becomes of the connection."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.log.exception("session_failed", error)
        self._check_drained()

    def act(self, protocol: SmtpProtocol, work: Coroutine[None, None, None]) -> None:
        """Do a session's action; only one at a time."""
        self.acting.add(protocol)
        self.spawn(work)

    def is_acting(self, protocol: SmtpProtocol) -> bool:
        return protocol in self.acting

    def leave(self, protocol: SmtpProtocol) -> None:
        """The connection is gone."""
        self.protocols.discard(protocol)
        self.acting.discard(protocol)
        self._check_drained()

    def _check_drained(self) -> None:
        if self.load.is_draining and not self.protocols and not self._tasks:
            self._drained.set()

    def _tick(self) -> None:
        now = self.now()
        self._timer = self.loop.call_later(self._tick_seconds, self._tick)
        self._pool.tick(now)
        for protocol in list(self.protocols):
            protocol.tick(now)

    async def drain(self, seconds: float) -> None:
        """No new sessions; idle ones end; running transactions get `seconds`, then the connections are cut.

        What is being committed is always waited for: its client may yet hear 250.
        """
        self.load.is_draining = True
        for protocol in list(self.protocols):
            protocol.drain()
        self._check_drained()
        try:
            await asyncio.wait_for(self._drained.wait(), seconds)
        except TimeoutError:
            self.log.warning("drain_cut", sessions=len(self.protocols))
        self._timer.cancel()
        for protocol in list(self.protocols):
            protocol.abort()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
