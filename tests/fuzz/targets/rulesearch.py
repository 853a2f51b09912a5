"""Facts, literals and needs in one go: what is selected is what the kernels say one by one, masked patterns and all."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

from mxward.pyx import literals
from mxward.pyx.candidates import Candidates, Need
from mxward.pyx.facts import Fact, Facts
from mxward.pyx.literals import Literals
from mxward.pyx.rulesearch import RuleSearch

SEEDS = [
    b"ab\xffword\xffcd\x00\x01\x05\x0a\x13\x22\xfe\0a text with ab and a word",
    b"ax\xff\x00\x08\x10\x18\x01\x09\x11\x19\x02\x0a\x12\x1a\xfe\0" + b"aXbX" * 12,
    b"q\xffqq\xffqqq\x00\x0c\x14\x1c\x03\x0b\xfe\0" + b"q" * 17_000,  # long enough to go without the GIL
]
WORDS = [b"\xff", b"\xfe\0", b"ab", b"word", *(bytes((n,)) for n in range(32))]
LIMIT = 20_000
OTHERS = 64  # leaves that are told, from here on


def run(data: bytes) -> None:
    script, _, text = data.partition(b"\xfe")
    pieces = [piece[:40] for piece in script.split(b"\xff")[:12]]
    facts: list[Fact] = [_fact(number, piece) for number, piece in enumerate(pieces) if len(piece) > 1]
    kernel = Facts(facts)
    masked = [number for number, fact in enumerate(facts) if fact[0] == "mask"]
    base = OTHERS + len(pieces)
    words = [piece[:6] for piece in pieces if piece] or [b"none"]
    found = Literals(literals.compile(words))
    needs, loose, masks = _needs(script, len(facts), len(words), base, set(masked))
    chosen = Candidates(needs)
    told = sorted({OTHERS + byte % 5 for byte in text[:3]})
    leaves = [base + number for number in found.seen(text)] + kernel.holding(text) + kernel.occurring(text, masked)
    search = RuleSearch(found, kernel, chosen, Candidates(loose), masks, base)
    assert search.select(text, told) == chosen.select([*leaves, *told], len(text))
    assert search.select(memoryview(text)) == chosen.select(leaves, len(text))
    with suppress(ValueError):  # whatever is said to be masked, nothing outside is read
        RuleSearch(found, kernel, chosen, Candidates(loose), [list(script[:4])] * len(loose), base).select(text)


def _fact(number: int, piece: bytes) -> Fact:
    """A masked pattern or bytes at a place."""
    if number % 3 == 2:
        return "at", piece[0] % 9, piece[1:]
    mask = bytes((0xFF, 0xDF, 0, 0xF0)[(at * 7 + piece[0]) % 4] for at in range(len(piece)))
    return "mask", bytes(byte & bits for byte, bits in zip(piece, mask, strict=True)), mask


def _needs(
    script: bytes, n_facts: int, n_words: int, base: int, masked: set[int]
) -> tuple[list[Need], list[Need], list[list[int]]]:
    """Needs; and of those that speak of masked patterns, the form in which these occur, and which they are."""
    needs: list[Need] = []
    loose: list[Need] = []
    masks: list[list[int]] = []
    for byte, other in pairwise(script[:200]):
        members = [_leaf(code, n_facts, n_words, base) for code in (byte, other, byte ^ other)]
        kind = byte % 3
        needs.append(_gate(kind, [*members]))
        if meant := [leaf for leaf in members if leaf in masked]:
            loose.append(_gate(kind, [True if leaf in masked else leaf for leaf in members]))
            masks.append(sorted(set(meant)))
    return needs, loose, masks


def _leaf(code: int, n_facts: int, n_words: int, base: int) -> int:
    if code % 4 == 0:
        return OTHERS + code % 5
    return code % n_facts if code % 2 and n_facts else base + code % n_words


def _gate(kind: int, members: list[Need]) -> Need:
    return ("all", members) if kind == 0 else ("any", members) if kind == 1 else ("of", 2, members)
