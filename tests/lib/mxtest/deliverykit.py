"""A real delivery engine over a real SQLite store, for tests: put messages in, wait, look at the rows."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson

from mxtest.storekit import new_message, now_us, rcpts
from mxward.server.clock import Clock
from mxward.server.config import Config, Delivery, Route, Server
from mxward.server.delivery.connection import make_context
from mxward.server.delivery.engine import Engine
from mxward.server.delivery.resolve import Resolver
from mxward.server.delivery.session import TlsMode
from mxward.server.log import Log
from mxward.server.store import open_store
from mxward.server.store.api import QUEUED, MessageQuery, MessageRow, NewMessage, RecipientRow, Store
from mxward.server.store.group import GroupCommit


class HandClock(Clock):
    """Wall time that the test moves on by setting `at` (microseconds); between moves it stands still."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = now_us()
        super().__init__(lambda: self.at)


class Kit:
    """One engine with its store."""

    def __init__(self, config: Config, store: Store, engine: Engine, log_path: Path) -> None:
        self.config, self.store, self.engine, self.log_path = config, store, engine, log_path
        self.ended = False  # the engine ended by itself

    def put(self, *addresses: str, at: int = 0, notify: str = "", orcpt: str = "", **fields: Any) -> str:
        """Commit a message to these recipients and tell the engine; returns its queue id."""
        given = rcpts(*addresses, notify=notify, orcpt=orcpt)
        return self.commit(new_message(given, received_at=at or now_us(), **fields))

    def commit(self, message: NewMessage) -> str:
        self.store.commit([message])
        self.engine.wake()
        return message.queue_id

    def row(self, queue_id: str) -> MessageRow:
        row = self.store.message(queue_id)
        assert row is not None
        return row

    async def tried(self, queue_id: str, attempts: int = 1) -> list[RecipientRow]:
        """The recipients once each has had so many attempts."""
        await self.until(lambda: all(r.attempts >= attempts for r in self.row(queue_id).recipients))
        return self.row(queue_id).recipients

    async def settled(self, queue_id: str) -> list[RecipientRow]:
        """The recipients once none is queued."""
        await self.until(lambda: all(r.state != QUEUED for r in self.row(queue_id).recipients))
        return self.row(queue_id).recipients

    async def until(self, condition: Callable[[], bool], seconds: float = 15) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not met in time; log:\n{self.log_path.read_text()[-3000:]}"
            await asyncio.sleep(0.005)

    def notifications(self) -> list[tuple[MessageRow, bytes]]:
        """All delivery status notifications, oldest first, with their bytes."""
        found = [m for m in self.store.iterate(MessageQuery(limit=0)) if m.origin == "dsn"]
        return [(m, self.store.body(m.queue_id)) for m in found]

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [orjson.loads(line) for line in self.log_path.read_bytes().splitlines()]
        return [line for line in lines if line["event"] == name]


@contextlib.asynccontextmanager
async def open_kit(
    data: Path, *routes: Route, clock: Clock | None = None, resolver: Resolver | None = None,
    context: Callable[[TlsMode], ssl.SSLContext | None] = make_context, **delivery: Any,
) -> AsyncIterator[Kit]:  # fmt: skip
    """Run an engine; `delivery` are settings of that section. The store is checked at the end."""
    config = Config(
        server=Server(data_dir=str(data / "data"), hostname="mx.trust.example"), route=list(routes),
        delivery=Delivery(**{"connect_timeout": 3.0, "command_timeout": 3.0, "data_timeout": 3.0, **delivery}),
    )  # fmt: skip
    store = open_store(config, "delivery.0")
    group = GroupCommit(store)
    log_path = data / "log"
    fd = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    extra = {"clock": clock} if clock else {}
    engine = Engine(
        config, store, group, Log("delivery.0", fd=fd), owner="delivery.0@mx:1", resolver=resolver or Resolver(),
        context=context, **extra,
    )  # fmt: skip
    stop = asyncio.Event()
    running = asyncio.create_task(engine.run(stop))
    kit = Kit(config, store, engine, log_path)
    running.add_done_callback(lambda _: setattr(kit, "ended", True))
    try:
        yield kit
    finally:
        stop.set()
        try:
            await running
        finally:
            await group.close()
            ledger = store.ledger()
            store.close()
            os.close(fd)
        assert ledger.consistent, ledger.problems


def to(url: str, domain: str = "*", **fields: Any) -> Route:
    """A route of one next hop."""
    return Route(domain=domain, via=[url], **{"tls": "none", **fields})
