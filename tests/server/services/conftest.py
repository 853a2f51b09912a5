"""A context on a real SQLite store with an injected clock, and a way to put messages into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mxward.server.clock import Clock
from mxward.server.config import Config, Domains, Server
from mxward.server.run import datadir
from mxward.server.services.context import Context
from mxward.server.store import open_store
from mxward.server.store.api import QUEUED, NewMessage, NewRecipient

START_US = 1_790_000_000_000_000
MINUTE_US = 60_000_000


class Time:
    """A wall clock that tests move by hand."""

    def __init__(self) -> None:
        self.us = START_US

    def __call__(self) -> int:
        return self.us

    def advance(self, minutes: float) -> None:
        self.us += int(minutes * MINUTE_US)


@pytest.fixture
def moving_time() -> Time:
    return Time()


@pytest.fixture
def context(tmp_path: Path, moving_time: Time) -> Iterator[Context]:
    config = Config(server=Server(data_dir=str(tmp_path / "data"), hostname="mx.trust.example"), domains=Domains())
    datadir.make(config, None)
    store = open_store(config, process="test")
    yield Context(config, store, "cli:tester", Clock(moving_time))
    store.close()


Put = Callable[..., str]


@pytest.fixture
def put(context: Context, moving_time: Time) -> Put:
    """put(["a@x"], state=..., raw=..., ...) commits a message and returns its queue id."""
    count = iter(range(1, 10_000))

    def commit(addresses: list[str], *, state: str = QUEUED, raw: bytes = b"", **fields: Any) -> str:
        queue_id = f"{moving_time.us:012x}{next(count):04d}"[-16:]
        recipient = {key: fields.pop(key) for key in ("area", "action", "disposition") if key in fields}
        message = NewMessage(
            queue_id=queue_id, received_at=moving_time.us, direction="inbound", sender="b@example.org",
            raw=raw or b"Subject: hello\r\n\r\nbody\r\n",
            recipients=[NewRecipient(address, state, **recipient) for address in addresses],
            **{"subject": "hello", **fields},
        )  # fmt: skip
        context.store.commit([message])
        return queue_id

    return commit
