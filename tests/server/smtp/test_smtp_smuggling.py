"""The grid of malformed ends of data: 460 combinations, none of which may become two messages.

RELIABILITY P21: the 386 that hold a bare CR, bare LF or NUL are refused and the connection ends; the other 74 are
one message, byte for byte.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from mxtest.smtpbox import Box, both_loops, open_box

FIRST = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\0", b"\0\n", b"\x0b", b"\x0c", b"\xc2\x85", b"\xe2\x80\xa8"]
DOTS = [b".", b"..", b". ", b".\0", b".\t", b"\xef\xbc\x8e"]
LAST = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\x0b", b"\xc2\x85"]
SMUGGLED = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@trust.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"


def grid() -> list[bytes]:
    """All combinations but the two that hold the true end of data, CRLF.CRLF."""
    combinations = (b"".join(c) for c in itertools.product(FIRST, DOTS, LAST))
    return [c for c in combinations if not c.endswith(b"\r\n.\r\n")]


def is_legal(data: bytes) -> bool:
    rest = data.replace(b"\r\n", b"")
    return not any(bad in rest for bad in (b"\r", b"\n", b"\0"))


async def play(box: Box, ending: bytes) -> str:
    peer = await box.connect()
    await peer.hello(b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@trust.example>", b"DATA")
    await peer.send(b"Subject: outer\r\n\r\nbody" + ending + SMUGGLED + b"\r\n.\r\n")
    answer = await peer.reply()
    if answer.startswith("550"):
        assert await peer.rest() == b"", "refused, yet something more was said"
    else:
        assert (await peer.ask(b"QUIT")).startswith("221")
    await peer.close()
    return answer


@both_loops
async def test_grid_of_ends_of_data(tmp_path: Path) -> None:
    refused = accepted = 0
    async with open_box(tmp_path, smtp__limits__max_sessions_per_client=1000) as box:
        for ending in grid():
            body = b"Subject: outer\r\n\r\nbody" + ending + SMUGGLED + b"\r\n"
            before = len(box.messages)
            answer = await play(box, ending)
            if is_legal(body):
                accepted += 1
                assert answer.startswith("250 2.0.0 Ok: queued as "), ending
                assert len(box.messages) == before + 1, ending
                expected = body.replace(b"\r\n.", b"\r\n")  # dots at the start of a line were stuffing
                assert box.messages[-1].raw == expected, ending
            else:
                refused += 1
                assert answer.startswith("550 5.6.0 "), ending
                assert len(box.messages) == before, ending
    assert (refused, accepted) == (386, 74)


@both_loops
async def test_true_end_is_found_whatever_the_packets(tmp_path: Path) -> None:
    """CRLF.CRLF sent a byte at a time is still the end, and what follows is commands."""
    async with open_box(tmp_path) as box:
        peer = await box.connect()
        await peer.hello(b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@trust.example>", b"DATA")
        for byte in b"x\r\n..y\r\n.\r\n":
            await peer.send(bytes((byte,)))
        assert (await peer.reply()).startswith("250 ")
        assert box.messages[0].raw == b"x\r\n.y\r\n"


@both_loops
async def test_true_end_behind_a_bare_cr_is_refused(tmp_path: Path) -> None:
    """The one combination that ends the data and holds a bare CR: refused, and what follows is not read."""
    async with open_box(tmp_path) as box:
        assert (await play(box, b"\r\r\n.\r\n")).startswith("550 5.6.0 ")
        assert box.messages == []
