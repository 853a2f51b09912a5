"""Features of a message: bounded in number and size, each once, and every path of the processor sums alike."""

from __future__ import annotations

import random

from mxward.pyx import tokens
from mxward.pyx.tokens import Features

SEEDS = [
    b"Your account will be closed!!! click here 1234\0subject words\0fact one\nfact two",
    "don't \u2014 \u4e2d\u6587\u6587\u7ae0 \u043f\u0440\u0438\u0432\u0435\u0442 \U0001f600$$$".encode(),
    b"x" * 60 + b" \xe3\x80\x81\xc2\xa3 9'9",
]
WORDS = [
    b" ",
    b"\0",
    b"\n",
    b"!",
    b"'",
    b"\xc2",
    b"\xe2\x80",
    b"\xe3\x80\x81",
    b"\xf0\x9f\x98\x80",
    b"a",
    b"9",
    b"\xe4\xb8\xad",
    b"a" * 25,
    b"\xd0\xb6" * 25,
]
MODES = (tokens.PAIRS, tokens.LINES, tokens.WORDS)
LIMIT = 20_000
TABLE = random.Random(1).randbytes((2 << 12) + 2)


def run(data: bytes) -> None:
    pieces = []
    for number, part in enumerate(data.split(b"\0")[:8]):
        pieces.append((number, MODES[number % 3], part))
    made = Features(pieces, 12, 300)
    flat = [i for part in made.indices for i in part]
    assert len(flat) == len(set(flat)) == len(made)
    assert all(0 <= i < 1 << 12 for i in flat)
    assert all(n <= 300 for n in made.counts)
    assert made.indices == Features(pieces, 12, 300).indices
    sums = made.dot(TABLE, 0)
    assert all(made.dot(TABLE, level) == sums for level in range(tokens.LEVEL + 1))
    Features(pieces, tokens.MAX_BITS, 1)
