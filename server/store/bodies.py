"""The two homes of sealed bodies: the spool log (SQLite) and chunk rows (PostgreSQL)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from mxward.core.errors import StoreCorrupt
from mxward.server.store.crypto import Sealed
from mxward.server.store.engine import Engine
from mxward.server.store.schema import BODY_CHUNK, IN_DATABASE
from mxward.server.store.spool import Ref, Spool
from mxward.server.store.sql import Cursor, Insert

CHUNK: Final = 1 << 20
AMPLE: Final = 1 << 62


class SpoolBodies:
    """Bodies in the spool log."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool

    @contextmanager
    def batch(self, records: Sequence[Sealed]) -> Iterator[list[Ref]]:
        # Held until the rows are committed: uncommitted bytes are only ever in the newest segment.
        with self.spool.lock:
            yield self.spool.append(records)

    def insert(self, cursor: Cursor, records: Sequence[Sealed]) -> None:
        """Nothing: the records are on disk already."""

    def read(self, queue_id: str, ref: Ref) -> bytes:
        return self.spool.read(ref)

    def free(self) -> int:
        return self.spool.free()

    def check(self) -> list[str]:
        return [] if self.spool.free() else [f"{self.spool.root}: no space for new mail"]

    def close(self) -> None:
        self.spool.close()


class RowBodies:
    """Bodies in chunk rows of at most a megabyte, in the same transaction as the message."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = Insert(BODY_CHUNK, engine.dialect)
        chunk = BODY_CHUNK.c
        by_id = chunk.queue_id == sa.bindparam("q")
        self._select = engine.statement(sa.select(chunk.data).where(by_id).order_by(chunk.n))
        self._delete = engine.statement(sa.delete(BODY_CHUNK).where(by_id))

    @contextmanager
    def batch(self, records: Sequence[Sealed]) -> Iterator[list[Ref]]:
        yield [Ref(IN_DATABASE, 0, r.length) for r in records]

    def insert(self, cursor: Cursor, records: Sequence[Sealed]) -> None:
        rows = []
        for record in records:
            whole = b"".join(record.pieces)
            for n, at in enumerate(range(0, len(whole), CHUNK)):
                rows.append((record.queue_id, n, whole[at : at + CHUNK]))
        self._insert.run(cursor, rows)

    def read(self, queue_id: str, ref: Ref) -> bytes:
        with self._engine.read() as cursor:
            record = self.whole(cursor, queue_id)
        if len(record) != ref.length:
            raise StoreCorrupt(f"{queue_id}: {len(record)} bytes of {ref.length} in the database")
        return record

    def whole(self, cursor: Cursor, queue_id: str) -> bytes:
        """The record put together from its chunks; empty when there is none."""
        return b"".join(bytes(row[0]) for row in self._select.run(cursor, {"q": queue_id}).fetchall())

    def replace(self, cursor: Cursor, record: Sealed) -> None:
        """Put a rewrapped record in the place of the old one."""
        self.drop(cursor, record.queue_id)
        self.insert(cursor, [record])

    def drop(self, cursor: Cursor, queue_id: str) -> None:
        self._delete.run(cursor, {"q": queue_id})

    def free(self) -> int:
        return AMPLE  # the database's disk is its administrator's; a full one answers StoreFull

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        """Nothing of its own."""
