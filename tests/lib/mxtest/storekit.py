"""Making stores and messages for tests of the store and of what stands on it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mxward.server.config import Config, Server, StoreConfig
from mxward.server.store.api import QUEUED, NewMessage, NewRecipient
from mxward.server.store.queueid import new_queue_id

RAW = b"From: a@sender.example\r\nSubject: A subject\r\n\r\nText of a message.\r\n"
DAY_US = 86_400_000_000
_numbers = itertools.count()


def now_us() -> int:
    return time.time_ns() // 1000


def store_config(data: Path, url: str = "sqlite", **store: Any) -> Config:
    return Config(server=Server(data_dir=str(data)), store=StoreConfig(url=url, **store))


def rcpts(*addresses: str, state: str = QUEUED, **fields: Any) -> list[NewRecipient]:
    return [NewRecipient(address, state, **fields) for address in addresses]


def new_message(recipients: Sequence[NewRecipient] | None = None, **fields: Any) -> NewMessage:
    """A message with a fresh queue id; fields override the defaults."""
    at = fields.pop("received_at", None) or now_us()
    given: dict[str, Any] = {
        "queue_id": new_queue_id(at),
        "received_at": at,
        "direction": "inbound",
        "sender": f"sender{next(_numbers)}@sender.example",
        "raw": RAW,
        "recipients": list(recipients) if recipients else rcpts("one@trust.example"),
    }
    return NewMessage(**{**given, **fields})
