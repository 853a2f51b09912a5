"""SQLite: one file, WAL, a kernel lock around each write transaction, and a pool of connections that read.

Writers of all processes wait on flock(DATA/db.lock): the kernel wakes them in order and frees the lock of the
dead, where SQLite's own busy handler sleeps and polls. Leases go through a connection with synchronous=NORMAL
(a lost lease costs nothing); what was promised goes through one with synchronous=FULL.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from mxward.core.errors import StoreCorrupt, StoreError, StoreFull, StoreUnavailable
from mxward.server.store.engine import Engine
from mxward.server.store.files import locked, open_lock
from mxward.server.store.fitness import Fitness
from mxward.server.store.sql import Cursor

_BUSY_S: Final = 30.0
_CHECKPOINT_PAGES: Final = 4000  # 16 MB of log between checkpoints
# Disk errors that say only that shared memory or a temporary could not grow: nothing was lost, nothing promised.
_PASSING: Final = frozenset(
    (sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_SHMOPEN,
     sqlite3.SQLITE_IOERR_NOMEM, sqlite3.SQLITE_IOERR_GETTEMPPATH)
)  # fmt: skip


class _Writer:
    """A write connection with the lock between threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.lock = threading.Lock()
        self.connection = connection
        self.cursor = connection.cursor()


class SqliteEngine(Engine):
    name: ClassVar[str] = "sqlite"

    def __init__(self, data: Path, fitness: Fitness) -> None:
        super().__init__(fitness)
        self.dialect = sqlite.dialect(paramstyle="qmark")
        self._path, self._lock_path = data / "mxward.db", data / "db.lock"
        self._lock_fd = open_lock(self._lock_path)
        self._idle: deque[sqlite3.Connection] = deque()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        self._durable = _Writer(self._connect("FULL"))
        self._soft = _Writer(self._connect("NORMAL"))
        # flock belongs to an open file: each write connection has one, so they exclude each other too.
        self._soft_fd = open_lock(self._lock_path)

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Cursor]:
        self.fitness.require()
        writer, fd = (self._durable, self._lock_fd) if durable else (self._soft, self._soft_fd)
        with writer.lock:
            fcntl.flock(fd, fcntl.LOCK_EX)
            try:
                with self._translated(writer.connection):
                    writer.cursor.execute("BEGIN IMMEDIATE")
                    yield writer.cursor
                    writer.cursor.execute("COMMIT")
            finally:
                fcntl.flock(fd, fcntl.LOCK_UN)

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        # A pool, not a connection a thread: thread pools replace their threads, and connections would pile up.
        connection = self._take_idle() or self._connect("NORMAL")
        try:
            with self._translated(connection):
                yield connection.cursor()
        finally:
            self._idle.append(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Cursor]:
        with self.read() as cursor:
            cursor.execute("BEGIN")
            yield cursor
            cursor.execute("COMMIT")

    @contextmanager
    def migration_lock(self) -> Iterator[None]:
        with locked(self._lock_path.with_name("migrate.lock")):
            yield

    def migration_url(self) -> sa.URL:
        return sa.URL.create("sqlite", database=str(self._path))

    def version(self) -> str:
        with self.read() as cursor:
            cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'")
            if not cursor.fetchone()[0]:
                return ""
            cursor.execute("SELECT version_num FROM alembic_version")
            row = cursor.fetchone()
            return str(row[0]) if row else ""

    def one_of(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        given = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
        return column.in_(sa.select(given.c.value))

    def many(self, values: Sequence[str]) -> Any:
        return orjson.dumps(list(values)).decode()

    def contains(self, column: sa.ColumnElement[Any], pattern: str) -> sa.ColumnElement[bool]:
        if pattern.isascii():  # SQLite folds ASCII itself
            return column.like(pattern, escape="\\")
        return sa.func.fold(column).like(pattern.casefold(), escape="\\")

    def serialise(self, cursor: Cursor, name: str) -> None:
        """Nothing: there is one writer at a time."""

    def check(self) -> list[str]:
        try:
            with self.read() as cursor:
                cursor.execute("SELECT 1 FROM alembic_version")
                cursor.fetchall()
        except StoreError as error:
            return [str(error)]
        return []

    def close(self) -> None:
        with self._durable.lock, self._soft.lock, self._connections_lock:
            while self._connections:
                self._connections.pop().close()
            for fd in (self._lock_fd, self._soft_fd):
                if fd >= 0:
                    os.close(fd)
            self._lock_fd = self._soft_fd = -1

    def _take_idle(self) -> sqlite3.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self, synchronous: str) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=512
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA cache_size = -16000")
            connection.create_function("fold", 1, lambda text: str(text).casefold(), deterministic=True)
            os.chmod(self._path, 0o600)
        except sqlite3.Error as error:
            raise self._meaning(error) from error
        with self._connections_lock:
            self._connections.append(connection)
        return connection

    @contextmanager
    def _translated(self, connection: sqlite3.Connection) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            meaning = self._meaning(error)
            self._roll_back(connection)
            raise meaning from error
        except BaseException:
            self._roll_back(connection)
            raise

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                self.fitness.lose(f"{self._path}: rollback failed: {error}")

    def _meaning(self, error: sqlite3.Error) -> StoreError:
        """The error of our tree that a driver's error stands for."""
        code = getattr(error, "sqlite_errorcode", 0) or 0
        primary, text = code & 0xFF, f"{self._path}: {error} ({getattr(error, 'sqlite_errorname', '?')})"
        if primary == sqlite3.SQLITE_FULL:
            return StoreFull(text)
        if primary == sqlite3.SQLITE_IOERR and code not in _PASSING:
            return self.fitness.lose(text)
        if code in _PASSING:
            status = os.statvfs(self._path.parent)
            return StoreFull(text) if status.f_bavail * status.f_frsize < 1 << 20 else StoreUnavailable(text)
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return StoreCorrupt(text)
        if primary in (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_ERROR):
            return StoreError(text)
        return StoreUnavailable(text)
