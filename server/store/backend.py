"""What the parts of the store share: configuration, database, keys, sealer, and where bodies go."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from mxward.server.config import Config
from mxward.server.store.crypto import Sealed, Sealer
from mxward.server.store.engine import Engine
from mxward.server.store.fitness import Fitness
from mxward.server.store.keys import KeyRing
from mxward.server.store.spool import Ref
from mxward.server.store.sql import Cursor


class Bodies(Protocol):
    """Where sealed messages are kept: the spool log or chunk rows."""

    def batch(self, records: Sequence[Sealed]) -> AbstractContextManager[list[Ref]]:
        """Around a write transaction: the refs of the records, durable already where they are files."""

    def insert(self, cursor: Cursor, records: Sequence[Sealed]) -> None:
        """Within the transaction: what goes into the database."""

    def read(self, queue_id: str, ref: Ref) -> bytes:
        """The sealed record. Raises FileNotFoundError when it moved, StoreCorrupt when damaged."""

    def free(self) -> int:
        """Bytes left for new records."""

    def check(self) -> list[str]: ...

    def close(self) -> None: ...


class RecentRefs:
    """Where the bodies of messages just leased are: saves delivery a query a message. A hint, never relied on."""

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._refs: dict[str, Ref] = {}

    def put(self, queue_id: str, ref: Ref) -> None:
        if len(self._refs) >= self._size:
            self._refs.clear()
        self._refs[queue_id] = ref

    def take(self, queue_id: str) -> Ref | None:
        return self._refs.pop(queue_id, None)


@dataclass(slots=True)
class Backend:
    config: Config
    engine: Engine
    bodies: Bodies
    keys: KeyRing
    sealer: Sealer
    fitness: Fitness
    recent: RecentRefs = field(default_factory=RecentRefs)
