"""pyx/literals against the obvious loop, and against pyahocorasick on mail."""

from __future__ import annotations

import mmap
import os
import random
from collections import Counter
from pathlib import Path

import ahocorasick
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import corpus
from mxtest.literalblock import mend
from mxward.pyx import literals
from mxward.pyx.literals import CASELESS, WORD, Literals

WORD_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
ALPHABETS = (b"ab", b"abAB ", b"aA[{@`_0 \x00", bytes(range(256)))
ALL = 1 << 30
Found = list[tuple[int, int, int]]


def lower(data: bytes) -> bytes:
    return bytes(b + 32 if 65 <= b <= 90 else b for b in data)


def naive(patterns: list[bytes], flags: list[int], text: bytes) -> Found:
    """Every occurrence of every pattern, by bytes.find."""
    found = []
    for number, (pattern, flag) in enumerate(zip(patterns, flags, strict=True)):
        haystack, needle = (lower(text), lower(pattern)) if flag & CASELESS else (text, pattern)
        start = haystack.find(needle)
        while start >= 0:
            if not flag & WORD or stands_alone(text, start, start + len(pattern)):
                found.append((start, start + len(pattern), number))
            start = haystack.find(needle, start + 1)
    return sorted(found)


def stands_alone(text: bytes, start: int, end: int) -> bool:
    before = start > 0 and text[start] in WORD_BYTES and text[start - 1] in WORD_BYTES
    return not before and not (end < len(text) and text[end - 1] in WORD_BYTES and text[end] in WORD_BYTES)


def check(patterns: list[bytes], flags: list[int], text: bytes) -> None:
    wanted = naive(patterns, flags, text)
    blob = literals.compile(patterns, flags)
    for level in range(4):
        matcher = Literals(blob, level=level)
        assert matcher.find(text, ALL, ALL) == wanted
        assert matcher.seen(text) == sorted({number for _, _, number in wanted})
        assert matcher.counts(text) == sorted(Counter(number for _, _, number in wanted).items())


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[bytes], list[int], bytes]:
    """Patterns of like length (so that every shape of a pass is met), flags, and a text of the same few bytes."""
    alphabet = draw(st.sampled_from(ALPHABETS))
    shortest = draw(st.sampled_from((1, 2, 3, 4, 5, 7, 9)))
    some = st.lists(st.sampled_from(alphabet), min_size=shortest, max_size=shortest + draw(st.integers(0, 12)))
    patterns = draw(st.lists(some.map(bytes), min_size=1, max_size=30))
    flags = draw(st.lists(st.integers(0, 3), min_size=len(patterns), max_size=len(patterns)))
    pieces = st.one_of(st.sampled_from(patterns), st.lists(st.sampled_from(alphabet), max_size=90).map(bytes))
    return patterns, flags, b"".join(draw(st.lists(pieces, max_size=8)))


@given(cases())
def test_finds_what_the_obvious_loop_finds(case: tuple[list[bytes], list[int], bytes]) -> None:
    check(*case)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 40])
def test_every_place_of_a_text_is_looked_at(size: int) -> None:
    pattern = bytes(range(200, 200 + size))
    for n in (size, 60, 64, 67, 68, 69, 75, 76, 131, 200):
        for at in range(n - size + 1):
            check([pattern], [0], b"." * at + pattern + b"." * (n - size - at))


def test_many_candidates_in_a_long_text() -> None:
    text = b"abcdefgh" * 30_000 + b"abcdefgx"
    check([b"abcdefgx", b"defghabcdefghabcdefgx", b"hab"], [0, CASELESS, WORD], text)
    assert Literals(literals.compile([b"abcdefgh"])).counts(text) == [(0, 30_000)]


def test_patterns_that_share_every_window_are_found() -> None:
    patterns = [b"a" * 12 + b"%05d" % i + b"a" * 12 for i in range(3000)] + [b"a" * n for n in range(4, 200)]
    matcher = Literals(literals.compile(patterns))
    text = b"a" * 12 + b"02999" + b"a" * 150
    assert matcher.seen(text) == [2999, *range(3000, 3000 + 147)]
    assert matcher.crowd >= 196 // 2


@given(
    st.integers(0, 1 << 30),
    st.sampled_from([(4, 9), (5, 14), (7, 20), (12, 12)]),
    st.sampled_from([[0], [CASELESS], [WORD], [0, CASELESS, WORD, CASELESS | WORD]]),
)
def test_crowds_are_searched_in_order_and_completely(seed: int, sizes: tuple[int, int], flags: list[int]) -> None:
    """More patterns of two letters than there are windows, so that their slots are crowded."""
    dice = random.Random(seed)
    patterns = [bytes(dice.choices(b"aA", k=dice.randint(*sizes))) for _ in range(dice.randint(60, 300))]
    text = b"".join(dice.choice([*patterns[:8], b" ", b"a", b"ab", b"A" * 30]) for _ in range(12))
    check(patterns, [flags[i % len(flags)] for i in range(len(patterns))], text)


