"""Limits and slow clients: every refusal precise, nothing waited for for ever, nothing counted twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mxtest.smtpbox import Box, MemoryCommitter, Peer, both_loops, on_uvloop, open_box
from mxward.core.errors import StoreUnavailable
from mxward.server.addresses import client_key
from mxward.server.smtp import session as session_module


async def to_data(box: Box) -> Peer:
    peer = await box.connect()
    await peer.hello(b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@trust.example>", b"DATA")
    return peer


@both_loops
async def test_idle_client_gets_421(tmp_path: Path) -> None:
    async with open_box(tmp_path, smtp__limits__command_timeout=0.15) as box:
        peer = await box.connect()
        await peer.hello()
        assert await peer.rest() == b"421 4.4.2 Timeout exceeded\r\n"


@both_loops
async def test_dripping_command_does_not_move_the_deadline(tmp_path: Path) -> None:
    async with open_box(tmp_path, smtp__limits__command_timeout=0.3) as box:
        peer = await box.connect()
        await peer.hello()
        began = asyncio.get_running_loop().time()
        drip = asyncio.create_task(_drip(peer))
        assert await peer.rest() == b"421 4.4.2 Timeout exceeded\r\n"
        assert asyncio.get_running_loop().time() - began < 2
        drip.cancel()


async def _drip(peer: Peer) -> None:
    while True:
        await peer.send(b"x")
        await asyncio.sleep(0.03)


@both_loops
async def test_data_has_a_deadline_as_a_whole(tmp_path: Path) -> None:
    async with open_box(tmp_path, smtp__limits__data_timeout=0.3) as box:
        peer = await to_data(box)
        drip = asyncio.create_task(_drip(peer))
        assert (await peer.rest()).startswith(b"421 4.4.2 ")
        drip.cancel()
        await box.until(lambda: box.front.load.memory == 0)


@both_loops
async def test_rate_floor(tmp_path: Path) -> None:
    before = session_module.RATE_GRACE
    session_module.RATE_GRACE = 0.2
    try:
        async with open_box(tmp_path, smtp__limits__data_min_rate=100_000) as box:
            peer = await to_data(box)
            drip = asyncio.create_task(_drip(peer))
            assert await peer.rest() == b"421 4.4.2 Data comes too slowly\r\n"
            drip.cancel()
    finally:
        session_module.RATE_GRACE = before


@both_loops
async def test_sessions_of_a_worker_and_of_a_client(tmp_path: Path) -> None:
    async with open_box(tmp_path, smtp__limits__max_sessions_per_client=2, smtp__trusted_networks=[]) as box:
        first, second = await box.connect(), await box.connect()
        await first.hello()
        await second.hello()
        third = await box.connect()
        assert await third.rest() == b"421 4.7.0 Too many connections, try again later\r\n"
        await first.close()
        await box.until(lambda: box.front.load.sessions == 1)
        await (await box.connect()).hello()
    async with open_box(tmp_path, smtp__limits__max_sessions=1) as box:
        await (await box.connect()).hello()
        assert (await (await box.connect()).rest()).startswith(b"421 4.3.2 ")


@on_uvloop
async def test_trusted_networks_have_no_limit_a_client(tmp_path: Path) -> None:
    async with open_box(tmp_path, smtp__limits__max_sessions_per_client=1) as box:
        for _ in range(3):
            await (await box.connect()).hello()


def test_an_ipv6_host_is_its_network() -> None:
    assert client_key("2001:db8::1") == client_key("2001:db8::ffff:2") != client_key("2001:db8:0:1::1")
    assert client_key("192.0.2.1") == "192.0.2.1"


@both_loops
async def test_full_disk_is_said_at_mail(tmp_path: Path) -> None:
    free = 1 << 40
    async with open_box(tmp_path, free=lambda: free, smtp__limits__min_free_bytes=1000) as box:
        free = 1500
        peer = await box.connect()
        await peer.hello()
        assert (await peer.ask(b"MAIL FROM:<a@x.example> SIZE=501")).startswith("452 4.3.1 ")
        assert (await peer.ask(b"MAIL FROM:<a@x.example> SIZE=500")).startswith("250 ")


@both_loops
async def test_store_that_cannot_say_counts_as_full(tmp_path: Path) -> None:
    def free() -> int:
        raise StoreUnavailable("away")

    async with open_box(tmp_path, free=free) as box:
        peer = await box.connect()
        await peer.hello()
        assert (await peer.ask(b"MAIL FROM:<a@x.example>")).startswith("452 4.3.1 ")


@both_loops
async def test_waiting_commits_are_bounded(tmp_path: Path) -> None:
    committer = MemoryCommitter()
    committer.gate = asyncio.Event()
    async with open_box(tmp_path, committer=committer, smtp__limits__max_waiting_commits=2) as box:
        peers = [await to_data(box) for _ in range(2)]
        for peer in peers:
            await peer.send(b"x\r\n.\r\n")
        await box.until(lambda: box.front.load.waiting == 2)
        late = await box.connect()
        await late.hello()
        assert (await late.ask(b"MAIL FROM:<a@x.example>")).startswith("451 4.3.1 ")
        committer.gate.set()
        for peer in peers:
            assert (await peer.reply()).startswith("250 ")
        assert (await late.ask(b"MAIL FROM:<a@x.example>")).startswith("250 ")


@both_loops
async def test_memory_of_a_worker_is_bounded(tmp_path: Path) -> None:
    async with open_box(tmp_path, smtp__limits__max_memory_bytes=200_000) as box:
        peers = [await to_data(box) for _ in range(4)]
        for peer in peers:
            await peer.send(b"x" * 100_000 + b"\r\n")
        await box.until(lambda: all(_got(box, 100_002)))
        assert box.front.load.memory <= 200_000
        answers = []
        for peer in peers:
            await peer.send(b".\r\n")
            answers.append((await peer.reply())[:9])
        assert set(answers) == {"250 2.0.0", "451 4.3.1"}
        assert len(box.messages) == answers.count("250 2.0.0")


def _got(box: Box, size: int) -> list[bool]:
    sessions = [p.session for p in box.front.protocols]
    return [bool(s and s.tx and s.tx.reader and s.tx.reader.size == size) for s in sessions]


@both_loops
async def test_client_that_never_reads_is_cut(tmp_path: Path) -> None:
    """Replies nobody reads stop the reading, and end the connection after the command timeout."""
    limits = {"max_errors": 10_000_000, "max_junk_commands": 10_000_000, "command_timeout": 0.5}
    async with open_box(tmp_path, **{f"smtp__limits__{k}": v for k, v in limits.items()}) as box:
        peer = await box.connect()
        await peer.hello()
        peer.reader._transport.pause_reading()  # type: ignore[attr-defined]  # the client stops reading for good
        flood = asyncio.create_task(_flood(peer))
        await box.until(lambda: not box.front.protocols)
        flood.cancel()


async def _flood(peer: Peer) -> None:
    while True:
        await peer.send(b"VRFY a\r\n" * 5000)
        await asyncio.sleep(0)


@both_loops
async def test_line_without_end_is_cut(tmp_path: Path) -> None:
    async with open_box(tmp_path) as box:
        peer = await box.connect()
        await peer.hello()
        await peer.send(b"x" * 3000)
        assert await peer.rest() == b"500 5.5.2 Line too long\r\n"


@both_loops
async def test_long_lines_of_a_message_are_taken(tmp_path: Path) -> None:
    """RFC 5322 says 998; much mail has longer lines, and losing it would help nobody."""
    async with open_box(tmp_path) as box:
        peer = await to_data(box)
        await peer.send(b"y" * 1_000_000 + b"\r\n.\r\n")
        assert (await peer.reply()).startswith("250 ")
        assert box.messages[0].raw == b"y" * 1_000_000 + b"\r\n"


@both_loops
async def test_ten_thousand_chunks_of_one_byte(tmp_path: Path) -> None:
    async with open_box(tmp_path) as box:
        peer = await box.connect()
        await peer.hello(b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@trust.example>")
        answers = asyncio.create_task(_read_replies(peer, 10_000))
        await peer.send(b"BDAT 1\r\nz" * 9_999 + b"BDAT 2 LAST\r\n\r\n")
        replies = await answers
        assert set(replies[:-1]) == {"250 2.0.0 Chunk received"}
        assert replies[-1].startswith("250 2.0.0 Ok: queued as ")
        assert box.messages[0].raw == b"z" * 9_999 + b"\r\n"


async def _read_replies(peer: Peer, n: int) -> list[str]:
    return [await peer.reply() for _ in range(n)]


@both_loops
async def test_recipients_up_to_the_limit_and_no_further(tmp_path: Path) -> None:
    async with open_box(tmp_path, smtp__limits__max_recipients=1000) as box:
        peer = await box.connect()
        await peer.hello(b"MAIL FROM:<a@x.example>")
        answers = asyncio.create_task(_read_replies(peer, 1001))
        await peer.send(b"".join(b"RCPT TO:<u%d@trust.example>\r\n" % i for i in range(1001)))
        replies = await answers
        assert set(replies[:-1]) == {"250 2.1.5 Ok"}
        assert replies[-1] == "452 4.5.3 Too many recipients"


@both_loops
async def test_a_chunked_transfer_that_never_ends_has_a_deadline(tmp_path: Path) -> None:
    async with open_box(tmp_path, smtp__limits__data_timeout=0.4) as box:
        peer = await box.connect()
        await peer.hello(b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@trust.example>")
        chunks = asyncio.create_task(_empty_chunks(peer))
        assert b"421 4.4.2 " in await peer.rest()
        chunks.cancel()
        await box.until(lambda: box.front.load.memory == 0)


async def _empty_chunks(peer: Peer) -> None:
    await peer.send(b"BDAT 6\r\nabcd\r\n")
    while True:
        await peer.send(b"BDAT 0\r\n")
        await asyncio.sleep(0.05)


def test_an_ipv4_client_written_as_ipv6_is_counted_as_ipv4() -> None:
    assert client_key("::ffff:192.0.2.7") == client_key("192.0.2.7") != client_key("::ffff:192.0.2.8")
