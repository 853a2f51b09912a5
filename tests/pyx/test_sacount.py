"""Counts against the same counts by regular expressions and Counter, over bytes of all kinds."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxtest import saref
from mxward.pyx import sacount
from mxward.pyx.sacount import compare_words, count_illegal, count_lines, count_part

NEEDLESS = re.compile(rb"=(?:09|3[0-9ABCEF]|[2456][0-9A-F]|7[0-9A-E])")
BEFORE_END = re.compile(rb"((?:=09|=20)+)[ \t\r\f\v]*$", re.M)
ENTITY = re.compile(rb"&#x[0-9A-F]{4};")
BLANKS = re.compile(rb"(?:^[ \t\r\f\v]*\n)+", re.M)
PIECES = [
    b"=20", b"=09", b"=3D", b"=41", b"=7F", b"=", b"=3", b"\r\n", b"\n", b"\r", b" ", b"\t", b"\v", b"&#x20AC;",
    b"&#x2a;", b"&", b"a", b"\0", b"\xe9", b"word ", b"\n\n\n",
]  # fmt: skip
parts = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


def told(data: bytes) -> tuple[int, int, int, int, int, bool]:
    text = data.replace(b"\r\n", b"\n")
    escapes = len(NEEDLESS.findall(text)) - sum(len(end) // 3 for end in BEFORE_END.findall(text))
    blank = max((run.count(b"\n") for run in BLANKS.findall(text)), default=0)
    longest = max(map(len, re.findall(rb"[^\n]*\n|[^\n]+", text)), default=0)
    is_odd = not text.isascii() or b"\0" in text or b"\r" in text
    return len(text), longest, blank, escapes, len(ENTITY.findall(text)), is_odd


@given(parts, parts, parts)
@example(b"", b"a=20=09 \r\n=20 =20\r\n\r\n \t\r\n\r\nx", b"")
@example(b"=", b"20\n&#x20AC", b";")
def test_a_part_is_counted_as_by_regular_expressions(before: bytes, data: bytes, behind: bytes) -> None:
    whole = before + data + behind
    found = count_part(whole, len(before), len(before) + len(data), escapes=True, text=True)
    assert found == told(data)
    assert count_part(data, 0, len(data))[:3] == found[:3]
    assert count_part(data, 0, len(data))[3:] == (0, 0, False)


@pytest.mark.parametrize(("start", "end"), [(0, 4), (3, 2)])
def test_a_part_is_within_the_data(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no such part"):
        count_part(b"abc", start, end)


def told_lines(lines: list[bytes]) -> tuple[int, int, int, int]:
    spaces = -1
    for line in lines:
        if len(line) > 5:
            n = line.count(b" ")
            spaces = max(spaces, 100 if 2 * n > len(line) or n == len(line) else 100 * n // (len(line) - n))
    return *saref.letters(lines), spaces


words = st.sampled_from(
    [
        b"Word",
        b"UP",
        b"low",
        b"42",
        b" ",
        b"  ",
        b"\n",
        b"\xe9",
        b"_",
        b"A" * 61,
        b"b" * 300,
        b"\x1b$B",
        b"\x1b(B",
        b"+/=",
    ]
)
lines = st.lists(st.lists(words, min_size=1, max_size=12).map(b"".join), max_size=6)


@given(lines)
@example([b"A" * 60 + b" " + b"B" * 76 + b" x y"])
@example([b"A" * 60 + b" " + b"B" * 77 + b" x y"])
@example([b"Ab" * 400 + b" c"])
@example([b"Ab \x1b$BABCD\x1b(Bcd EF\x1b", b"x \x1b$BAB\x1b(B\x1b$BCD\x1b(By Z"])
def test_lines_are_counted_as_by_regular_expressions(given_lines: list[bytes]) -> None:
    starts = [sum(map(len, given_lines[:at])) for at in range(len(given_lines))]
    assert count_lines(b"".join(given_lines), starts) == told_lines(given_lines)
    sacount.choose(portable=True)
    try:
        assert count_lines(b"".join(given_lines), starts) == told_lines(given_lines)
    finally:
        sacount.choose(portable=False)


@pytest.mark.parametrize("starts", [[1, 0], [0, 4], [2, 1, 3]])
def test_segments_are_in_order(starts: list[int]) -> None:
    with pytest.raises(ValueError, match="segments must be in order"):
        count_lines(b"abc", starts)


@given(st.binary(max_size=600))
def test_illegal_bytes_are_those_of_a_table(data: bytes) -> None:
    illegal = {*range(9), 11, 12, *range(14, 32), *range(127, 256)}
    assert count_illegal(data) == sum(byte in illegal for byte in data)


def counted(pieces: list[tuple[bytes, bool]]) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    for text, is_wide in pieces:
        if is_wide:
            found.update(w.encode() for w in text.decode("utf-8", "replace").split() if re.search(r"\w", w))
        else:
            found.update(w for w in text.split() if re.search(rb"\w", w))
    return found


TOKENS = ["a", "b", "word", "longer-than-eight", "longer-than-night", "_", "-", "--", "é", "€", "😀", "𝟘"]
tokens = st.sampled_from(
    [token.encode() for token in (*TOKENS, " ", "\n", "\x1c", "\xa0", "\u2003", "\u3000")] + [b"\xff", b"\xe2\x80"]
)
texts = st.lists(st.tuples(st.lists(tokens, max_size=20).map(b"".join), st.booleans()), max_size=3)


@given(texts, texts)
@example([(b"a b c d -", False)], [(b"a b b", False), ("é ü €".encode(), True)])
def test_words_are_compared_as_by_counters(ours: list[tuple[bytes, bool]], others: list[tuple[bytes, bool]]) -> None:
    a, b = counted(ours), counted(others)
    assert compare_words(ours, others) == (len(a), len(b), sum(count > b[word] for word, count in a.items()))


def test_many_words_make_the_table_grow_and_no_more_than_the_limit_count() -> None:
    many = b" ".join(b"%d" % n for n in range(5000))
    assert compare_words([(many, False)], [(many, True), (b"5000", False)]) == (5000, 5001, 0)
    endless = b" ".join(b"%x" % n for n in range(sacount.MAX_WORDS + 10))
    assert compare_words([(endless, False)], []) == (sacount.MAX_WORDS, 0, sacount.MAX_WORDS)


def test_only_bytes_are_compared() -> None:
    with pytest.raises(TypeError):
        compare_words([("text", False)], [])  # type: ignore[list-item]  # the fault that is tested
