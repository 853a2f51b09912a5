"""Lists of digests and their compiled form: what is read is what is found, and no block leads outside of itself."""

from __future__ import annotations

from contextlib import suppress

from mxward.pyx.hashlist import SIZES, HashTable, compile, read

SEEDS = [
    b"T" + b"ab" * 16 + b"\n@name X\n# y\n" + b"0F" * 20 + b"  a.exe\n" + b"c3" * 32 + b",1\nT1" + b"7e" * 35,
    b"B" + compile([(bytes(32), b"", bytes(64)), (b"", b"x" * 20, b"")]),
]
WORDS = [b"T1", b"@", b"#", b"\n", b"00" * 16, b"aF" * 20, b"99" * 32, b"T1" + b"01" * 35, b"\0MHASHS1"]


def run(data: bytes) -> None:
    if data[:1] == b"B":
        with suppress(ValueError):
            table = HashTable(data[1:])
            for size in SIZES:
                table.find(data[1 : 1 + size].ljust(size, b"\0"))
        return
    try:
        digests = read(data[1:])
    except ValueError as error:
        line, quoted = error.args
        assert 1 <= line <= data.count(b"\n") + 1
        assert len(quoted) <= 40
        return
    table = HashTable(compile([digests, digests]))
    for size, one in zip(SIZES, digests, strict=False):
        for at in range(0, min(len(one), 50 * size), size):
            assert table.find(one[at : at + size]) == [0, 1]
