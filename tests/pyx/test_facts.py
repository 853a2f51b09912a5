"""pyx/facts against plain Python, and pyx/rulesearch against the kernels that it joins."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.bindings import yara
from mxward.pyx import literals
from mxward.pyx.candidates import Candidates
from mxward.pyx.facts import BIG, LEVEL, OPS, SIGNED, Facts
from mxward.pyx.literals import Literals
from mxward.pyx.rulesearch import RuleSearch

TEXTS = st.binary(max_size=300) | st.text(alphabet="ab\0\x01", max_size=200).map(str.encode)
PLACES = st.tuples(st.just("at"), st.integers(0, 12), st.binary(min_size=1, max_size=4))


@st.composite
def masked(draw: st.DrawFn) -> tuple[str, bytes, bytes]:
    mask = draw(st.lists(st.sampled_from((0, 0xFF, 0xFF, 0xDF, 0xF0, 0x0F)), min_size=2, max_size=6).map(bytes))
    text = draw(st.binary(min_size=len(mask), max_size=len(mask)) | st.just((b"ab\0a\x01b" * 2)[: len(mask)]))
    return "mask", bytes(byte & bits for byte, bits in zip(text, mask, strict=True)), mask


def stands(text: bytes, wanted: bytes, mask: bytes) -> bool:
    """Word for word."""
    return any(
        all(text[at + i] & mask[i] == wanted[i] for i in range(len(mask))) for at in range(len(text) - len(mask) + 1)
    )


@given(st.lists(PLACES, max_size=12), TEXTS)
def test_bytes_at_a_place(facts: list[Any], text: bytes) -> None:
    expected = [n for n, (_, at, wanted) in enumerate(facts) if text[at : at + len(wanted)] == wanted]
    assert Facts(facts).holding(text) == expected


@given(st.lists(masked(), min_size=1, max_size=6), TEXTS, st.integers(0, 200))
def test_masked_patterns(facts: list[Any], text: bytes, before: int) -> None:
    for placed in (text, bytes(before) + text, text + facts[0][1], b"\xff" * before + facts[-1][1] + text):
        expected = [n for n, (_, wanted, mask) in enumerate(facts) if stands(placed, wanted, mask)]
        for level in range(LEVEL + 1):
            assert Facts(facts, level=level).occurring(placed, range(len(facts))) == expected


BOUNDS = st.tuples(st.integers(-8, 12), st.booleans())


@given(masked(), BOUNDS, BOUNDS, TEXTS)
def test_patterns_in_a_window(pattern: Any, low: Any, high: Any, text: bytes) -> None:
    _, wanted, mask = pattern
    first, last = (value + (len(text) if from_end else 0) for value, from_end in (low, high))
    for level in range(LEVEL + 1):
        found = Facts([("window", wanted, mask, low, high)], level=level).occurring(text, [0])
        places = [at for at in range(len(text)) if stands(text[at : at + len(mask)], wanted, mask)]
        assert bool(found) == any(first <= at <= last for at in places)


@given(masked(), masked(), st.integers(0, 9), st.integers(0, 20), TEXTS)
def test_patterns_near_each_other(one: Any, other: Any, low: int, more: int, text: bytes) -> None:
    facts = Facts([("near", *one[1:], *other[1:], low, low + more)], level=low % (LEVEL + 1))
    for placed in (text, one[1] + bytes(low) + other[1] + text, text + one[1] + other[1]):
        places = [
            [at for at in range(len(placed)) if stands(placed[at : at + len(mask)], wanted, mask)]
            for _, wanted, mask in (one, other)
        ]
        expected = any(low <= b - a <= low + more for a in places[0] for b in places[1])
        assert bool(facts.occurring(placed, [0])) == expected


NUMBERS = st.integers(-4, 12) | st.integers(-(1 << 63) + 1, (1 << 63) - 1)
READS = {
    "uint8": 1, "uint16": 2, "uint32": 4, "int8": 1 | SIGNED, "int16": 2 | SIGNED, "int32": 4 | SIGNED,
    "uint16be": 2 | BIG, "int32be": 4 | SIGNED | BIG, "uint32be": 4 | BIG, "int16be": 2 | SIGNED | BIG,
}  # fmt: skip


@st.composite
def expression(draw: st.DrawFn, depth: int = 3) -> tuple[str, list[tuple[str, int]]]:
    """A YARA expression and its program."""
    kind = draw(st.integers(0, 5 if depth else 1))
    if kind == 0:
        value = draw(NUMBERS)
        return (str(value), [("const", value)]) if value >= 0 else (f"-{-value}", [("const", -value), ("neg", 0)])
    if kind == 1:
        return "filesize", [("size", 0)]
    text, steps = draw(expression(depth - 1))
    if kind == 2:
        read = draw(st.sampled_from(sorted(READS)))
        return f"{read}({text})", [*steps, ("read", READS[read])]
    if kind == 3:
        return f"~({text})", [*steps, ("invert", 0)]
    other, more = draw(expression(depth - 1))
    op = draw(st.sampled_from(OPS[5:15]))
    return f"({text} {op} {other})", [*steps, *more, (op, 0)]


@given(expression(), expression(), st.sampled_from(OPS[15:]), st.lists(st.binary(max_size=20), min_size=1, max_size=4))
def test_programs_compute_what_libyara_computes(left: Any, right: Any, op: str, texts: list[bytes]) -> None:
    """Where libyara refuses to compile (a constant too large, a negative shift) there is nothing to compare."""
    try:
        rules = yara.compile_rules({"a": f"rule A {{ condition: {left[0]} {op} {right[0]} }}"}, {})
    except (yara.YaraSyntaxError, yara.YaraFailure):
        return
    facts = Facts([("compute", [*left[1], *right[1], (op, 0)])])
    for text in texts:
        assert bool(facts.holding(text)) == bool(rules.scan(text, {}, 10)), (left[0], op, right[0], text)


def test_undefined_is_not_true() -> None:
    zero = [("const", 0)]
    for steps in ([*zero, ("read", 4)], [*zero, *zero, ("\\", 0)], [("const", -1), ("read", 1)],
                  [("const", 1), ("const", -1), ("<<", 0)]):  # fmt: skip
        assert Facts([("compute", [*steps, *zero, (">=", 0)])]).holding(b"abc") == []
    assert Facts([("compute", [*zero, ("read", 4), ("const", 1), (">=", 0)])]).holding(struct.pack("<I", 1)) == [0]


def test_what_is_no_fact_is_refused() -> None:
    wrong: list[Any] = [
        (), "at", ("at", -1, b"x"), ("at", 0, b""), ("mask", b"a", b"\xff"), ("mask", b"ab", b"\0\0"),
        ("mask", b"abc", b"\xff\xff"), ("compute", []),
        ("window", b"ab", b"\xff\xff", (1 << 63, False), (0, False)), ("near", b"ab", b"\xff\xff", b"a", b"\xff", 0, 1),
        ("near", b"ab", b"\xff\xff", b"ab", b"\xff\xff", -1, 1), ("compute", [("+", 0)]),
        ("compute", [("const", 1 << 64)]),
        ("compute", [("const", 1), ("const", 2)]), ("compute", [("const", 0), ("read", 3)]), ("compute", [("what", 0)]),
        ("compute", [("const", 1)] * 40 + [("+", 0)] * 39),
    ]  # fmt: skip
    for fact in wrong:
        with pytest.raises(ValueError):
            Facts([fact])
    facts = Facts([("at", 0, b"x")])
    for number in (0, 1, -1):
        with pytest.raises(ValueError):
            facts.occurring(b"x", [number])


WORDS = (b"evil", b"word", b"abab", b"needle")


@given(
    st.lists(masked(), min_size=1, max_size=4),
    st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=1, max_size=6),
    st.lists(st.sampled_from((*WORDS, b" ", b"ab", b"\0")), max_size=8).map(b"".join),
    st.booleans(),
)
def test_a_search_chooses_what_its_parts_choose(
    facts: list[Any], shapes: list[list[int]], text: bytes, is_any: bool
) -> None:
    n, base = len(facts), 50
    needs: list[Any] = []
    for number, shape in enumerate(shapes):
        leaves: list[Any] = [base + word for word in shape]
        needs.append(("any" if is_any else "all", [*leaves, number % n, 20] if number % 2 else leaves))
    chosen = Candidates(needs)
    found = Literals(literals.compile(list(WORDS)))
    kernel = Facts(facts)
    masks = [[number % n] for number in range(1, len(needs), 2)]
    loose = [(need[0], [True if leaf < n else leaf for leaf in need[1]]) for need in needs[1::2]]
    search = RuleSearch(found, kernel, chosen, Candidates(loose), masks, base)
    leaves = [base + number for number in found.seen(text)] + kernel.occurring(text, range(n))
    assert search.select(text, [20]) == chosen.select([*leaves, 20], len(text))
    assert search.select(memoryview(text)) == chosen.select(leaves, len(text))


def test_a_search_is_of_masked_patterns_that_are_there() -> None:
    parts = Literals(literals.compile([b"word"])), Facts([("at", 0, b"x")]), Candidates([0]), Candidates([True])
    for masks, base in (([[0]], 10), ([[1]], 10), ([], 10), ([[]], 0)):
        with pytest.raises(ValueError):
            RuleSearch(*parts, masks, base)
