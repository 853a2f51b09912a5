"""Lists of digests (mxward.pyx.hashlist): reading, compiling, opening, and above all asking."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import pytest

hashlist = pytest.importorskip("mxward.pyx.hashlist", reason="this tree has no such kernel", exc_type=ImportError)


@cache
def digests(n: int) -> bytes:
    """`n` SHA-256."""
    return b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(n))


@cache
def text(n: int) -> bytes:
    """The same as a list."""
    whole = digests(n)
    return b"\n".join(whole[i : i + 32].hex().encode() for i in range(0, len(whole), 32))


def ask(table: Any, asked: list[bytes]) -> int:
    """How many of `asked` are listed."""
    return sum(map(len, map(table.find, asked)))


def test_read_a_list(benchmark: Any) -> None:
    assert len(benchmark(hashlist.read, text(20_000))[2]) == 32 * 20_000


def test_compile_a_list(benchmark: Any) -> None:
    assert benchmark(hashlist.compile, [(b"", b"", digests(20_000))])


@pytest.mark.parametrize("n", [1_000, 200_000])
def test_ask_a_thousand(benchmark: Any, n: int) -> None:
    table = hashlist.HashTable(hashlist.compile([(b"", b"", digests(n))]))
    asked = [hashlib.sha256(b"%d" % i).digest() for i in range(n - 500, n + 500)]
    assert benchmark(ask, table, asked) == 500
