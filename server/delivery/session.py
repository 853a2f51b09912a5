"""The client side of SMTP (RFC 5321) and LMTP (RFC 2033) without any input or output: replies in, bytes out.

`TABLE` is the state machine; connection.py moves the bytes, keeps the deadlines and does TLS. With PIPELINING
(RFC 2920) MAIL, every RCPT and DATA go out in one write.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import TYPE_CHECKING, Final, Literal

from mxward.server.delivery import command
from mxward.server.delivery.reply import PeerReply, ReplyError, ReplyParser, local

if TYPE_CHECKING:
    from mxward.server.delivery.transaction import Transaction

TlsMode = Literal["none", "opportunistic", "required", "verify"]


class State(enum.Enum):
    """Where a session stands; the name is also its deadline's name."""

    GREETING = "greeting"  # connected, waiting for 220
    EHLO = "ehlo"
    HELO = "helo"
    STARTTLS = "starttls"  # waiting for 220 to STARTTLS
    HANDSHAKE = "handshake"  # the caller does TLS, then calls `secured`
    IDLE = "idle"  # ready for a transaction
    ENVELOPE = "envelope"  # waiting for replies to MAIL, RCPT, DATA
    CONTENT = "content"  # content and final dot sent
    RSET = "rset"
    CLOSED = "closed"


# (state, first digit of the reply) -> method. What is missing is a breach of protocol and ends the session.
TABLE: Final[dict[tuple[State, int], str]] = {
    (State.GREETING, 2): "_say_ehlo",
    (State.GREETING, 4): "_refused",
    (State.GREETING, 5): "_refused",
    (State.EHLO, 2): "_learn",
    (State.EHLO, 4): "_refused",
    (State.EHLO, 5): "_say_helo",
    (State.HELO, 2): "_greeted",
    (State.HELO, 4): "_refused",
    (State.HELO, 5): "_refused",
    (State.STARTTLS, 2): "_handshake",
    (State.STARTTLS, 4): "_no_tls",
    (State.STARTTLS, 5): "_no_tls",
    (State.ENVELOPE, 2): "_envelope",
    (State.ENVELOPE, 3): "_envelope",
    (State.ENVELOPE, 4): "_envelope",
    (State.ENVELOPE, 5): "_envelope",
    (State.CONTENT, 2): "_content",
    (State.CONTENT, 4): "_content",
    (State.CONTENT, 5): "_content",
    (State.RSET, 2): "_ready",
    (State.RSET, 4): "_refused",
    (State.RSET, 5): "_refused",
}

_MAIL, _DATA = -1, -2  # marks in the list of expected replies; 0 and above are recipients


