"""One SMTP session without any input or output: bytes in, replies and actions out.

`receive` takes what the network gave, split anywhere; replies collect in `out`; what needs the world (TLS, a
password check, judging and committing a message) is left in `action`, and the session stands still until the
caller answers by `resume`. Verbs are in verbs.py, their order in table.py, the transport in protocol.py.
"""

from __future__ import annotations

from typing import Final, Protocol

from mxward.core.errors import Refusal, Reply
from mxward.core.limits import MAX_COMMAND_BYTES
from mxward.pyx.smtpdata import DataReader
from mxward.server.config import Listener
from mxward.server.smtp import reply
from mxward.server.smtp.action import Action, Authenticate
from mxward.server.smtp.auth import Sasl
from mxward.server.smtp.load import Load
from mxward.server.smtp.settings import Settings
from mxward.server.smtp.table import FOREIGN, JUNK, LAST_OF_GROUP, TABLE, Mode, State
from mxward.server.smtp.transaction import Client, Transaction
from mxward.server.smtp.verbs import HANDLERS, bdat

MAX_AUTH_LINE: Final = 12_288  # RFC 4954 section 4
RATE_GRACE = 30.0  # seconds before a transfer's rate is judged
TLS_HANDSHAKE: Final = 0x16  # first byte of a TLS ClientHello

# Encoded once: keyed by identity, because these constants live as long as the module.
_WIRE: Final = {id(r): r.encode() for r in vars(reply).values() if isinstance(r, Reply)}


class Front(Protocol):
    """What sessions of one worker share."""

    settings: Settings
    load: Load

    def now(self) -> float:
        """Monotonic seconds."""
        ...


