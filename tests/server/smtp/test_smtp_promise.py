"""End of data: 250 only after the commit, every fault of ours a 4xx, and a client that goes away changes nothing."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from mxtest.smtpbox import Box, Judge, MemoryCommitter, Peer, both_loops, open_box
from mxward.core.errors import StoreFull, StoreUnavailable, StoreUnfit
from mxward.core.verdict import Addition, Disposition
from mxward.pyx.mime import parse
from mxward.server.store.api import DISCARDED, HELD, QUARANTINED, QUEUED, REDIRECTED

MESSAGE = b"From: <a@x.example>\r\nSubject: s\r\n\r\nbody\r\n"


async def to_data(box: Box, rcpts: tuple[bytes, ...] = (b"b@trust.example",)) -> Peer:
    peer = await box.connect()
    await peer.hello(b"MAIL FROM:<a@x.example>", *(b"RCPT TO:<" + r + b">" for r in rcpts), b"DATA")
    return peer


async def send(box: Box, raw: bytes = MESSAGE, rcpts: tuple[bytes, ...] = (b"b@trust.example",)) -> str:
    peer = await to_data(box, rcpts)
    await peer.send(raw + b".\r\n")
    return await peer.reply()


def reset(peer: Peer) -> None:
    """End the connection by RST: a mere FIN could be a half-close of a client that waits for its reply."""
    sock = peer.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.writer.transport.abort()


@both_loops
async def test_no_250_before_the_commit(tmp_path: Path) -> None:
    committer = MemoryCommitter()
    committer.gate = asyncio.Event()
    async with open_box(tmp_path, committer=committer) as box:
        peer = await to_data(box)
        await peer.send(MESSAGE + b".\r\nNOOP\r\n")
        answer = asyncio.create_task(peer.reply())
        await box.until(lambda: box.front.load.waiting == 1)
        await asyncio.sleep(0.05)
        assert not answer.done()
        committer.gate.set()
        assert (await answer).startswith("250 2.0.0 Ok: queued as ")
        assert await peer.reply() == "250 2.0.0 Ok"  # what was pipelined waited its turn


@both_loops
async def test_half_close_after_the_dot_still_commits_and_answers(tmp_path: Path) -> None:
    committer = MemoryCommitter()
    committer.gate = asyncio.Event()
    async with open_box(tmp_path, committer=committer) as box:
        peer = await to_data(box)
        await peer.send(MESSAGE + b".\r\n")
        peer.writer.write_eof()
        await box.until(lambda: box.front.load.waiting == 1)
        await asyncio.sleep(0.05)
        committer.gate.set()
        assert (await peer.rest()).startswith(b"250 2.0.0 Ok: queued as ")
        assert len(box.messages) == 1


@both_loops
async def test_client_that_vanishes_after_the_dot_is_committed(tmp_path: Path) -> None:
    committer = MemoryCommitter()
    committer.gate = asyncio.Event()
    async with open_box(tmp_path, committer=committer) as box:
        peer = await to_data(box)
        await peer.send(MESSAGE + b".\r\n")
        await box.until(lambda: box.front.load.waiting == 1)
        reset(peer)
        await box.until(lambda: not box.front.protocols)
        committer.gate.set()
        await box.until(lambda: len(box.messages) == 1)


@both_loops
async def test_client_that_vanishes_before_the_dot_leaves_nothing(tmp_path: Path) -> None:
    async with open_box(tmp_path) as box:
        peer = await to_data(box)
        await peer.send(MESSAGE)
        await box.until(lambda: box.front.load.memory > 0)
        peer.writer.transport.abort()
        await box.until(lambda: not box.front.protocols)
        assert box.messages == []
        assert box.front.load.memory == 0


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (StoreFull("/var/lib/secret is full"), "452 4.3.1 "),
        (StoreUnavailable("secret"), "451 4.3.0 "),
        (StoreUnfit("secret"), "421 4.3.0 "),
        (RuntimeError("secret /var/lib/path"), "451 4.3.0 "),
    ],
)
@both_loops
async def test_faults_of_the_store(tmp_path: Path, error: Exception, answer: str) -> None:
    committer = MemoryCommitter()
    committer.error = error
    async with open_box(tmp_path, committer=committer) as box:
        said = await send(box)
        assert said.startswith(answer)
        assert "secret" not in said
        assert '"event":"deferred"' in box.log_lines()
        if isinstance(error, RuntimeError):
            assert "secret /var/lib/path" in box.log_lines()


@both_loops
async def test_unfit_store_ends_accepting(tmp_path: Path) -> None:
    committer = MemoryCommitter()
    committer.error = StoreUnfit("fsync")
    async with open_box(tmp_path, committer=committer) as box:
        other = await box.connect()
        await other.hello()
        await send(box)
        committer.error = None
        assert (await other.ask(b"MAIL FROM:<a@x.example>")).startswith("421 4.3.0 ")
        assert (await (await box.connect()).rest()).startswith(b"421 4.3.0 ")


@both_loops
async def test_pipeline_that_raises_defers(tmp_path: Path) -> None:
    async with open_box(tmp_path) as box:
        box.judge.error = ValueError("secret")
        assert await send(box) == "451 4.3.0 Temporary fault, try again later"
        assert box.messages == []


@pytest.mark.parametrize(("choice", "answer", "state"), [
    ("defer", "451 4.3.0 ", ""), ("hold", "250 2.0.0 ", HELD), ("deliver", "250 2.0.0 ", QUEUED),
])  # fmt: skip
@both_loops
async def test_scan_deadline(tmp_path: Path, choice: str, answer: str, state: str) -> None:
    async with open_box(tmp_path, scan__deadline=0.1, scan__on_degraded=choice) as box:
        box.judge.gate = threading.Event()
        assert (await send(box)).startswith(answer)
        assert [r.state for m in box.messages for r in m.recipients] == ([state] if state else [])
        if state:
            assert box.messages[0].judgement["not_inspected"][0]["reason"] == "timeout"
        box.judge.gate.set()


@both_loops
async def test_one_pipeline_judges_a_whole_message(tmp_path: Path) -> None:
    """The pipeline in force at end of data decides, also when a newer one comes while it scans."""
    async with open_box(tmp_path) as box:
        old = box.judge
        old.gate = threading.Event()
        peer = await to_data(box)
        await peer.send(MESSAGE + b".\r\n")
        await box.until(lambda: box.front.load.waiting == 1)
        box.front.settings = replace(box.front.settings, pipeline=Judge("test-2"))
        old.gate.set()
        assert (await peer.reply()).startswith("250 ")
        assert (await send(box)).startswith("250 ")
        assert [m.policy_version for m in box.messages] == ["test-1", "test-2"]


@both_loops
async def test_loop_is_refused_at_the_limit(tmp_path: Path) -> None:
    async with open_box(tmp_path, smtp__limits__max_received=50) as box:
        box.judge.parse = parse
        hop = b"Received: from a by b; Tue, 24 Nov 2026 06:00:00 +0000\r\n"
        assert (await send(box, hop * 50 + MESSAGE)).startswith("250 ")
        assert (await send(box, hop * 51 + MESSAGE)).startswith("554 5.4.6 ")
        assert len(box.messages) == 1
        assert '"reason":"loop"' in box.log_lines()
        assert (box.messages[0].subject, box.messages[0].header_from) == ("s", "a@x.example")


RCPTS = (b"one@trust.example", b"two@trust.example")


@both_loops
async def test_dispositions_become_states(tmp_path: Path) -> None:
    actions = {
        "one@trust.example": Disposition("one@trust.example", "quarantine", "spam"),
        "two@trust.example": Disposition("two@trust.example", "reject", "554 5.7.1 no"),
        "three@trust.example": Disposition("three@trust.example", "discard"),
        "four@trust.example": Disposition("four@trust.example", "hold", "outbound"),
        "five@trust.example": Disposition("five@trust.example", "redirect", "six@trust.example"),
        "seven@trust.example": Disposition(
            "seven@trust.example", "deliver", additions=(Addition("copy", "audit@trust.example"),)
        ),
    }
    async with open_box(tmp_path) as box:
        box.judge.action = actions.__getitem__
        assert (await send(box, rcpts=tuple(a.encode() for a in actions))).startswith("250 ")
        (message,) = box.messages
        assert [(r.address.partition("@")[0], r.state, r.area, r.notify) for r in message.recipients] == [
            ("one", QUARANTINED, "spam", ""), ("two", QUARANTINED, "rejected", ""), ("three", DISCARDED, "", ""),
            ("four", HELD, "outbound", ""), ("five", REDIRECTED, "", ""), ("seven", QUEUED, "", ""),
            ("six", QUEUED, "", ""), ("audit", QUEUED, "", "NEVER"),
        ]  # fmt: skip


@both_loops
async def test_all_reject_or_any_defer_stores_nothing(tmp_path: Path) -> None:
    async with open_box(tmp_path) as box:
        box.judge.action = lambda rcpt: Disposition(rcpt, "reject", "no thanks")
        assert await send(box, rcpts=RCPTS) == "550 5.7.1 no thanks"
        box.judge.action = lambda rcpt: Disposition(rcpt, "defer" if rcpt.startswith("two") else "deliver")
        assert (await send(box, rcpts=RCPTS)).startswith("451 4.7.0 ")
        box.judge.action = lambda rcpt: Disposition(rcpt, "reject", "451 4.7.1 not a refusal\r\n250 ok")
        assert await send(box, rcpts=RCPTS) == "550 5.7.1 Message refused by policy"
        assert box.messages == []
        assert '"event":"refused"' in box.log_lines()


@both_loops
async def test_drain_finishes_what_runs_and_ends_the_idle(tmp_path: Path) -> None:
    committer = MemoryCommitter()
    committer.gate = asyncio.Event()
    async with open_box(tmp_path, committer=committer) as box:
        idle, running, receiving = await box.connect(), await to_data(box), await to_data(box)
        await idle.hello()
        await running.send(MESSAGE + b".\r\n")
        await receiving.send(b"half")
        await box.until(lambda: box.front.load.waiting == 1)
        drained = asyncio.create_task(box.front.drain(10))
        assert await idle.rest() == b"421 4.3.2 Service restarting, try again\r\n"
        assert (await (await box.connect()).rest()).startswith(b"421 4.3.2 ")
        committer.gate.set()
        assert (await running.rest()).split(b"\r\n")[1] == b"421 4.3.2 Service restarting, try again"
        await receiving.send(b"\r\n.\r\n")
        assert (await receiving.rest()).startswith(b"250 2.0.0 ")
        for peer in box.peers:
            await peer.close()
        await asyncio.wait_for(drained, 5)
        assert len(box.messages) == 2


@both_loops
async def test_delivery_is_woken(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "delivery.0.sock"))
        listener.settimeout(5)
        async with open_box(tmp_path) as box:
            await send(box)
            assert await asyncio.to_thread(listener.recv, 10) == b"1"
