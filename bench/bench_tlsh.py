"""Digests of what is similar (mxward.pyx.tlsh): of content, and the search for the nearest."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

tlsh = pytest.importorskip("mxward.pyx.tlsh", reason="this tree has no such kernel", exc_type=ImportError)
LIMIT = 30


@cache
def listed(n: int) -> bytes:
    """`n` digests, of lengths as files in mail have them."""
    dice = random.Random(11)
    out = []
    for _ in range(n):
        length = int(dice.gauss(70, 15)) & 255
        out.append(bytes((dice.randrange(256), (length << 4 | length >> 4) & 255)) + dice.randbytes(33))
    return b"".join(out)


def test_digest_of_64_kb(benchmark: Any) -> None:
    assert benchmark(tlsh.digest, random.Random(3).randbytes(65_536))


def test_nearest_of_100_000(benchmark: Any) -> None:
    digests = listed(100_000)
    nearest = tlsh.Nearest([digests])
    assert benchmark(nearest.find, digests[7 * tlsh.SIZE : 8 * tlsh.SIZE], LIMIT) == [(0, 0)]


def test_nearest_of_100_000_without_instructions_for_it(benchmark: Any) -> None:
    digests = listed(100_000)
    nearest = tlsh.Nearest([digests], 0)
    assert benchmark(nearest.find, digests[7 * tlsh.SIZE : 8 * tlsh.SIZE], LIMIT) == [(0, 0)]
