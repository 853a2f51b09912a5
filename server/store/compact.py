"""Compaction: segments that are mostly dead, or sealed under an older master key, are rewritten and removed.

Live records are appended to this process's own shard and their rows moved in one durable transaction; a
segment is removed only when no row refers to it. Readers who looked a place up before the move look again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from mxward.core.errors import StoreCorrupt, StoreFull
from mxward.server.store.backend import Backend
from mxward.server.store.bodies import RowBodies
from mxward.server.store.crypto import HEAD_BYTES, KEY_ID_OFFSET, Sealed, check
from mxward.server.store.files import sync_directory, try_lock
from mxward.server.store.keys import KEY_ID_BYTES
from mxward.server.store.schema import BODY_CHUNK, MESSAGE
from mxward.server.store.spool import Ref, Spool, segment_numbers

_M, _C = MESSAGE.c, BODY_CHUNK.c
_LIVE_SHARE: Final = 0.3  # rewrite below this share of live bytes
_BATCH_BYTES: Final = 8 * 1024 * 1024
_BATCH_ROWS: Final = 256
_REWRITES: Final = 16  # segments moved in one run: bounds its time and disk load


@dataclass(slots=True)
class _Segment:
    name: str
    path: Path
    size: int


class Compactor:
    def __init__(self, backend: Backend, spool: Spool) -> None:
        self._backend, self._spool = backend, spool
        engine = self._engine = backend.engine
        name = _M.segment == sa.bindparam("seg")
        self._live = engine.statement(
            sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_M.length), 0), sa.func.min(_M.offset)).where(name)
        )
        self._records = engine.statement(sa.select(_M.queue_id, _M.offset, _M.length).where(name).order_by(_M.offset))
        here = (_M.queue_id == sa.bindparam("q")) & name & (_M.offset == sa.bindparam("off"))
        self._move = engine.statement(
            sa.update(MESSAGE)
            .where(here)
            .values(segment=sa.bindparam("to"), offset=sa.bindparam("at"), length=sa.bindparam("len"))
        )
        self._budget = _REWRITES
        self._done = {"moved": 0, "segments": 0, "damaged": 0}

    def run(self) -> dict[str, int]:
        """One pass over all shards: counts of records moved, segments removed, damaged records left in place."""
        for shard in sorted(p for p in self._spool.root.iterdir() if p.is_dir()):
            lock = try_lock(shard / "lock")
            try:
                for segment in _closed_segments(shard, in_use=lock is None):
                    self._treat(segment)
            finally:
                if lock is not None:
                    os.close(lock)
        return self._done

    def _treat(self, segment: _Segment) -> None:
        """Remove, rewrite or leave one closed segment. On a full disk the dead ones still go."""
        # Counted after the listing: every batch of a closed segment is committed or failed by now.
        with self._engine.read() as cursor:
            records, live, first = self._live.run(cursor, {"seg": segment.name}).fetchone()
        if not records:
            self._remove(segment)
        elif self._budget and (live < segment.size * _LIVE_SHARE or self._is_stale(segment, first)):
            try:
                self._rewrite(segment)
                self._budget -= 1
            except StoreFull:
                self._budget = 0

    def _is_stale(self, segment: _Segment, first: int) -> bool:
        """Whether an older master key is still used in there: if at all, then by the oldest record."""
        try:
            return not self._backend.sealer.is_current(self._spool.read(Ref(segment.name, first, HEAD_BYTES)))
        except (StoreCorrupt, FileNotFoundError):
            return False

    def _rewrite(self, segment: _Segment) -> None:
        with self._engine.read() as cursor:
            found = self._records.run(cursor, {"seg": segment.name}).fetchall()
        batch: list[tuple[Ref, Sealed]] = []
        size = 0
        for queue_id, offset, length in found:
            ref = Ref(segment.name, offset, length)
            record = self._sealed(queue_id, ref)
            if record is None:
                continue
            batch.append((ref, record))
            size += length
            if size >= _BATCH_BYTES or len(batch) >= _BATCH_ROWS:
                self._commit(batch)
                batch, size = [], 0
        if batch:
            self._commit(batch)
        with self._engine.read() as cursor:
            left = self._live.run(cursor, {"seg": segment.name}).fetchone()[0]
        if not left:
            self._remove(segment)

    def _sealed(self, queue_id: str, ref: Ref) -> Sealed | None:
        """The record under the current key; None when it is damaged, and then its segment stays as evidence."""
        try:
            return self._backend.sealer.rewrap(self._spool.read(ref), queue_id)
        except (StoreCorrupt, FileNotFoundError):
            self._done["damaged"] += 1
            return None

    def _commit(self, batch: list[tuple[Ref, Sealed]]) -> None:
        with self._spool.lock:
            places = self._spool.append([record for _, record in batch], into_reserve=True)
            with self._engine.write() as cursor:
                for (old, record), new in zip(batch, places, strict=True):
                    values = {"q": record.queue_id, "seg": old.segment, "off": old.offset}
                    values |= {"to": new.segment, "at": new.offset, "len": new.length}
                    self._done["moved"] += self._move.run(cursor, values).rowcount

    def _remove(self, segment: _Segment) -> None:
        segment.path.unlink(missing_ok=True)
        sync_directory(segment.path.parent)
        self._spool.forget(segment.name)
        self._done["segments"] += 1


def _closed_segments(shard: Path, *, in_use: bool) -> list[_Segment]:
    """Segments nobody appends to: all but the newest where a writer holds the shard."""
    numbers = segment_numbers(shard)
    out = []
    for number in numbers[:-1] if in_use else numbers:
        path = shard / f"{number:08d}.log"
        out.append(_Segment(f"{shard.name}/{number:08d}", path, path.stat().st_size))
    return out


def rewrap_rows(backend: Backend, bodies: RowBodies) -> dict[str, int]:
    """PostgreSQL: rewrap up to a batch of records that an older master key seals. Returns {"moved", "damaged"}."""
    key_id = sa.func.substr(_C.data, KEY_ID_OFFSET + 1, KEY_ID_BYTES)
    stale = sa.select(_C.queue_id).where(_C.n == 0, key_id != backend.keys.current()[0]).limit(_BATCH_ROWS)
    done = {"moved": 0, "damaged": 0}
    with backend.engine.read() as cursor:
        found = [row[0] for row in backend.engine.statement(stale).run(cursor).fetchall()]
    for queue_id in found:
        with backend.engine.write() as cursor:
            record = bodies.whole(cursor, queue_id)
            try:
                check(record, queue_id)
                bodies.replace(cursor, backend.sealer.rewrap(record, queue_id))
                done["moved"] += 1
            except StoreCorrupt:
                done["damaged"] += 1
    return done
