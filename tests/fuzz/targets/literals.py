"""Compiled literals: what is found stands there; a damaged block is refused or harmless; all code paths agree."""

from __future__ import annotations

from mxtest.literalblock import HEAD, mend
from mxward.pyx import literals

SEEDS = [
    b"\x00one\ntwelve bytes\nx\0one twelve bytes and xx",
    b"\x03aaaa\naaaaa\naaaaaaaaaa\0aaaaaaaaaaaaaaaa " + b"A" * 90,
    b"\x02" + b"\n".join(b"%d" % (i * 7919) for i in range(60)) + b"\0" + b"7919 15838" * 20,
]
WORDS = [b"\n", b"\0", b"aaaa", b"one", b" ", b"_", b"A", b"\xff"]


def run(data: bytes) -> None:
    flags, (listed, _, text) = (data[0] & 3 if data else 0), data[1:].partition(b"\0")
    patterns = [line for line in listed.split(b"\n") if line][:200]
    blob = literals.compile(patterns, flags)
    found = literals.Literals(blob).find(text, 1000, 5000)
    for start, end, number in found:
        have, wanted = text[start:end], patterns[number]
        assert have == wanted or (flags & literals.CASELESS and have.lower() == wanted.lower())
    for level in range(3):
        assert len(found) == 5000 or found == literals.Literals(blob, level=level).find(text, 1000, 5000)
    if text:
        broken = bytearray(blob)
        place = int.from_bytes(text[:3], "little") % (len(blob) - HEAD)
        broken[HEAD + place] ^= 1 + len(text) % 255
        try:
            literals.Literals(mend(bytes(broken))).counts(text)
        except ValueError:
            pass
