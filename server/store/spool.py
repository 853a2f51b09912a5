"""The spool log: sealed records in append-only segments DATA/spool/SHARD/NUMBER.log, one shard a process.

Only the holder of a shard's lock appends to it. A record counts once a committed message row refers to it;
anything else in a segment (a torn tail, a batch whose transaction failed) is garbage that nobody reads and
compaction leaves behind. Uncommitted bytes are only ever in a shard's newest segment.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.core.errors import StoreCorrupt, StoreError, StoreFull, StoreUnavailable
from mxward.server.store.crypto import Sealed
from mxward.server.store.files import FULL_ERRNOS, make_directory, sync_directory, try_lock
from mxward.server.store.fitness import Fitness

_IOV: Final = 900  # below IOV_MAX (1024)
_OPEN_SEGMENTS: Final = 64
_RESERVE: Final = 64 * 1024 * 1024  # space new mail leaves to outcomes and to SQLite


@dataclass(frozen=True, slots=True)
class Ref:
    """Where a record is: segment "SHARD/NUMBER" ("db": chunk rows), byte offset, byte length."""

    segment: str
    offset: int
    length: int


class Spool:
    """One process's shard for writing, every shard for reading. `lock` is held from append to SQL commit."""

    def __init__(self, root: Path, process: str, segment_bytes: int, fitness: Fitness) -> None:
        self.root, self.lock = root, threading.RLock()
        self._process, self._limit, self._fitness = process, segment_bytes, fitness
        self._shard = ""
        self._shard_fd = self._fd = -1
        self._segment, self._end = "", 0
        self._readers: OrderedDict[str, int] = OrderedDict()
        self._reader_lock = threading.Lock()
        make_directory(root)

    # -- writing

    def append(self, records: Sequence[Sealed], *, into_reserve: bool = False) -> list[Ref]:
        """Write all records and make them durable, or none. The caller holds `lock`.

        Args: into_reserve: for compaction, which frees more than it takes.
        Raises StoreFull with the segment as before, StoreUnfit after a failed fdatasync.
        """
        self._fitness.require()
        total = sum(r.length for r in records)
        if not into_reserve and self.free() < total:
            raise StoreFull(f"{self.root}: no space for {total} bytes")
        self._ensure_segment()
        refs, at = [], self._end
        for record in records:
            refs.append(Ref(self._segment, at, record.length))
            at += record.length
        self._write([piece for record in records for piece in record.pieces], at)
        self._sync()
        self._end = at
        return refs

    def free(self) -> int:
        """Bytes that new mail may still take."""
        status = os.statvfs(self.root)
        if status.f_files and not status.f_favail:
            return 0
        reserve = min(_RESERVE, status.f_blocks * status.f_frsize // 20)
        return max(0, status.f_bavail * status.f_frsize - reserve)

    def current_segment(self) -> str:
        """The segment this process appends to, or ""."""
        return self._segment

    def _write(self, pieces: list[bytes], end: int) -> None:
        try:
            while pieces:
                written = os.writev(self._fd, pieces[:_IOV])
                pieces = _rest(pieces, written)
        except OSError as error:
            self._undo()
            if error.errno in FULL_ERRNOS:
                raise StoreFull(f"{self._segment}: {error}") from error
            raise self._fitness.lose(f"{self._segment}: write failed: {error}") from error
        if os.lseek(self._fd, 0, os.SEEK_CUR) != end:
            raise self._fitness.lose(f"{self._segment}: another writer is in this shard")

    def _sync(self) -> None:
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            # The kernel may have dropped the pages and forgotten the error: no later sync can be believed.
            raise self._fitness.lose(f"{self._segment}: fdatasync failed: {error}") from error

    def _undo(self) -> None:
        """After a failed write: cut the segment back, or leave it for good when even that fails."""
        try:
            os.ftruncate(self._fd, self._end)
            os.lseek(self._fd, self._end, os.SEEK_SET)
        except OSError:
            self._leave_segment()

    def _leave_segment(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._segment, self._end = -1, "", 0

    def _ensure_segment(self) -> None:
        if self._fd >= 0 and self._end < self._limit:
            return
        try:
            self._claim_shard()
            numbers = segment_numbers(self.root / self._shard)
            number = numbers[-1] if numbers else 0
            if self._fd >= 0 or not numbers or (self._path(number).stat().st_size >= self._limit):
                number += 1
            self._leave_segment()
            self._open_segment(number)
        except OSError as error:
            self._leave_segment()
            if error.errno in FULL_ERRNOS:
                raise StoreFull(f"{self.root}: {error}") from error
            raise StoreUnavailable(f"{self.root}: {error}") from error

    def _open_segment(self, number: int) -> None:
        path = self._path(number)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            sync_directory(path.parent)
        except OSError as error:
            os.close(fd)
            raise self._fitness.lose(f"{path.parent}: fsync failed: {error}") from error
        self._fd, self._segment = fd, f"{self._shard}/{number:08d}"
        # A torn tail of an earlier life stays where it is: no row refers to it, and cutting could hurt what does.
        self._end = os.lseek(fd, 0, os.SEEK_END)

    def _path(self, number: int) -> Path:
        return self.root / self._shard / f"{number:08d}.log"

    def _claim_shard(self) -> None:
        """Take the shard of this process's name, or the next free one when two processes share a name."""
        attempt = 1
        while not self._shard:
            name = self._process if attempt == 1 else f"{self._process}~{attempt}"
            make_directory(self.root / name)
            fd = try_lock(self.root / name / "lock")
            if fd is not None:
                self._shard, self._shard_fd = name, fd
            attempt += 1

    # -- reading

    def read(self, ref: Ref) -> bytes:
        """The record's bytes. Raises FileNotFoundError when the segment is gone, StoreCorrupt when cut short."""
        fd = self._reader(ref.segment)
        try:
            data = os.pread(fd, ref.length, ref.offset)
            while len(data) < ref.length:
                more = os.pread(fd, ref.length - len(data), ref.offset + len(data))
                if not more:
                    raise StoreCorrupt(f"{ref.segment}: ends at {ref.offset + len(data)}, before a record does")
                data += more
        except OSError as error:
            raise StoreCorrupt(f"{ref.segment}: cannot be read: {error}") from error
        finally:
            os.close(fd)
        return data

    def _reader(self, segment: str) -> int:
        """A descriptor of the caller's own (a duplicate), so that eviction never closes one in use."""
        with self._reader_lock:
            fd = self._readers.get(segment)
            if fd is not None and not os.fstat(fd).st_nlink:
                # Removed since; an emptied shard begins its numbers anew, so the name may stand for another file.
                os.close(self._readers.pop(segment))
                fd = None
            if fd is None:
                fd = os.open(self.root / f"{segment}.log", os.O_RDONLY | os.O_CLOEXEC)
                self._evict()
                self._readers[segment] = fd
            self._readers.move_to_end(segment)
            return os.dup(fd)

    def _evict(self) -> None:
        """Before one more is opened: close the least used, and those removed, whose space we would hold."""
        gone = [name for name, fd in self._readers.items() if not os.fstat(fd).st_nlink]
        if not gone and len(self._readers) >= _OPEN_SEGMENTS:
            gone = [next(iter(self._readers))]
        for name in gone:
            os.close(self._readers.pop(name))

    def forget(self, segment: str) -> None:
        """Close the cached descriptor of a removed segment, so that its space is freed."""
        with self._reader_lock:
            fd = self._readers.pop(segment, -1)
        if fd >= 0:
            os.close(fd)

    def size(self, segment: str) -> int:
        """Bytes in a segment; -1 when it is not there."""
        try:
            return os.stat(self.root / f"{segment}.log").st_size
        except FileNotFoundError:
            return -1
        except OSError as error:
            raise StoreError(f"{segment}: {error}") from error

    def close(self) -> None:
        with self.lock, self._reader_lock:
            self._leave_segment()
            for fd in self._readers.values():
                os.close(fd)
            self._readers.clear()
            if self._shard_fd >= 0:
                os.close(self._shard_fd)
            self._shard_fd, self._shard = -1, ""


def segment_numbers(directory: Path) -> list[int]:
    """Numbers of the segments in a shard, rising."""
    return sorted(int(p.stem) for p in directory.glob("*.log") if p.stem.isdigit())


def _rest(pieces: list[bytes], written: int) -> list[bytes]:
    """What a short write left over."""
    for i, piece in enumerate(pieces):
        if written < len(piece):
            return [piece[written:], *pieces[i + 1 :]]
        written -= len(piece)
    return []