class Session:
    """One connection's conversation. After each `receive`, the caller sends `take()` and looks at `state`.

    `failure` says why a session is CLOSED; a transaction that was under way then stays in `tx` for the caller.
    """

    __slots__ = (
        "_accepted", "_expected", "_lmtp", "_name", "_out", "_parser", "_table", "extensions", "failed_in", "failure",
        "finished", "is_secure", "is_sending", "n_replies", "size_limit", "state", "tls_mode", "tx",
    )  # fmt: skip

    def __init__(self, *, name: str, lmtp: bool = False, tls_mode: TlsMode = "opportunistic") -> None:
        self._name, self._lmtp, self.tls_mode = name, lmtp, tls_mode
        self._parser = ReplyParser()
        self._out: list[bytes] = []
        self._expected: deque[int] = deque()
        self._accepted: list[int] = []
        self._table = {key: getattr(self, method) for key, method in TABLE.items()}
        self.extensions: dict[str, str] = {}
        self.size_limit = 0
        self.state = State.GREETING
        self.is_secure = False
        self.failure: PeerReply | None = None
        self.failed_in = State.GREETING
        self.n_replies = 0
        self.is_sending = False  # the caller has content left that is not on the wire
        self.tx: Transaction | None = None
        self.finished: Transaction | None = None

    # -- input

    def receive(self, data: bytes) -> None:
        """Bytes from the peer. Never raises; a breach of protocol closes the session."""
        try:
            replies = self._parser.feed(data)
        except ReplyError as error:
            self.fail(local("4.5.0", f"protocol error: {error}"))
            return
        for reply in replies:
            if self.state is State.CLOSED:
                return
            self._on_reply(reply)
        if self.state is State.HANDSHAKE and not self._parser.is_empty:
            self.fail(local("4.7.0", "the peer sent more in plain text after its reply to STARTTLS"))

    def _on_reply(self, reply: PeerReply) -> None:
        self.n_replies += 1
        if reply.code == 421 and self.state is not State.CONTENT:
            self.fail(reply)
            return
        action = self._table.get((self.state, reply.code // 100))
        if action is None:
            self.fail(local("4.5.0", f"protocol error: {reply} in state {self.state.value}"))
        else:
            action(reply)

    def secured(self) -> None:
        """TLS is up: everything learnt in plain text is forgotten (RFC 3207 section 4.2)."""
        self.is_secure = True
        self.extensions, self.size_limit = {}, 0
        self._parser = ReplyParser()
        self._say_ehlo(None)

    def fail(self, reason: PeerReply) -> None:
        """End the session; idempotent."""
        if self.state is not State.CLOSED:
            self.failed_in, self.state = self.state, State.CLOSED
            self.failure = reason

    # -- output

    def take(self) -> list[bytes]:
        """Bytes to send, in order; the list is then empty."""
        out, self._out = self._out, []
        return out

    def begin(self, tx: Transaction) -> None:
        """Start a transaction in state IDLE. What the peer cannot take is settled at once, in `finished`."""
        impossible = command.impossible(tx, self.extensions, self.size_limit)
        if impossible:
            tx.settle(impossible)
            self.finished = tx
            return
        self.tx = tx
        tx.peer_has_dsn = "DSN" in self.extensions
        self._accepted = []
        self._expected.extend((_MAIL, *range(len(tx.rcpts)), _DATA))
        self.state = State.ENVELOPE
        if "PIPELINING" in self.extensions:
            self._out.append(command.envelope(tx, self.extensions))
        else:
            self._out.append(command.mail(tx, self.extensions))

    def quit(self) -> None:
        """Say QUIT and be done; the reply is of no interest."""
        if self.state is not State.CLOSED:
            self._out.append(b"QUIT\r\n")
            self.fail(local("2.0.0", "closed"))

    # -- greeting

    def _say_ehlo(self, reply: PeerReply | None) -> None:
        self._out.append(f"{'LHLO' if self._lmtp else 'EHLO'} {self._name}\r\n".encode())
        self.state = State.EHLO

    def _say_helo(self, reply: PeerReply) -> None:
        if self._lmtp or self.is_secure:  # LMTP has no HELO; a peer that offered STARTTLS knows EHLO
            self._refused(reply)
            return
        self._out.append(f"HELO {self._name}\r\n".encode())
        self.state = State.HELO

    def _learn(self, reply: PeerReply) -> None:
        for line in reply.lines[1:]:
            keyword, _, value = line.strip().partition(" ")
            self.extensions[keyword.upper()] = value
        size = self.extensions.get("SIZE", "")
        self.size_limit = int(size) if size.isdigit() and len(size) < 20 else 0
        self._greeted(reply)

    def _greeted(self, reply: PeerReply) -> None:
        if self.is_secure or self.tls_mode == "none":
            self._ready(reply)
        elif "STARTTLS" in self.extensions:
            self._out.append(b"STARTTLS\r\n")
            self.state = State.STARTTLS
        else:
            self._no_tls(reply)

    def _handshake(self, reply: PeerReply) -> None:
        self.state = State.HANDSHAKE

    def _no_tls(self, reply: PeerReply) -> None:
        if self.tls_mode == "opportunistic":
            self._ready(reply)
        else:
            self.fail(local("4.7.4", f"TLS is required but not offered ({reply})"))

    def _ready(self, reply: PeerReply) -> None:
        self.state = State.IDLE

    def _refused(self, reply: PeerReply) -> None:
        self.fail(reply)

    # -- transaction

    def _envelope(self, reply: PeerReply) -> None:
        tx, what = self._under_way(), self._expected.popleft()
        if what == _DATA:
            self._on_data(tx, reply)
            return
        if reply.code // 100 == 3:
            self.fail(local("4.5.0", f"protocol error: {reply} to MAIL or RCPT"))
        elif what == _MAIL:
            if reply.code // 100 != 2:
                tx.settle(reply)
        elif reply.code // 100 == 2 and tx.replies[what] is None:
            self._accepted.append(what)
        elif tx.replies[what] is None:
            tx.replies[what] = _too_many(reply) if self._accepted else reply
        if "PIPELINING" not in self.extensions and self.state is State.ENVELOPE:
            self._next_command(tx)

    def _next_command(self, tx: Transaction) -> None:
        """Without PIPELINING: the next command, or an early end when nobody is left to send to."""
        what = self._expected[0]
        if all(tx.replies) or (what == _DATA and not self._accepted):
            self._expected.clear()
            self._reset(tx)
        elif what == _DATA:
            self._out.append(b"DATA\r\n")
        else:
            self._out.append(command.rcpt(tx, tx.rcpts[what], self.extensions))

    def _on_data(self, tx: Transaction, reply: PeerReply) -> None:
        if reply.code // 100 == 2:
            self.fail(local("4.5.0", f"protocol error: {reply} to DATA"))
        elif reply.code // 100 != 3:
            tx.settle(reply)
            self._reset(tx)
        elif self._accepted:
            self._out.extend(tx.content)
            self._out.append(b".\r\n")
            self._expected.extend(self._accepted if self._lmtp else self._accepted[:1])
            self.state = State.CONTENT
        else:
            # RFC 2920 section 3.1: all recipients refused and yet 354; a lone dot ends the empty data. Some peers
            # take the empty message, so the connection is not used again.
            self._out.append(b".\r\n")
            self._finish(tx)
            self.quit()

    def _content(self, reply: PeerReply) -> None:
        tx = self._under_way()
        if self.is_sending and reply.code // 100 == 2:
            self.fail(local("4.5.0", f"protocol error: {reply} before the end of data"))
            return
        n = self._expected.popleft()
        for i in (n,) if self._lmtp else self._accepted:
            tx.replies[i] = reply
        if not self._expected:
            self._finish(tx)
            self.state = State.IDLE
            if reply.code == 421 or self.is_sending:
                self.fail(reply)

    def _reset(self, tx: Transaction) -> None:
        self._finish(tx)
        self._out.append(b"RSET\r\n")
        self.state = State.RSET

    def _finish(self, tx: Transaction) -> None:
        self.tx, self.finished = None, tx

    def _under_way(self) -> Transaction:
        assert self.tx is not None  # ENVELOPE and CONTENT are entered by `begin` only
        return self.tx


def _too_many(reply: PeerReply) -> PeerReply:
    """552 to RCPT once meant too many recipients: another transaction may do (RFC 5321 section 4.5.3.1.10)."""
    if reply.code != 552:
        return reply
    return PeerReply(452, "4.5.3", reply.text, reply.lines)