class Session:
    """The protocol state of one connection (see the module's text)."""

    __slots__ = (
        "_body_began", "_chunk_began_size", "_rest", "accepted", "action", "chunk_last", "chunk_left", "chunk_refusal",
        "client", "closing", "commands", "deadline", "errors", "front", "has_quit", "junk", "listener", "mode", "out",
        "sasl", "settings", "state", "transactions", "tx",
    )  # fmt: skip

    def __init__(self, front: Front, listener: Listener, client: Client) -> None:
        self.front, self.listener, self.client = front, listener, client
        self.settings = front.settings
        self.state, self.mode = State.START, Mode.LINES
        self.out: list[bytes] = []
        self.action: Action | None = None
        self.tx: Transaction | None = None
        self.sasl: Sasl | None = None
        self.closing = self.has_quit = False
        self.commands = self.errors = self.junk = self.transactions = self.accepted = 0
        self.chunk_left, self.chunk_last, self.chunk_refusal = 0, False, None
        self._rest = b""
        self._body_began, self._chunk_began_size = 0.0, 0
        self.deadline = front.now() + self.settings.limits.command_timeout

    chunk_refusal: Reply | None

    # -- replies

    def greet(self) -> None:
        """The banner."""
        self.out.append(self.settings.banner)

    def say(self, answer: Reply) -> None:
        """Queue a reply; permanent errors are counted and end the session when there are too many."""
        self.out.append(_WIRE.get(id(answer)) or answer.encode())
        code = answer.code
        if code >= 500:
            self.errors += 1
            if self.errors >= self.settings.limits.max_errors and not self.closing:
                self.end(reply.ERRORS)
        elif code == 421:
            self.closing = True

    def end(self, answer: Reply) -> None:
        """A last reply; nothing that follows is read."""
        self.closing = True
        self.out.append(_WIRE.get(id(answer)) or answer.encode())

    # -- bytes in

    def receive(self, data: bytes) -> None:
        """Take bytes from the network. After `closing` they are dropped; during an action they wait."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if self.action is not None:
            self._rest = data
            return
        self._run(data)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that came while the session could not take them."""
        return len(self._rest)

    def _run(self, data: bytes) -> None:
        at, size, before = 0, len(data), self.commands
        while at < size and not self.closing and self.action is None:
            if self.mode == Mode.LINES:
                end = data.find(b"\n", at) + 1
                if not end:
                    self._check_partial(data, at)
                    break
                self._line(data[at:end], end < size)
                at = end
            elif self.mode == Mode.BODY:
                at = self._body(data, at)
            else:
                at = self._chunk(data, at)
        if not self.closing and at < size:
            self._rest = data[at:]
        if self.commands != before:
            self.deadline = self.front.now() + self.settings.limits.command_timeout

    def _check_partial(self, data: bytes, at: int) -> None:
        """A line whose end has not come yet: not too long, and not the start of a TLS handshake."""
        if self.commands == 0 and data[at] == TLS_HANDSHAKE:
            self.end(reply.NOT_SMTP)
        elif len(data) - at > self._line_limit():
            self.end(reply.LONG_LINE)

    def _line_limit(self) -> int:
        return MAX_AUTH_LINE if self.sasl else MAX_COMMAND_BYTES

    def _line(self, line: bytes, more: bool) -> None:
        """One line with its LF. `more`: further bytes had come with it."""
        if line[-2:] != b"\r\n":
            self.commands += 1
            if self.commands == 1 and line[0] == TLS_HANDSHAKE:
                return self.end(reply.NOT_SMTP)
            return self.end(reply.BARE_LF)
        line = line[:-2]
        if b"\r" in line or b"\0" in line:
            return self.end(reply.BAD_BYTES)
        if len(line) > self._line_limit():
            return self.say(reply.LONG_LINE)
        self.commands += 1
        if self.sasl is not None:
            return self._sasl_line(line, more)
        return self._command(line, more)

    def _command(self, line: bytes, more: bool) -> None:
        verb, _, argument = line.partition(b" ")
        verb = verb.upper()
        row = TABLE.get(verb)
        if row is None:
            if self.commands == 1 and verb in FOREIGN:
                return self.end(reply.NOT_SMTP)
            return self.say(reply.UNKNOWN)
        if self.front.load.is_draining and self.tx is None:
            return self.end(reply.DRAINING)
        if verb in JUNK and self._is_too_much():
            return None
        cell = row[self.state]
        if more and verb in LAST_OF_GROUP:
            return self.end(reply.PIPELINED)
        try:
            if not isinstance(cell, State):
                if verb == b"BDAT":
                    bdat(self, argument, cell)
                    return None
                return self.say(cell)
            answer = HANDLERS[verb](self, argument)
        except Refusal as refusal:
            return self.say(refusal.reply)
        if answer is not None:
            if answer.code < 400:
                self.state = cell
            self.say(answer)
        return None

    def _is_too_much(self) -> bool:
        """Count a command that moves no mail; too many of them end the session."""
        self.junk += 1
        if self.junk <= self.settings.limits.max_junk_commands:
            return False
        self.end(reply.ERRORS)
        return True

    def _sasl_line(self, line: bytes, more: bool) -> None:
        assert self.sasl is not None
        if more:
            return self.end(reply.PIPELINED)
        return self.sasl_step(self.sasl.step(line))

    def sasl_step(self, step: bytes | Reply | Authenticate) -> None:
        """What the exchange wants next: a challenge, an end with a reply, or a password check."""
        if isinstance(step, bytes):
            self.out.append(b"334 " + step + b"\r\n")
            return
        self.sasl = None
        if isinstance(step, Authenticate):
            self.action = step
        else:
            self.say(step)

    # -- message bytes

    def begin_body(self, mode: Mode) -> None:
        """Message bytes follow: a DATA stream or a BDAT chunk."""
        self.mode, self._body_began = mode, self.front.now()
        tx = self.tx
        if tx is None:
            return
        if tx.reader is None:
            tx.reader = DataReader(self.settings.limits.max_message_bytes)
            tx.started = self._body_began
        self._chunk_began_size = tx.reader.size

    def _body(self, data: bytes, at: int) -> int:
        tx = self.tx
        assert tx is not None and tx.reader is not None
        at = tx.reader.feed(data, at)
        self._account(tx)
        if tx.reader.done:
            self.mode = Mode.LINES
            self.end_of_data(tx)
        return at

    def _chunk(self, data: bytes, at: int) -> int:
        take = min(self.chunk_left, len(data) - at)
        tx = self.tx
        if self.chunk_refusal is None and tx is not None and tx.reader is not None:
            tx.reader.feed_chunk(data, at, take)
            self._account(tx)
        self.chunk_left -= take
        if self.chunk_left == 0:
            self.end_chunk()
        return at + take

    def end_chunk(self) -> None:
        """A BDAT chunk is complete: answer it (RFC 3030 section 2)."""
        self.mode = Mode.LINES
        tx = self.tx
        if self.chunk_refusal is not None or tx is None or tx.reader is None:
            answer, self.chunk_refusal = self.chunk_refusal or reply.MAIL_FIRST, None
            return self.say(answer)
        if self.chunk_last:
            tx.reader.finish()
            return self.end_of_data(tx)
        if tx.failure is not None or tx.reader.bare_cr or tx.reader.bare_lf or tx.reader.nul:
            return self.end_of_data(tx)
        return self.say(Reply(250, "2.0.0", "Chunk received"))

    def _account(self, tx: Transaction) -> None:
        """Count memory; give the content up when it is too much, for the message or for the worker."""
        reader = tx.reader
        assert reader is not None
        load, limits = self.front.load, self.settings.limits
        room = reader.room
        if room != tx.held:
            load.memory += room - tx.held
            tx.held = room
            if load.memory > limits.max_memory_bytes and tx.failure is None:
                self._give_up(tx, reply.NO_MEMORY)
        if reader.size > limits.max_message_bytes:
            if tx.failure is None:
                self._give_up(tx, reply.TOO_BIG)
            if reader.size > 2 * limits.max_message_bytes:  # swallowed enough
                self.end(tx.failure or reply.TOO_BIG)

    def _give_up(self, tx: Transaction, failure: Reply) -> None:
        assert tx.reader is not None
        tx.failure = failure
        tx.reader.drop()
        self.front.load.memory -= tx.held
        tx.held = 0

    def end_of_data(self, tx: Transaction) -> None:
        """The message is complete: refuse it, or hand it over as the session's action."""
        reader = tx.reader
        assert reader is not None
        self.state = State.GREETED
        if reader.bare_cr or reader.bare_lf or reader.nul:
            # Whatever follows may be what another server would have read as commands: it is not read.
            self.end(reply.BAD_LINES)
            self.abandon()
        elif tx.failure is not None:
            failure = tx.failure
            self.abandon()
            self.say(failure)
        else:
            tx.raw, tx.reader, self.tx = reader.take(), None, None
            self.front.load.memory += len(tx.raw) - tx.held
            tx.held = len(tx.raw)
            self.action = tx

    def abandon(self) -> None:
        """Forget the transaction under way."""
        if self.tx is not None:
            self.front.load.memory -= self.tx.held
            self.tx.held = 0
            self.tx = None

    # -- answers from the world

    def resume(self, answer: Reply | None) -> None:
        """The action is done; say `answer` and go on with what came meanwhile."""
        self.action = None
        if answer is not None:
            if answer.code == 250:
                self.accepted += 1
                self.junk = 0
            self.say(answer)
        self.deadline = self.front.now() + self.settings.limits.command_timeout
        rest, self._rest = self._rest, b""
        if rest and not self.closing:
            self._run(rest)
        if self.front.load.is_draining and self.tx is None and not self.closing and self.action is None:
            self.end(reply.DRAINING)

    def authenticated(self, user: str, answer: Reply) -> None:
        """The password check is done; `user` is "" when it failed."""
        if user:
            self.client.auth_user = user
        self.resume(answer)

    def secured(self, tls: str) -> None:
        """TLS is up: the session begins anew (RFC 3207 section 4.2); nothing said before counts.

        Bytes that wait came through TLS: the caller ends the session when any came before.
        """
        self.client.tls, self.client.helo, self.client.auth_user = tls, "", ""
        self.state = State.START
        self.resume(None)

    def overdue(self, now: float) -> Reply | None:
        """The reply that ends the session when a deadline has passed, for the worker's ticker."""
        if self.action is not None:
            return None
        if self.mode == Mode.LINES:
            tx = self.tx
            if tx and tx.reader and now - tx.started > self.settings.limits.data_timeout:
                return reply.IDLE  # between the chunks of a BDAT that never ends
            return reply.IDLE if now > self.deadline else None
        return self._slow(now)

    def _slow(self, now: float) -> Reply | None:
        """Deadline and rate floor of a transfer; a refused chunk that is only swallowed has the same."""
        limits, tx = self.settings.limits, self.tx
        began = tx.started if tx else self._body_began
        if now - began > limits.data_timeout:
            return reply.IDLE
        seconds = now - self._body_began
        got = tx.reader.size - self._chunk_began_size if tx and tx.reader else 0
        if seconds > min(RATE_GRACE, limits.data_timeout) and got < limits.data_min_rate * seconds:
            return reply.TOO_SLOW
        return None
