"""Folding and look-alikes: the same with and without wide instructions, folded text stays folded."""

from __future__ import annotations

from mxward.pyx.fold import fold_bytes, skeleton

SEEDS = [
    b"Verify  YOUR\r\n\taccount " * 8,
    "Vеrify yоur ассount e\u0301 \u200b ﷺ ﬁ \u1100\u1161\u11a8 ".encode(),
    b"a" * 63 + "é".encode() + b"b" * 130,
]
WORDS = [
    b" ",
    b"\t",
    b"\xc2\xa0",
    b"\xcc\x81",
    b"\xe2\x80\x8b",
    b"\xf0\x9d\x90\x80",
    b"\xed\xa0\x80",
    b"\xff",
    b"A" * 64,
]


def run(data: bytes) -> None:
    folded = fold_bytes(data)
    assert folded == fold_bytes(data, wide=False)
    assert not folded.startswith(b" ") and not folded.endswith(b" ") and b"  " not in folded
    looks, mixed = skeleton(folded)
    assert mixed >= 0
    assert skeleton(looks)[0] == looks
