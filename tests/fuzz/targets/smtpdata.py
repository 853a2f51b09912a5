"""The data reader: any split of a stream gives the same message. The first byte seeds the split."""

from __future__ import annotations

import random

from mxward.pyx.smtpdata import DataReader

SEEDS = [
    b"\1Subject: a\r\n\r\n..x\r\n.\r\nMAIL FROM:<>\r\n",
    b"\2.\r\n",
    b"\3a\rb\nc\0\r\n.\r\n",
    b"\4" + b"x" * 300 + b"\r\n.\r",
]
WORDS = [b"\r\n", b".", b"\r\n.\r\n", b"\r\n..", b"\r", b"\n", b"\0", b"\n.\n", b"\r\n.\n", b"x" * 70]


def read(pieces: list[bytes], limit: int) -> tuple[int, bytes, tuple[object, ...]]:
    reader = DataReader(limit)
    taken = 0
    for piece in pieces:
        used = reader.feed(piece)
        assert 0 <= used <= len(piece)
        taken += used
        if reader.done:
            break
    facts = (reader.done, reader.size, reader.is_over, reader.bare_cr, reader.bare_lf, reader.nul, reader.longest_line)
    return taken, reader.take(), facts


def run(data: bytes) -> None:
    seed, stream = data[:1], data[1:]
    rng = random.Random(seed)
    cuts = sorted(rng.randrange(len(stream) + 1) for _ in range(rng.randrange(6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    for limit in (16, 100_000):
        assert read([stream], limit) == read(pieces, limit)
    chunked = DataReader(100_000)
    for piece in pieces:
        chunked.feed_chunk(piece, 0, len(piece))
    chunked.finish()
    assert chunked.take()[: len(stream)] == stream
