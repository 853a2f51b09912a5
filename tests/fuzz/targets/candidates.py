"""Needs and their compiled form: what is selected is what holds, and no block of bytes leads outside of itself."""

from __future__ import annotations

import struct
from contextlib import suppress

from mxward.pyx.candidates import Candidates, Need, compile

SEEDS = [b"N\x02\x03\0\x01\x02\x05\x02\x04\x06\x03\x01\x05\xff\x01\x02\x03", b"B" + compile([("all", [0, 1]), True])]
WORDS = [b"N", b"B", *(bytes((n,)) for n in range(12)), struct.pack("<Q", 0x315344454E584D00)]


def run(data: bytes) -> None:
    if data[:1] == b"B":
        with suppress(ValueError):
            Candidates(data[1:]).select(range(300), len(data))
        return
    script, _, found = data[1:].partition(b"\xff")
    needs: list[Need] = []
    truths: list[bool] = []
    for byte in script[:2000]:
        need, truth, n_taken = _next(byte, needs, truths, set(found), len(found))
        del needs[len(needs) - n_taken :], truths[len(truths) - n_taken :]
        needs.append(need)
        truths.append(truth)
    selected = Candidates(needs).select(list(found), len(found))
    assert selected == [n for n, truth in enumerate(truths) if truth]


def _next(byte: int, needs: list[Need], truths: list[bool], found: set[int], size: int) -> tuple[Need, bool, int]:
    """A need that may take some of the last ones in; whether it holds; how many it took."""
    kind, value = byte % 8, byte // 8
    n_taken = min(value, len(needs))
    inside, n_true = needs[len(needs) - n_taken :], sum(truths[len(truths) - n_taken :])
    if kind == 1:
        return ("all", inside), n_true == n_taken, n_taken
    if kind == 2:
        return ("any", inside), n_true > 0, n_taken
    if kind == 3:
        return ("of", value // 2, inside), n_true >= value // 2, n_taken
    if kind == 4:
        return ("size", value, value + 5), value <= size <= value + 5, 0
    if kind == 5:
        return value % 2 == 0, value % 2 == 0, 0
    return value, value in found, 0
