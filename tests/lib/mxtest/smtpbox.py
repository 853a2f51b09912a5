"""A real front on loopback: the real protocol, session and finish; store and pipeline as the test chooses."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
import uvloop

from mxward.core.message import Envelope, Message
from mxward.core.verdict import Disposition, Verdict
from mxward.server.clock import SYSTEM_CLOCK
from mxward.server.config import Config, Listener
from mxward.server.log import Log
from mxward.server.smtp.finish import Committer, Finish
from mxward.server.smtp.front import SmtpFront
from mxward.server.smtp.load import Load
from mxward.server.smtp.password import Passwords
from mxward.server.smtp.scanpool import ScanPool
from mxward.server.smtp.settings import build
from mxward.server.smtp.tls import server_context
from mxward.server.smtp.wake import Wake
from mxward.server.store.api import NewMessage, UserRow

if TYPE_CHECKING:
    from mxward.pyx.mime import Mime


class Judge:
    """A pipeline that delivers everything, or does what the test says."""

    def __init__(self, name: str = "test-1") -> None:
        self.version = name
        self.action: Callable[[str], Disposition] = lambda rcpt: Disposition(rcpt, "deliver")
        self.gate: threading.Event | None = None
        self.error: Exception | None = None
        self.parse: Callable[[bytes], Mime] | None = None

    def judge(self, raw: bytes, envelope: Envelope) -> Message:
        if self.gate is not None:
            self.gate.wait(10)
        if self.error is not None:
            raise self.error
        message = Message(raw, envelope, mime=self.parse(raw) if self.parse else None)
        message.verdict = Verdict("clean", 0.0)
        message.dispositions = tuple(self.action(r.address) for r in envelope.recipients)
        return message


class MemoryCommitter:
    """Keeps what was committed; can be made slow or broken."""

    def __init__(self) -> None:
        self.messages: list[NewMessage] = []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def commit(self, message: NewMessage) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.messages.append(message)


class Peer:
    """A raw client: bytes out, lines in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    async def reply(self) -> str:
        """The next reply, its lines joined by newlines; "" at the end of the connection."""
        lines = []
        while True:
            try:
                line = await asyncio.wait_for(self.reader.readline(), 15)
            except ConnectionError:
                line = b""
            if not line:
                return "\n".join(lines)
            lines.append(line.decode().rstrip("\r\n"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    async def ask(self, command: bytes) -> str:
        await self.send(command + b"\r\n")
        return await self.reply()

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            return await asyncio.wait_for(self.reader.read(), 15)
        except ConnectionError:
            return b""

    async def hello(self, *commands: bytes) -> None:
        """Banner, EHLO and commands, all of which must succeed."""
        assert (await self.reply()).startswith("220 ")
        for command in (b"EHLO client.example", *commands):
            answer = await self.ask(command)
            assert answer[0] in "23", (command, answer)

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


class Box:
    """A running front with its listeners."""

    def __init__(self, front: SmtpFront, judge: Judge, committer: Committer, config: Config, log_path: Path) -> None:
        self.front, self.judge, self.config, self.log_path = front, judge, config, log_path
        self.committer = committer
        self.ports: dict[str, int] = {}
        self.peers: list[Peer] = []

    @property
    def messages(self) -> list[NewMessage]:
        assert isinstance(self.committer, MemoryCommitter)
        return self.committer.messages

    async def connect(self, side: str = "inbound", *, tls: ssl.SSLContext | None = None) -> Peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[side], ssl=tls, limit=1 << 20)
        peer = Peer(reader, writer)
        self.peers.append(peer)
        return peer

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, at most ten seconds."""
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, "condition not met in time"
            await asyncio.sleep(0.005)

    def log_lines(self) -> str:
        return self.log_path.read_text()


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextlib.asynccontextmanager
async def open_box(
    tmp_path: Path, *, committer: Committer | None = None, users: dict[str, UserRow] | None = None,
    free: Callable[[], int] = lambda: 1 << 40, tick: float = 0.02, tls: bool = False,
    listeners: dict[str, Listener] | None = None, **options: object,
) -> AsyncIterator[Box]:  # fmt: skip
    """Options are dotted configuration keys with "__" for the dot: smtp__limits__max_errors=3."""
    document: dict[str, object] = {"server": {"data_dir": str(tmp_path / "data"), "hostname": "mx.trust.example"}}
    for key, value in options.items():
        *path, leaf = key.split("__")
        table = document
        for step in path:
            table = table.setdefault(step, {})  # type: ignore[assignment]  # tables of tables by construction
        table[leaf] = value
    config = msgspec.convert(document, Config)
    loop = asyncio.get_running_loop()
    judge = Judge()
    settings = build(config, judge, server_context(config) if tls else None)
    log_path = tmp_path / "log"
    fd = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    log = Log("smtp.0", fd=fd)
    load, pool = Load(free, loop.time), ScanPool(config.scan.threads)
    wake = Wake(tmp_path, 1)
    committer = committer or MemoryCommitter()
    finish = Finish(committer, pool, load, log, SYSTEM_CLOCK, wake)
    passwords = Passwords((users or {}).get)
    front = SmtpFront(settings, load, finish, passwords, pool, log, tick_seconds=tick)
    box = Box(front, judge, committer, config, log_path)
    servers = []
    chosen = listeners or {
        "inbound": Listener(address="127.0.0.1:0", side="inbound"),
        "outbound": Listener(address="127.0.0.1:0", side="outbound"),
    }
    for name, listener in chosen.items():
        sock = socket.create_server(("127.0.0.1", 0))
        server = await front.listen(listener, sock)
        box.ports[name] = sock.getsockname()[1]
        servers.append(server)
    try:
        yield box
    finally:
        if judge.gate is not None:
            judge.gate.set()
        for peer in box.peers:
            await peer.close()
        for server in servers:
            server.close()
        await front.drain(5)
        assert front.load.memory == 0, "message bytes are still counted"
        assert front.load.sessions == 0
        assert not front.acting
        pool.close()
        passwords.close()
        wake.close()
        os.close(fd)


AsyncTest = Callable[..., Coroutine[None, None, None]]


def both_loops(test: AsyncTest) -> Callable[..., None]:
    """Run an async test on uvloop, which is what runs, and on asyncio, which remains without it."""
    return _on_loops(test, ("uvloop", "asyncio"))


def on_uvloop(test: AsyncTest) -> Callable[..., None]:
    """Run an async test on uvloop only."""
    return _on_loops(test, ("uvloop",))


def _on_loops(test: AsyncTest, names: tuple[str, ...]) -> Callable[..., None]:
    signature = inspect.signature(test)

    @pytest.mark.parametrize("loop_name", names)
    def run(*, loop_name: str, **fixtures: object) -> None:
        factory = uvloop.new_event_loop if loop_name == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(test(**fixtures))

    run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
    extra = inspect.Parameter("loop_name", inspect.Parameter.KEYWORD_ONLY)
    shown = signature.replace(parameters=[*signature.parameters.values(), extra])
    run.__signature__ = shown  # type: ignore[attr-defined]  # pytest reads the fixtures off it
    return run
