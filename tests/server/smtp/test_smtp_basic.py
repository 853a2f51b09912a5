"""The straight way of a message through a real connection: greeting to commit."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from mxtest.smtpbox import Box, both_loops, on_uvloop, open_box
from mxward.server.store.api import QUEUED

MESSAGE = b"From: a@x.example\r\nSubject: hello\r\n\r\n..dots\r\nbody\r\n"


async def send(box: Box, raw: bytes, *, rcpts: tuple[bytes, ...] = (b"b@trust.example",)) -> str:
    peer = await box.connect()
    await peer.hello(b"MAIL FROM:<a@x.example>", *(b"RCPT TO:<" + r + b">" for r in rcpts))
    assert (await peer.ask(b"DATA")).startswith("354 ")
    await peer.send(b"".join(b"." * line.startswith(b".") + line for line in raw.splitlines(True)) + b".\r\n")
    answer = await peer.reply()
    assert (await peer.ask(b"QUIT")).startswith("221 ")
    assert await peer.rest() == b""
    return answer


def _read_all(sock: socket.socket) -> bytes:
    sock.settimeout(10)
    return b"".join(iter(lambda: sock.recv(4096), b""))


@both_loops
async def test_message_is_committed_as_sent(tmp_path: Path) -> None:
    async with open_box(tmp_path) as box:
        answer = await send(box, MESSAGE)
        (message,) = box.messages
        assert answer == f"250 2.0.0 Ok: queued as {message.queue_id}"
        assert message.raw == MESSAGE
        assert message.sender == "a@x.example"
        assert [(r.address, r.state) for r in message.recipients] == [("b@trust.example", QUEUED)]
        assert message.trace.startswith(
            b"Received: from client.example ([127.0.0.1])\r\n\tby mx.trust.example (mxward) "
        )
        assert f"with ESMTP id {message.queue_id}\r\n\tfor <b@trust.example>;\r\n".encode() in message.trace
        assert '"event":"accepted"' in box.log_lines()


@on_uvloop
async def test_early_talker_gets_no_banner(tmp_path: Path) -> None:
    """Bytes that are there before the banner could be sent end the session (uvloop reads before it greets)."""
    async with open_box(tmp_path) as box:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", box.ports["inbound"])) as early:
                early.sendall(b"EHLO early\r\n")  # the loop, being us, has not accepted the connection yet
                answer = await asyncio.to_thread(_read_all, early)
                assert answer == b"554 5.5.0 Client spoke before the banner\r\n"


@both_loops
async def test_two_recipients_leave_for_out(tmp_path: Path) -> None:
    async with open_box(tmp_path) as box:
        await send(box, MESSAGE, rcpts=(b"b@trust.example", b"c@trust.example", b"b@trust.example"))
        (message,) = box.messages
        assert b"for <" not in message.trace
        assert [r.address for r in message.recipients] == ["b@trust.example", "c@trust.example"]
