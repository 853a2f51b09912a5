"""PostgreSQL by psycopg: SKIP LOCKED claims, reconnection with back-off, and a commit that believes no warning.

A synchronous commit that is cut short commits on this node alone and answers with a mere WARNING; here any
warning at COMMIT is a failure: 451, the peer sends again, and a message may come twice but never not at all.
When the connection dies during COMMIT, the messages are looked for by queue id on a new one; only if all are
there and a commit after them is durable was it a success.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Final

import psycopg
import sqlalchemy as sa
from psycopg import errors
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect

from mxward.core.errors import StoreCorrupt, StoreError, StoreFull, StoreUnavailable
from mxward.server.store.engine import CommitUncertain, Engine
from mxward.server.store.fitness import Fitness
from mxward.server.store.sql import Cursor

_BACKOFF_MAX_S: Final = 5.0
_CONNECT_S: Final = 10
_MIGRATION_LOCK: Final = 0x6D787761  # any number that is ours: "mxwa"
_FULL: Final = (errors.DiskFull, errors.OutOfMemory, errors.ConfigurationLimitExceeded)


class _Session:
    """One connection, opened when needed, and the warnings the server sent on it."""

    def __init__(self, engine: PostgresEngine, *, durable: bool) -> None:
        self.lock = threading.RLock()
        self.warnings: list[str] = []
        self._engine, self._durable = engine, durable
        self._connection: psycopg.Connection[Any] | None = None

    def cursor(self) -> psycopg.Cursor[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = self._engine.connect()
            self._connection.add_notice_handler(self._notice)
            if not self._durable:
                self._connection.execute("SET synchronous_commit = off")
        return self._connection.cursor()

    def is_open(self) -> bool:
        return self._connection is not None and not self._connection.closed

    def drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _notice(self, notice: errors.Diagnostic) -> None:
        if (notice.severity_nonlocalized or notice.severity) == "WARNING":
            self.warnings.append(notice.message_primary or "warning")


class PostgresEngine(Engine):
    name: ClassVar[str] = "postgresql"

    def __init__(self, url: str, fitness: Fitness) -> None:
        super().__init__(fitness)
        self.dialect = psycopg_dialect.dialect(paramstyle="format")  # type: ignore[no-untyped-call] # untyped there
        self._url = sa.make_url(url).set(drivername="postgresql+psycopg")
        self._conninfo = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._retry_at, self._delay = 0.0, 0.1
        self._sessions: list[_Session] = []
        self._sessions_lock = threading.Lock()
        self._idle: deque[_Session] = deque()
        self._durable, self._soft = self._session(durable=True), self._session(durable=False)

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Cursor]:
        self.fitness.require()
        session = self._durable if durable else self._soft
        with session.lock, self._translated(session):
            cursor = session.cursor()
            cursor.execute("BEGIN")
            yield cursor
            session.warnings.clear()
            try:
                cursor.execute("COMMIT")
            except psycopg.OperationalError as error:
                if session.is_open():
                    raise
                raise CommitUncertain(f"connection lost during COMMIT: {error}") from error
            if session.warnings or cursor.statusmessage != "COMMIT":
                raise StoreUnavailable(f"commit not certain: {session.warnings or cursor.statusmessage}")

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        session = self._take_idle() or self._session(durable=True)
        try:
            with self._translated(session):
                yield session.cursor()
        finally:
            self._idle.append(session)

    @contextmanager
    def snapshot(self) -> Iterator[Cursor]:
        with self.read() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield cursor
            cursor.execute("COMMIT")

    @contextmanager
    def migration_lock(self) -> Iterator[None]:
        with self.read() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))

    def migration_url(self) -> sa.URL:
        return self._url

    def version(self) -> str:
        with self.read() as cursor:
            cursor.execute("SELECT to_regclass('alembic_version')")
            if cursor.fetchone()[0] is None:
                return ""
            cursor.execute("SELECT version_num FROM alembic_version")
            row = cursor.fetchone()
            return str(row[0]) if row else ""

    def one_of(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        return column == sa.any_(sa.bindparam(name, type_=ARRAY(sa.Text)))

    def many(self, values: Sequence[str]) -> Any:
        return list(values)

    def contains(self, column: sa.ColumnElement[Any], pattern: str) -> sa.ColumnElement[bool]:
        return column.ilike(pattern, escape="\\")

    def skip_locked(self, select: sa.Select[Any]) -> sa.Select[Any]:
        return select.with_for_update(skip_locked=True)

    def confirm(self, queue_ids: Sequence[str]) -> bool:
        """Looks for the rows, then waits for a commit of its own: what came before it in the log is as safe as it."""
        with self.read() as cursor:
            cursor.execute("SELECT count(*) FROM message WHERE queue_id = ANY(%s)", (list(queue_ids),))
            if cursor.fetchone()[0] != len(queue_ids):
                return False
        with self.write() as cursor:
            cursor.execute("SELECT pg_logical_emit_message(true, 'mxward', 'confirm')")
        return True

    def serialise(self, cursor: Cursor, name: str) -> None:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))

    def check(self) -> list[str]:
        try:
            with self.read() as cursor:
                cursor.execute("SELECT pg_is_in_recovery(), current_setting('synchronous_commit')")
                standby, synchronous = cursor.fetchone()
        except StoreError as error:
            return [str(error)]
        problems = ["PostgreSQL is a standby here: it cannot take mail"] if standby else []
        if synchronous == "off":
            problems.append("synchronous_commit is off: PostgreSQL would acknowledge before mail is on disk")
        return problems

    def close(self) -> None:
        with self._sessions_lock:
            while self._sessions:
                self._sessions.pop().drop()

    def connect(self) -> psycopg.Connection[Any]:
        """A new connection; after a failure the next tries fail at once until the back-off is over."""
        if time.monotonic() < self._retry_at:
            raise StoreUnavailable("PostgreSQL cannot be reached; waiting before the next try")
        try:
            connection = psycopg.connect(
                self._conninfo, autocommit=True, connect_timeout=_CONNECT_S, application_name="mxward",
                keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
            )  # fmt: skip
        except psycopg.Error as error:
            self._retry_at = time.monotonic() + self._delay
            self._delay = min(self._delay * 2, _BACKOFF_MAX_S)
            raise StoreUnavailable(f"PostgreSQL cannot be reached: {error}") from error
        self._retry_at, self._delay = 0.0, 0.1
        return connection

    def _session(self, *, durable: bool) -> _Session:
        session = _Session(self, durable=durable)
        with self._sessions_lock:
            self._sessions.append(session)
        return session

    def _take_idle(self) -> _Session | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    @contextmanager
    def _translated(self, session: _Session) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            self._roll_back(session)
            raise _meaning(error) from error
        except BaseException:
            self._roll_back(session)
            raise

    def _roll_back(self, session: _Session) -> None:
        """Leave no transaction open; a connection on which that fails is dropped."""
        try:
            session.cursor().execute("ROLLBACK")
        except (psycopg.Error, StoreError):
            session.drop()
        session.warnings.clear()


def _meaning(error: psycopg.Error) -> StoreError:
    """The error of our tree that a driver's error stands for."""
    text = str(error).strip() or repr(error)
    if isinstance(error, _FULL):
        return StoreFull(text)
    if isinstance(error, (errors.DataCorrupted, errors.IndexCorrupted)):
        return StoreCorrupt(text)
    if isinstance(error, (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError)):
        return StoreError(text)
    return StoreUnavailable(text)