def test_limits_bound_what_is_returned() -> None:
    matcher = Literals(literals.compile([b"a", b"aa", b"b"]))
    assert len(matcher.find(b"a" * 1000 + b"b", limit=2, total=100)) == 5
    assert len(matcher.find(b"a" * 1000, limit=1000, total=7)) == 7


def test_the_same_pattern_twice_is_reported_twice() -> None:
    check([b"word", b"word", b"WORD"], [0, 0, CASELESS], b"a word")


def test_no_patterns_and_no_text() -> None:
    empty = Literals(literals.compile([]))
    assert (empty.n, empty.seen(b"text"), empty.find(b"text"), empty.counts(b""), empty.crowd) == (0, [], [], [], 0)
    assert Literals(literals.compile([b"a"])).find(b"") == []


@pytest.mark.parametrize("bad", [[b""], ["text"], [b"x" * 65_536]])
def test_patterns_of_other_kinds_are_refused(bad: list[bytes]) -> None:
    with pytest.raises(ValueError, match="pattern 0"):
        literals.compile(bad)


def test_flags_must_be_known_and_as_many() -> None:
    with pytest.raises(ValueError, match="unknown flags"):
        literals.compile([b"a"], 4)
    with pytest.raises(ValueError, match="not as many"):
        literals.compile([b"a"], [0, 1])


@given(st.data())
def test_a_damaged_block_is_refused(data: st.DataObject) -> None:
    blob = bytearray(literals.compile([b"one", b"twelve bytes", b"x" * 300], CASELESS))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="damaged"):
        Literals(bytes(blob))


DAMAGED = literals.compile([b"one", b"no", *(b"ab" * n + b"a" for n in range(2, 40))] * 3, CASELESS)


def test_the_mended_sum_is_the_right_one() -> None:
    assert mend(DAMAGED) == DAMAGED


@given(st.lists(st.tuples(st.integers(24, len(DAMAGED) - 1), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_changed_block_with_the_right_sum_is_refused_or_harmless(changes: list[tuple[int, int]]) -> None:
    block = bytearray(DAMAGED)
    for at, change in changes:
        block[at] ^= change
    text = b"one abababababa no " * 40
    for level in range(4):
        try:
            matcher = Literals(mend(bytes(block)), level=level)
        except ValueError:
            return
        assert all(0 <= start < end <= len(text) for start, end, _ in matcher.find(text, 100, 1000))
        matcher.counts(text)


@given(st.integers(0, 400))
def test_a_block_cut_short_is_refused(cut: int) -> None:
    blob = literals.compile([b"one", b"two"])
    with pytest.raises(ValueError, match="damaged"):
        Literals(blob[: len(blob) - 1 - cut])


def test_compiling_twice_gives_the_same_bytes() -> None:
    patterns = [b"pattern %d" % i for i in range(500)]
    assert literals.compile(patterns, WORD) == literals.compile(patterns, WORD)


def test_a_mapped_or_unaligned_block_serves_as_well(tmp_path: Path) -> None:
    blob = literals.compile([b"needle"])
    file = tmp_path / "set"
    file.write_bytes(blob)
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        matcher = Literals(mapped)
        assert matcher.seen(b"a needle") == [0]
        with pytest.raises(BufferError):
            mapped.close()
        del matcher
    assert Literals(memoryview(b"x" + blob)[1:]).seen(b"a needle") == [0]


def test_a_million_patterns() -> None:
    dice = random.Random(1)
    n = 50_000 if os.environ.get("MXWARD_SANITIZED") else 1_000_000  # with sanitizers a million takes minutes
    patterns = [b"%x" % dice.getrandbits(64) for _ in range(n)]
    blob = literals.compile(patterns)
    assert len(blob) < 110 * len(patterns)
    text = b" ".join((b"nothing", patterns[7], b"here", patterns[n - 1]))
    assert set(Literals(blob).seen(text)) >= {7, n - 1}


@pytest.mark.corpus
def test_agrees_with_pyahocorasick_on_mail() -> None:
    corpus.need()
    texts = [lower(corpus.fold(path.read_bytes())) for path in corpus.paths("spam")[::20]]
    words = sorted({word for text in texts[::3] for word in text.split() if len(word) < 40})[::2]
    automaton = ahocorasick.Automaton()
    for number, word in enumerate(words):
        automaton.add_word(word.decode("latin-1"), number)
    automaton.make_automaton()
    matcher = Literals(literals.compile(words, CASELESS))
    for text in texts:
        wanted = sorted((e + 1 - len(words[n]), e + 1, n) for e, n in automaton.iter(text.decode("latin-1")))
        assert matcher.find(text, ALL, ALL) == wanted
