"""What every page gets: configuration, store, log, sessions, throttle, and the way to call a service off the loop."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Concatenate, Final, ParamSpec, TypeVar, cast

import anyio
import anyio.to_thread

from mxward.server.clock import SYSTEM_CLOCK, Clock
from mxward.server.config import Config
from mxward.server.log import Log
from mxward.server.services.context import Context
from mxward.server.store.api import Store, UserRow
from mxward.server.web.session import Sessions
from mxward.server.web.throttle import Throttle

P = ParamSpec("P")
T = TypeVar("T")

STORE_THREADS: Final = 8  # service calls at once; more wait their turn
PASSWORD_THREADS: Final = 2  # argon2 takes 64 MiB and 0.2 s of CPU each
PASSWORD_QUEUE: Final = 8  # log-ins that may wait for one of them; more are told to come back


@dataclass
class Console:
    """The state of the web process."""

    config: Config
    store: Store
    log: Log
    clock: Clock = SYSTEM_CLOCK
    monotonic: Callable[[], float] = time.monotonic
    sessions: Sessions = field(init=False)
    throttle: Throttle = field(init=False)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    n_waiting: int = 0

    def __post_init__(self) -> None:
        web = self.config.web
        self.sessions = Sessions(web.session_idle, web.session_absolute, self.monotonic)
        self.throttle = Throttle(self.monotonic)
        self._threads = anyio.CapacityLimiter(STORE_THREADS)
        self._locks: dict[str, anyio.Lock] = {}
        self._made: dict[str, tuple[float, object]] = {}
        self._passwords = anyio.CapacityLimiter(PASSWORD_THREADS)

    async def reload(self, config: Config) -> None:
        """SIGHUP: limits of sessions follow the new configuration at once."""
        self.config = config
        self.sessions.idle, self.sessions.absolute = config.web.session_idle, config.web.session_absolute

    async def cached(self, name: str, seconds: float, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gives, made at most once in `seconds` whoever asks: many viewers cost as much as one."""
        async with self._locks.setdefault(name, anyio.Lock()):
            at, value = self._made.get(name, (float("-inf"), None))
            if self.monotonic() - at >= seconds:
                value = await make()
                self._made[name] = (self.monotonic(), value)
            return cast("T", value)

    def context(self, actor: str) -> Context:
        return Context(self.config, self.store, actor, self.clock)

    async def call(
        self, service: Callable[Concatenate[Context, P], T], actor: str, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a service in a thread as `actor`; its errors come out here."""
        context = self.context(actor)
        return await anyio.to_thread.run_sync(lambda: service(context, *args, **kwargs), limiter=self._threads)

    async def account(self, name: str) -> UserRow | None:
        """The account as it is in the store now."""
        return await self.call(lambda context: context.store.user(name), name)

    async def call_password(
        self, service: Callable[Concatenate[Context, P], T], actor: str, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `call` for what hashes a password: few at once. Raises Busy when too many wait already."""
        if self.n_waiting >= PASSWORD_QUEUE:
            raise Busy
        context = self.context(actor)
        self.n_waiting += 1
        try:
            return await anyio.to_thread.run_sync(lambda: service(context, *args, **kwargs), limiter=self._passwords)
        finally:
            self.n_waiting -= 1


class Busy(Exception):
    """Too many log-ins at once: 503, try again."""
