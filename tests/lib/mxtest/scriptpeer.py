"""A next hop on loopback whose every answer the test decides: SMTP or LMTP, polite, hostile or broken.

It lives in the test's own event loop and keeps what it was sent: command lines, and contents as on the wire.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import ssl
from collections.abc import Callable
from typing import Any


class Act(enum.Enum):
    """Instead of a reply."""

    HANG = "say nothing, for ever"
    DRIP = "say a reply that never ends, a byte at a time"
    CLOSE = "close the connection"
    RESET = "reset the connection"


Answer = bytes | Act
Script = Answer | list[Answer] | Callable[[bytes, int], Answer]

PLAIN = ("PIPELINING", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES")
DEFAULTS: dict[str, Answer] = {
    "GREETING": b"220 peer.example ESMTP\r\n", "HELO": b"250 peer.example\r\n", "MAIL": b"250 2.1.0 Ok\r\n",
    "RCPT": b"250 2.1.5 Ok\r\n", "DATA": b"354 go on\r\n", "DOT": b"250 2.0.0 taken\r\n", "RSET": b"250 2.0.0 Ok\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n", "STARTTLS": b"220 2.0.0 go on\r\n",
}  # fmt: skip


class ScriptPeer:
    """`answers` maps GREETING, EHLO, HELO, MAIL, RCPT, DATA, DOT, RSET, QUIT, STARTTLS to what is said.

    A list is used up answer by answer (then the default); a callable gets the line and the number of the
    connection, from 1.
    """

    def __init__(
        self, answers: dict[str, Script] | None = None, *, extensions: tuple[str, ...] = PLAIN, lmtp: bool = False,
        context: ssl.SSLContext | None = None, after_tls: tuple[str, ...] | None = None,
    ) -> None:  # fmt: skip
        self.answers: dict[str, Script] = {**DEFAULTS, **(answers or {})}
        self.extensions, self.lmtp, self.context = extensions, lmtp, context
        self.after_tls = extensions if after_tls is None else after_tls
        self.lines: list[bytes] = []
        self.contents: list[bytes] = []
        self.n_connections = self.n_tls = 0
        self.port = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> ScriptPeer:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=64 * 1024 * 1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"{'lmtp' if self.lmtp else 'smtp'}://127.0.0.1:{self.port}"

    def verbs(self) -> list[str]:
        """The verbs in the order they came."""
        return [line[:4].decode("ascii", "replace").upper().rstrip() for line in self.lines]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.n_connections += 1
        try:
            await _Conversation(self, reader, writer, self.n_connections).run()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


class _Conversation:
    def __init__(
        self, peer: ScriptPeer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.peer, self.reader, self.writer, self.number = peer, reader, writer, number
        self.is_secure = False
        self.n_rcpts = 0

    async def run(self) -> None:
        if not await self.say("GREETING", b""):
            return
        while True:
            line = (await self.reader.readuntil(b"\n")).rstrip(b"\r\n")
            self.peer.lines.append(line)
            verb = line.split(b" ")[0].decode("ascii", "replace").upper()
            if not await self.say(verb, line) or verb == "QUIT":
                return

    async def say(self, verb: str, line: bytes) -> bool:
        """Answer; False when the connection is over."""
        answer = self.choose(verb, line)
        if isinstance(answer, Act):
            await self.act(answer)
            return False
        self.writer.write(answer)
        await self.writer.drain()
        if verb == "RCPT":
            self.n_rcpts += answer.startswith(b"2")
        if verb == "STARTTLS" and answer.startswith(b"220") and self.peer.context:
            await self.writer.start_tls(self.peer.context)
            self.is_secure = True
            self.peer.n_tls += 1
        if verb == "DATA" and answer.startswith(b"354"):
            return await self.content()
        return True

    def choose(self, verb: str, line: bytes) -> Answer:
        if verb in ("EHLO", "LHLO") and "EHLO" not in self.peer.answers:
            return self.hello()
        script = self.peer.answers.get("EHLO" if verb == "LHLO" else verb, b"500 5.5.1 what\r\n")
        if callable(script):
            return script(line, self.number)
        if isinstance(script, list):
            return script.pop(0) if script else (self.hello() if verb == "EHLO" else DEFAULTS[verb])
        return script

    def hello(self) -> bytes:
        names = list(self.peer.after_tls if self.is_secure else self.peer.extensions)
        if self.peer.context and not self.is_secure:
            names.append("STARTTLS")
        lines = ["peer.example", *names]
        return "".join(f"250{' ' if i == len(lines) - 1 else '-'}{n}\r\n" for i, n in enumerate(lines)).encode()

    async def content(self) -> bool:
        body, line = bytearray(), b""
        while line != b".\r\n":
            line = await self.reader.readuntil(b"\r\n")
            body += line
        self.peer.contents.append(bytes(body))
        n, self.n_rcpts = (self.n_rcpts if self.peer.lmtp else 1), 0
        for _ in range(n):
            if not await self.say("DOT", b""):
                return False
        return True

    async def act(self, act: Act) -> None:
        if act is Act.HANG:
            await asyncio.sleep(3600)
        elif act is Act.DRIP:
            for byte in itertools.chain(b"250", itertools.repeat(32)):
                self.writer.write(bytes((byte,)))
                await self.writer.drain()
                await asyncio.sleep(0.05)
        elif act is Act.RESET:
            self.writer.transport.abort()
