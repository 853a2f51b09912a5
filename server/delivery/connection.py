"""One connection to a next hop: the asyncio side of session.py, with its deadlines, flow control and TLS.

A connection knows nothing of queues: it tells its owner when a transaction is finished and when it is closed.
Deadlines count from the last whole reply, never from the last byte, so that a dripping peer gains nothing.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from mxward.server.delivery.reply import local
from mxward.server.delivery.session import Session, State, TlsMode
from mxward.server.metrics import METRICS

if TYPE_CHECKING:
    from mxward.server.delivery.resolve import Target
    from mxward.server.delivery.transaction import Transaction

WRITE_CHUNK: Final = 256 * 1024  # handed to the transport at once; a large body waits for the peer in between
SLOWEST: Final = 16 * 1024  # bytes a second that a peer must take; adds to the deadline of a large body
IDLE_SECONDS: Final = 30.0  # an open connection waits so long for more mail


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: for connecting and for the TLS handshake; for a reply; from content to the reply to the dot."""

    connect: float
    command: float
    data: float


class Connection(asyncio.Protocol):
    """The owner calls `open`, `begin`, `park`, `quit`, `abort`, `expire`.

    It is called back: `on_progress` when session.finished is set or the session is IDLE again, `on_closed` once.
    """

    def __init__(
        self, target: Target, session: Session, timeouts: Timeouts, context: ssl.SSLContext | None,
        on_progress: Callable[[Connection], None], on_closed: Callable[[Connection], None],
    ) -> None:  # fmt: skip
        self.target, self.session, self.tls = target, session, ""
        self.n_done = 0  # transactions finished: above 0 the connection is a reused one
        self.tls_failed = False
        self.deadline = 0.0
        self._timeouts, self._context = timeouts, context
        self._on_progress, self._on_closed = on_progress, on_closed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._queue: deque[memoryview] = deque()
        self._is_paused = False
        self._is_closed = False
        self._upgrade: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, greet and secure. Afterwards state is IDLE, or CLOSED with session.failure saying why."""
        try:
            async with asyncio.timeout(self._timeouts.connect):
                await self._connect()
        except OSError as error:  # TimeoutError is one
            reason = "timed out" if isinstance(error, TimeoutError) else str(error.strerror or error)
            self.session.fail(local("4.4.1", f"connection to {self.target} failed: {reason}"))
            return
        METRICS.add("delivery_connections_total")
        try:
            await self._opened
        except asyncio.CancelledError:
            self.abort()
            raise

    async def _connect(self) -> None:
        if self.target.path:
            await self._loop.create_unix_connection(lambda: self, self.target.path)
        else:
            await self._loop.create_connection(lambda: self, self.target.address, self.target.port)

    # -- owner's calls

    def begin(self, tx: Transaction) -> None:
        """Speak a transaction whose content is loaded; state must be IDLE."""
        tx.route, tx.tls, tx.is_final = str(self.target), self.tls, self.target.lmtp
        self._set_deadline(self._timeouts.command)
        self.session.begin(tx)
        self._after_input()

    def quit(self) -> None:
        """Leave politely without waiting for the answer."""
        self.session.quit()
        self._flush()
        if self._transport:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection at once."""
        self.session.fail(local("4.4.2", "connection dropped on shutdown"))
        if self._transport:
            self._transport.abort()

    def park(self) -> None:
        """No mail for now: wait IDLE_SECONDS for more."""
        self._set_deadline(IDLE_SECONDS)

    def expire(self) -> None:
        """The deadline has passed."""
        if self.session.state is State.IDLE:
            self.quit()
            return
        self.session.fail(local("4.4.2", f"time limit passed in phase {self.session.state.value}"))
        if self._transport:
            self._transport.abort()

    @property
    def is_open(self) -> bool:
        """Greeted and not closed."""
        return self._opened.done() and self.session.state is not State.CLOSED

    @property
    def has_unsent(self) -> bool:
        """Whether content waits that the transport has not even been given."""
        return bool(self._queue)

    @property
    def is_sending(self) -> bool:
        """Whether bytes wait here or in the transport."""
        return bool(self._queue) or (self._transport is not None and self._transport.get_write_buffer_size() > 0)

    # -- asyncio's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._set_deadline(self._timeouts.command)

    def data_received(self, data: bytes) -> None:
        session = self.session
        session.is_sending = session.state is State.CONTENT and self.is_sending
        seen, was_idle = session.n_replies, session.state is State.IDLE
        session.receive(data)
        if was_idle and session.state is State.IDLE:
            session.fail(local("4.5.0", "the peer spoke out of turn"))
        if session.n_replies != seen:
            self._set_deadline(self._allowed())
        self._after_input()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        why = f": {exc.__class__.__name__}" if exc else ""
        self.session.fail(local("4.4.2", f"the peer closed the connection in phase {self.session.state.value}{why}"))
        if not self._opened.done():
            self._opened.set_result(None)
        self._on_closed(self)

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._pump()

    # -- inside

    def _allowed(self) -> float:
        """Seconds until the next reply must be here."""
        session = self.session
        if session.state is State.CONTENT and session.tx:
            return self._timeouts.data + session.tx.size / SLOWEST
        return self._timeouts.command

    def _set_deadline(self, seconds: float) -> None:
        self.deadline = self._loop.time() + seconds

    def _after_input(self) -> None:
        session = self.session
        self._flush()
        if session.state is State.HANDSHAKE and self._upgrade is None:
            self._start_tls()
        if session.state is State.IDLE and not self._opened.done():
            self._opened.set_result(None)
        elif session.finished or session.state is State.IDLE:
            self._on_progress(self)
        if session.state is State.CLOSED and self._transport:
            self._transport.close()

    def _flush(self) -> None:
        out = self.session.take()
        if not out or not self._transport:
            return
        size = sum(map(len, out))
        METRICS.add("delivery_bytes_total", size)
        if size <= WRITE_CHUNK and not self._queue:
            self._transport.write(b"".join(out) if len(out) > 1 else out[0])
            return
        for data in out:
            view = memoryview(data)
            self._queue.extend(view[i : i + WRITE_CHUNK] for i in range(0, len(view), WRITE_CHUNK))
        self._pump()

    def _pump(self) -> None:
        while self._queue and not self._is_paused and self._transport:
            self._transport.write(self._queue.popleft())

    def _start_tls(self) -> None:
        assert self._transport is not None  # a reply has come through it
        self._transport.pause_reading()
        self._set_deadline(self._timeouts.connect + 1)
        self._upgrade = self._loop.create_task(self._handshake(self._transport))

    async def _handshake(self, transport: asyncio.Transport) -> None:
        assert self._context is not None  # the session asks for TLS only when its mode is not "none"
        try:
            secure = await self._loop.start_tls(
                transport, self, self._context, server_hostname=self.target.host,
                ssl_handshake_timeout=self._timeouts.connect,
            )  # fmt: skip
        except (OSError, ssl.SSLError, ConnectionError, EOFError) as error:
            self._tls_refused(transport, error)
            return
        if secure is None:
            self._tls_refused(transport, ConnectionError("closed"))
            return
        self._transport = secure
        self.tls = _describe(secure)
        self.session.secured()
        self._after_input()

    def _tls_refused(self, transport: asyncio.Transport, error: Exception) -> None:
        self.tls_failed = True
        reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error) or repr(error)
        self.session.fail(local("4.7.5", f"TLS with {self.target} failed: {reason}"))
        transport.abort()
        self.connection_lost(None)


def make_session(name: str, target: Target, tls_mode: TlsMode) -> Session:
    """A session that fits a target: no TLS over a unix socket, LHLO for LMTP."""
    return Session(name=name, lmtp=target.lmtp, tls_mode="none" if target.path else tls_mode)


def make_context(tls_mode: TlsMode) -> ssl.SSLContext | None:
    """The client context of a TLS mode: certificates count only in mode "verify" (RFC 7435 for the others)."""
    if tls_mode == "none":
        return None
    context = ssl.create_default_context()
    if tls_mode != "verify":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _describe(transport: asyncio.Transport) -> str:
    tls = transport.get_extra_info("ssl_object")
    cipher = tls.cipher() if tls else None
    return f"{tls.version()} {cipher[0]}" if cipher else "TLS"
