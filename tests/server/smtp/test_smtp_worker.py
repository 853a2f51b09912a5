"""The whole role: real configuration, real SQLite store, real pipeline, served and stopped as the supervisor does."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from mxtest import carriers, mailkit
from mxtest.smtpbox import Peer, both_loops, on_uvloop
from mxward.core.rules.staged import HEAVY_BYTES
from mxward.server.config import Config, Listener
from mxward.server.log import Log
from mxward.server.process import Process
from mxward.server.rulebuild import LOCK_FILE, PROGRESS_FILE
from mxward.server.sandbox import report
from mxward.server.sandbox.restrict import RESTRICTIONS
from mxward.server.services import status
from mxward.server.smtp.worker import serve
from mxward.server.store import open_store
from mxward.server.store.api import MessageQuery

MESSAGE = (
    b"From: Ann <ann@x.example>\r\nTo: <b@trust.example>\r\nSubject: Minutes\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n"
)
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Served:
    def __init__(self, process: Process, ports: list[int]) -> None:
        self.process, self.ports = process, ports

    async def connect(self, which: int = 0) -> Peer:
        return Peer(*await asyncio.open_connection("127.0.0.1", self.ports[which]))

    async def send(self, raw: bytes, which: int = 0) -> str:
        peer = await self.connect(which)
        await peer.hello(b"MAIL FROM:<ann@x.example>", b"RCPT TO:<b@trust.example>", b"DATA")
        await peer.send(raw + b".\r\n")
        answer = await peer.reply()
        await peer.ask(b"QUIT")
        await peer.close()
        return answer


@contextlib.asynccontextmanager
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    document = {"server": {"data_dir": str(tmp_path / "data"), "hostname": "mx.trust.example"}}
    config = msgspec.convert(document, Config)
    (tmp_path / "data" / "run").mkdir(parents=True, exist_ok=True)
    fd = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    process = Process("smtp", 0, config, Log("smtp.0", fd=fd))
    ports = []
    for side in ("inbound", "outbound"):
        sock = socket.create_server(("127.0.0.1", 0))
        sock.setblocking(False)
        ports.append(sock.getsockname()[1])
        process.sockets.append(
            (Listener(address="127.0.0.1:0", side="outbound" if side == "outbound" else "inbound"), sock)
        )
    read, process.ready_fd = os.pipe()
    task = asyncio.create_task(serve(process))
    ready = asyncio.create_task(asyncio.to_thread(os.read, read, 1))
    await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield Served(process, ports)
    finally:
        process.stop.set()
        await asyncio.wait_for(task, 30)
        os.close(read)
        os.close(fd)


@both_loops
async def test_message_is_in_the_store_when_250_was_said(tmp_path: Path) -> None:
    async with served(tmp_path) as worker:
        answer = await worker.send(MESSAGE)
        assert answer.startswith("250 2.0.0 Ok: queued as ")
        queue_id = answer.rsplit(" ", 1)[1]
        other = open_store(worker.process.config, "test.0")  # another process' view
        try:
            assert other.body(queue_id) == MESSAGE
            row = other.message(queue_id)
            assert row is not None
            assert (row.subject, row.header_from, row.message_id) == ("Minutes", "ann@x.example", "<1@x>")
            assert (row.sender, row.direction, row.verdict) == ("ann@x.example", "inbound", "clean")
            assert [(r.address, r.state) for r in row.recipients] == [("b@trust.example", "queued")]
            assert other.ledger().consistent
        finally:
            other.close()


@on_uvloop
async def test_malware_is_refused_in_session_and_not_stored(tmp_path: Path) -> None:
    async with served(tmp_path) as worker:
        assert (await worker.send(MESSAGE + EICAR + b"\r\n")).startswith("550 5.7.1 ")
        other = open_store(worker.process.config, "test.0")
        try:
            assert other.find(MessageQuery()) == []
        finally:
            other.close()
    assert '"verdict":"malware"' in (tmp_path / "log").read_text()


@on_uvloop
async def test_attachments_are_opened_in_the_sandbox_over_reloads(tmp_path: Path) -> None:
    raw = mailkit.with_attachment("a.gz", carriers.gz(EICAR, "canary.bin"))
    async with served(tmp_path) as worker:
        data = worker.process.config.data
        found = report.read(data)  # of the worker that opened the sample at the start
        assert found is not None and len(found["active"]) + len(found["missing"]) == len(RESTRICTIONS)
        assert (await worker.send(raw)).startswith("550 5.7.1 ")
        for action in worker.process.reloads:
            await action(worker.process.config)
        assert (await worker.send(raw)).startswith("550 5.7.1 ")
    assert report.read(data) is None
    assert "sandbox_template_ended" not in (tmp_path / "log").read_text()


@on_uvloop
async def test_outbound_side_offers_starttls_and_marks_internal_mail(tmp_path: Path) -> None:
    async with served(tmp_path) as worker:
        queue_id = (await worker.send(MESSAGE, 1)).rsplit(" ", 1)[1]
        peer = await worker.connect(1)
        await peer.reply()
        assert "STARTTLS" in await peer.ask(b"EHLO c")
        await peer.close()
        other = open_store(worker.process.config, "test.0")
        try:
            row = other.message(queue_id)
            assert row is not None
            assert row.direction == "internal"
        finally:
            other.close()
        assert (worker.process.config.data / "tls" / "key.pem").stat().st_mode & 0o077 == 0


@on_uvloop
async def test_reload_swaps_settings_for_the_next_transaction(tmp_path: Path) -> None:
    async with served(tmp_path) as worker:
        peer = await worker.connect()
        await peer.hello(b"MAIL FROM:<a@x.example>")
        assert (await peer.ask(b"RCPT TO:<b@second.example>")).startswith("550 5.7.1 ")
        config = worker.process.config
        changed = msgspec.convert(msgspec.to_builtins(config), Config)
        changed.domains.local = ["second.example"]
        for action in worker.process.reloads:
            await action(changed)
        assert (await peer.ask(b"RCPT TO:<b@second.example>")).startswith("550 5.7.1 ")  # the transaction has its own
        assert (await peer.ask(b"RSET")).startswith("250 ")
        assert (await peer.ask(b"MAIL FROM:<a@x.example>")).startswith("250 ")
        assert (await peer.ask(b"RCPT TO:<b@second.example>")).startswith("250 ")
        await peer.close()


def heavy_pack(data: Path, rule: str) -> None:
    """A pack whose text is so long that its rules are not waited for."""
    folder = data / "rules" / "heavy"
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text('name = "heavy"\nversion = "1"\n')
    (folder / "a.yar").write_text(f"{rule}\n/* {'x' * HEAVY_BYTES} */\n")


async def until_logged(log: Path, word: str) -> None:
    async with asyncio.timeout(30):
        while word not in log.read_text():
            await asyncio.sleep(0.05)


MINUTES = 'rule MINUTES { meta: category = "info" weight = 0 strings: $a = "Minutes" condition: $a }'


@both_loops
async def test_rules_that_take_long_are_worked_out_by_another_process(tmp_path: Path) -> None:
    """Mail that comes before they are there is deferred by the default policy, and looked at by them afterwards."""
    heavy_pack(tmp_path / "data", MINUTES)
    (tmp_path / "data" / "run").mkdir()
    with (tmp_path / "data" / LOCK_FILE).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as another worker that has them worked out
        async with served(tmp_path) as worker:
            assert (await worker.send(MESSAGE)).startswith("451 4.7.1 ")
            await until_logged(tmp_path / "log", '"event":"rules_loading"')
            fcntl.flock(lock, fcntl.LOCK_UN)
            await until_logged(tmp_path / "log", '"event":"rules_loaded"')
            assert (await worker.send(MESSAGE)).startswith("250 ")
            other = open_store(worker.process.config, "test.0")
            try:
                (row,) = other.find(MessageQuery())
                assert "MINUTES" in str(row)
            finally:
                other.close()
    assert not (tmp_path / "data" / PROGRESS_FILE).exists()


@on_uvloop
async def test_policy_may_take_mail_that_comes_before_the_rules(tmp_path: Path) -> None:
    heavy_pack(tmp_path / "data", MINUTES)
    (tmp_path / "data" / "run").mkdir()
    (tmp_path / "data" / "policy.toml").write_text(
        'name = "ours"\n[[policy_rule]]\nname = "hold"\naction = "hold"\n'
        'when = { not_inspected = "engine:*-loading" }\n'
    )
    with (tmp_path / "data" / LOCK_FILE).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with served(tmp_path) as worker:  # which stops while it waits for the lock
            assert (await worker.send(MESSAGE)).startswith("250 ")
            other = open_store(worker.process.config, "test.0")
            try:
                (row,) = other.find(MessageQuery())
                assert [r.state for r in row.recipients] == ["held"]
            finally:
                other.close()


@on_uvloop
async def test_a_pack_that_is_wrong_is_named_and_mail_stays_deferred(tmp_path: Path) -> None:
    heavy_pack(tmp_path / "data", "rule WRONG { condition: $a }")
    async with served(tmp_path) as worker:
        await until_logged(tmp_path / "log", "rules_loading")
        async with asyncio.timeout(30):
            while "heavy/a.yar" not in status.fault_of_rules(worker.process.config.data):
                await asyncio.sleep(0.05)
        assert (await worker.send(MESSAGE)).startswith("451 4.7.1 ")
