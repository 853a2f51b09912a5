"""Durable records: spool, ledger, quarantine, tracking, users and audit, on SQLite or PostgreSQL.

`open_store` is the door; `api` says what every call promises. Nothing outside this package knows SQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mxward.server.config import Config
    from mxward.server.store.api import Store

__all__ = ["open_store"]


def open_store(config: Config, process: str = "cli") -> Store:
    """The store that the configuration names, created or migrated when needed.

    Args: process: the caller's name ("smtp.0"); each process appends to a spool shard of its own.
    Raises StoreError (of the tree in core.errors) with what to do about it.
    """
    from mxward.server.store.opening import open_store as opened  # SQLAlchemy loads only when a store is used

    return opened(config, process)
