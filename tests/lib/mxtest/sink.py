"""A counting SMTP sink: what has really arrived, told by nobody but the wire.

Counts (test id, recipient) pairs and, on request, keeps the bytes as received (dot-stuffing undone, nothing else).
It can lose replies to the final dot, the one situation in which a correct sender must send twice. It runs its own
event loop in a thread; nothing of the product is used.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import Counter
from types import TracebackType

TEST_ID = re.compile(rb"(?mi)^X-Mxtest-Id: *([!-~]+)\r?$")
_ADDRESS = re.compile(rb"<([^>]*)>")
_END = b"\r\n.\r\n"
CAPABILITIES = ("PIPELINING", "SIZE 104857600", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN")


def test_id(message: bytes) -> str:
    """The id that the sender put into the header section, "" when there is none."""
    found = TEST_ID.search(message)
    return found[1].decode() if found else ""


test_id.__test__ = False  # type: ignore[attr-defined]  # pytest must not take it for a test


class _Session(asyncio.Protocol):
    """One connection: commands until DATA, then bytes until the dot."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.buffer = bytearray()
        self.in_data = False
        self.sender = ""
        self.rcpts: list[str] = []
        self.searched = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.sink._open.add(transport)
        transport.write(b"220 sink.example ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.sink._open.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while not self.transport.is_closing():
            if self.in_data:
                if not self._take_message():
                    return
            else:
                line, found, _ = bytes(self.buffer).partition(b"\r\n") if len(self.buffer) < 65536 else (b"", b"", b"")
                if not found and not self._take_long_line():
                    return
                if found:
                    del self.buffer[: len(line) + 2]
                    self._command(line)

    def _take_long_line(self) -> bool:
        """A line out of a large pipelined buffer; False when it is not complete."""
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        self._command(line)
        return True

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        reply = b"250 2.0.0 Ok\r\n"
        if verb == b"EHLO":
            names = ("sink.example", *self.sink.capabilities)
            reply = "".join(f"250{'-' if i < len(names) - 1 else ' '}{n}\r\n" for i, n in enumerate(names)).encode()
        elif verb == b"MAIL":
            found = _ADDRESS.search(line)
            self.sender, self.rcpts = (found[1].decode("utf-8", "replace") if found else ""), []
        elif verb == b"RCPT":
            found = _ADDRESS.search(line)
            address = found[1].decode("utf-8", "replace") if found else ""
            refusal = self.sink.refuse_rcpt.get(address)
            if refusal:
                reply = refusal
            else:
                self.rcpts.append(address)
        elif verb == b"DATA":
            self.in_data, self.searched = bool(self.rcpts), 0
            reply = b"354 go on\r\n" if self.rcpts else b"554 5.5.1 no recipient\r\n"
        elif verb == b"RSET":
            self.sender, self.rcpts = "", []
        elif verb == b"QUIT":
            self.transport.write(b"221 2.0.0 Bye\r\n")
            self.transport.close()
            return
        self.transport.write(reply)

    def _take_message(self) -> bool:
        if self.buffer.startswith(b".\r\n") and self.searched == 0:
            body, rest = b"", 3
        else:
            end = self.buffer.find(_END, max(0, self.searched - len(_END)))
            if end < 0:
                self.searched = len(self.buffer)
                return False
            body, rest = bytes(self.buffer[: end + 2]), end + len(_END)
        del self.buffer[:rest]
        self.in_data = False
        message = body[1:] if body.startswith(b".") else body
        message = message.replace(b"\r\n.", b"\r\n")
        self.transport.write(b"") if self.sink._arrived(self, message) else self.transport.abort()
        return True


class Sink:
    """A sink on a free loopback port; a context manager.

    drop_dot_every: every n-th message is counted but its final reply is lost (the connection is reset).
    keep: keep the bytes of each message, by recipient.
    """

    def __init__(self, *, keep: bool = False, drop_dot_every: int = 0, port: int = 0) -> None:
        self.capabilities = CAPABILITIES
        self.refuse_rcpt: dict[str, bytes] = {}  # address -> reply with CRLF
        self.keep, self.drop_dot_every = keep, drop_dot_every
        self.counts: Counter[tuple[str, str]] = Counter()
        self.unanswered: Counter[tuple[str, str]] = Counter()
        self.arrivals: dict[tuple[str, str], list[float]] = {}  # monotonic times
        self.messages: dict[str, list[bytes]] = {}  # by recipient, when kept
        self.senders: dict[str, str] = {}  # by recipient
        self.n_messages = 0
        self.port = port
        self._open: set[asyncio.Transport] = set()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)

    def _arrived(self, session: _Session, message: bytes) -> bool:
        """Count it and answer; False when the reply is to be lost."""
        self.n_messages += 1
        identity = test_id(message[:65536])
        pairs = [(identity, rcpt) for rcpt in session.rcpts]
        self.counts.update(pairs)
        now = time.monotonic()
        for pair in pairs:
            self.arrivals.setdefault(pair, []).append(now)
            self.senders[pair[1]] = session.sender
            if self.keep:
                self.messages.setdefault(pair[1], []).append(message)
        session.sender, session.rcpts = "", []
        if self.drop_dot_every and self.n_messages % self.drop_dot_every == 0:
            self.unanswered.update(pairs)
            return False
        session.transport.write(b"250 2.0.0 Ok: counted\r\n")
        return True

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            server = self._loop.run_until_complete(
                self._loop.create_server(lambda: _Session(self), "127.0.0.1", self.port, backlog=1000)
            )
        except OSError as error:
            self._fault = error
            self._started.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for transport in list(self._open):
                transport.abort()
            self._loop.run_until_complete(asyncio.sleep(0.01))
            self._loop.close()

    def start(self) -> Sink:
        self._thread.start()
        self._started.wait(10)
        if self._fault:
            raise self._fault
        return self

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def __enter__(self) -> Sink:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
