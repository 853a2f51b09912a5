"""The transport glue: one asyncio protocol a connection, no task while commands and data come, one write a read.

What SMTP means is session.py's; here are sockets, back-pressure, TLS, the PROXY header and closing. Why this is not
aiosmtpd's connection loop: docs/decisions/0002-smtp-command-loop.md.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, cast

from mxward.core.errors import Reply
from mxward.server.addresses import client_key
from mxward.server.config import Listener
from mxward.server.metrics import METRICS
from mxward.server.smtp import proxy, reply
from mxward.server.smtp.action import Action, Authenticate, StartTls
from mxward.server.smtp.session import Session
from mxward.server.smtp.transaction import Client, Transaction

if TYPE_CHECKING:
    from mxward.server.smtp.front import SmtpFront

MAX_WAITING = 65_536  # bytes that may come while a session stands still; then reading stops
WRITE_HIGH = 65_536  # bytes of replies a client may leave unread; then it is not read either
CLOSE_SECONDS = 10.0  # for a client to take its last reply
HANDSHAKE_SECONDS = 60.0


class SmtpProtocol(asyncio.Protocol):
    """One connection. All methods run on the loop's thread."""

    __slots__ = ("_admitted", "_client", "_closing_at", "_eof", "_front", "_listener", "_paused", "_proxy", "_session",
                 "_stalled_at", "_transport")  # fmt: skip

    def __init__(self, front: SmtpFront, listener: Listener) -> None:
        self._front, self._listener = front, listener
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._client = Client("")
        self._proxy: bytes | None = None  # bytes of a PROXY header so far
        self._admitted = ""  # the address this session is counted under
        self._paused = self._eof = False
        self._stalled_at = self._closing_at = 0.0

    # -- the connection's life

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH)
        peer = transport.get_extra_info("peername") or ("", 0)
        ip = str(peer[0]).removeprefix("::ffff:").partition("%")[0]
        self._client = Client(ip, int(peer[1]), peer_ip=ip)
        front = self._front
        front.protocols.add(self)
        if self._listener.proxy_protocol:
            if ip not in front.settings.proxies:
                return self._refuse(None)
            self._proxy = b""
            self._closing_at = front.now() + HANDSHAKE_SECONDS
            return None
        return self._begin()

    def _begin(self) -> None:
        """The client is known: count it, and greet it a turn of the loop later, so that early talkers show."""
        front, client = self._front, self._client
        self._closing_at = 0.0
        METRICS.add("smtp_sessions_total")
        settings, key = front.settings, client_key(client.ip)
        refusal = front.load.admit(key, settings.limits, is_trusted=client.ip in settings.trusted)
        if refusal is not None:
            return self._refuse(refusal)
        self._admitted = key
        METRICS.add("smtp_sessions_open")
        if self._listener.tls == "implicit":
            METRICS.add("smtp_tls_sessions_total")
            client.tls = self._tls_name()
        front.loop.call_soon(self._greet)
        return None

    def _greet(self) -> None:
        if self._session is None and self._transport is not None and not self._transport.is_closing():
            self._session = Session(self._front, self._listener, self._client)
            self._session.greet()
            self._flush()

    def _refuse(self, answer: Reply | None) -> None:
        METRICS.add("smtp_rejected_sessions_total")
        assert self._transport is not None
        if answer is not None:
            self._transport.write(answer.encode())
        self._close()

    def _close(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._closing_at = self._front.now() + CLOSE_SECONDS
            self._transport.close()

    def _linger(self) -> None:
        """Close after a reply the client did not expect. To close with bytes unread would reset the connection and
        take the reply away, so what still comes is read and dropped until the client ends, or time is up."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._closing_at:
            return
        if self._eof or not transport.can_write_eof():
            self._close()
            return
        self._closing_at = self._front.now() + CLOSE_SECONDS
        try:
            transport.write_eof()
        except OSError:  # the client is gone already
            self._close()
            return
        self._pause(False)

    def connection_lost(self, exc: Exception | None) -> None:
        front = self._front
        front.leave(self)
        self._transport = None
        if self._session is not None:
            self._session.abandon()
            self._session.closing = True
        if self._admitted:
            front.load.leave(self._admitted)
            METRICS.add("smtp_sessions_open", -1)

    def eof_received(self) -> bool:
        """A half-close: what was handed over still gets its reply, everything else ends here."""
        self._eof = True
        return self._is_busy and not self._client.tls

    # -- bytes

    @property
    def session(self) -> Session | None:
        """The session, once the client was greeted."""
        return self._session

    @property
    def _is_busy(self) -> bool:
        return self._session is not None and self._session.action is not None

    def data_received(self, data: bytes) -> None:
        session = self._session
        if session is None:
            return self._early(data)
        if session.closing:
            return None
        session.receive(data)
        if session.action is not None and session.waiting_bytes > MAX_WAITING and not self._paused:
            self._pause(True)
        self._flush()
        return None

    def _early(self, data: bytes) -> None:
        """Bytes before the banner: a PROXY header where one is due, else a client that does not wait."""
        if self._transport is None or self._transport.is_closing():
            return None
        if self._proxy is None:
            return self._refuse(reply.EARLY)
        self._proxy += data
        try:
            size = proxy.header_size(self._proxy)
            if not size:
                return None
            found = proxy.parse(self._proxy[:size])
        except proxy.ProxyError as error:
            self._front.log.warning("proxy_header_refused", client=self._client.ip, reason=str(error))
            return self._refuse(None)
        rest, self._proxy = self._proxy[size:], None
        if found:
            self._client.ip, self._client.port = found
        if rest:
            return self._refuse(reply.EARLY)
        return self._begin()

    def _flush(self) -> None:
        """Write what the session said, then do what it asks for."""
        session, transport = self._session, self._transport
        assert session is not None
        if transport is None:
            session.out.clear()
            return
        out = session.out
        if out:
            transport.write(out[0] if len(out) == 1 else b"".join(out))
            out.clear()
        if session.closing:
            session.abandon()
            if session.has_quit:
                self._close()
            else:
                self._linger()
        elif session.action is not None:
            self._act(session.action)

    def _act(self, action: Action) -> None:
        front = self._front
        if front.is_acting(self):
            return
        if isinstance(action, Transaction):
            front.act(self, self._settle(action))
        elif isinstance(action, StartTls):
            self._pause(True)
            front.act(self, self._start_tls())
        else:
            front.act(self, self._authenticate(action))

    async def _settle(self, tx: Transaction) -> None:
        answer = await self._front.finish.settle(tx, self._front.settings)
        self._resume(answer)

    async def _authenticate(self, credentials: Authenticate) -> None:
        user, answer = await self._front.passwords.check(credentials)
        if self._session is not None:
            self._front.acting.discard(self)
            self._session.authenticated(user, answer)
            self._continue()

    def _resume(self, answer: Reply) -> None:
        if self._session is not None:
            self._front.acting.discard(self)
            self._session.resume(answer)
            self._continue()

    def _continue(self) -> None:
        if self._paused and self._transport is not None and not self._stalled_at:
            self._pause(False)
        self._flush()
        if self._eof and not self._is_busy:
            self._close()

    # -- back-pressure

    def _pause(self, paused: bool) -> None:
        transport = self._transport
        self._paused = paused
        if transport is None or transport.is_closing():
            return
        if paused:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def pause_writing(self) -> None:
        """The client does not read its replies: it is not read either, and not for ever."""
        self._stalled_at = self._front.now()
        if not self._paused:
            self._pause(True)

    def resume_writing(self) -> None:
        self._stalled_at = 0.0
        if self._paused and not self._is_busy:
            self._pause(False)

    # -- TLS

    def _tls_object(self) -> ssl.SSLObject | None:
        assert self._transport is not None
        return cast("ssl.SSLObject | None", self._transport.get_extra_info("ssl_object"))

    def _tls_name(self) -> str:
        tls = self._tls_object()
        cipher = tls.cipher() if tls is not None else None
        return f"{tls.version()} {cipher[0]}" if tls is not None and cipher else ""

    async def _start_tls(self) -> None:
        """Negotiate TLS. A byte of plain text that came after STARTTLS ends the session: it may be injected.

        Reading is paused since STARTTLS, and start_tls takes the transport over before it first waits: what comes to
        data_received after that came through TLS.
        """
        front, transport, context, session = self._front, self._transport, self._front.settings.tls, self._session
        if transport is None or context is None or session is None or session.waiting_bytes:
            return self.abort()
        try:
            secured = await front.loop.start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        except (OSError, ssl.SSLError, TimeoutError):
            return self.abort()
        if secured is None:
            return self.abort()
        self._transport, self._paused = secured, False
        METRICS.add("smtp_tls_sessions_total")
        front.acting.discard(self)
        session.secured(self._tls_name())
        self._continue()
        return None

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- the worker's ticker

    def tick(self, now: float) -> None:
        """Enforce deadlines; called about once a second."""
        if self._closing_at:
            if now > self._closing_at:
                self.abort()
            return
        session = self._session
        if session is None:
            return
        if self._stalled_at and now - self._stalled_at > session.settings.limits.command_timeout:
            self.abort()
            return
        answer = session.overdue(now)
        if answer is not None:
            session.end(answer)
            self._flush()

    def drain(self) -> None:
        """The worker stops: idle sessions end now, running transactions are finished first."""
        session = self._session
        if session is not None and session.tx is None and session.action is None and not session.closing:
            session.end(reply.DRAINING)
            self._flush()
