"""pyx/sieve against PCRE2: what it does not let pass does not match, whatever was left out."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxward.bindings import pcre2
from mxward.core.rules.regex.places import automaton
from mxward.core.rules.regex.sampletext import sample
from mxward.core.rules.regex.tree import Unclear, parse
from mxward.pyx import sieve
from mxward.pyx.sieve import Automaton, Sieve

SAMPLE = b"some text with words, 12 numbers and Capitals\nabab xyz\n" * 8
PLAIN = ("a", "b", "ab", "x", r"\d", r"\w", r"\s", "[ab]", "[^a]", ".", "a?", "b*", "x+", "(?:a|bx)", "(?:ab|x){2}")
ODD = ("a{2,9}", "[b-x]{3,}", r"\bab", "(?=x)", "\xe9", "(?:\xc3\xa9|e|\xc3[\xa0-\xaf])", "$", "^")
PIECES = st.sampled_from((*PLAIN, *ODD))
EXPRESSIONS = st.lists(PIECES, min_size=1, max_size=6).map("".join)
TEXTS = st.text("abx1 \xe9\xc3\xa9\xa0e\n", max_size=40).map(lambda text: text.encode("latin-1"))


def places(pattern: bytes) -> Automaton | None:
    return automaton(parse(pattern))


@settings(max_examples=300)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=8), TEXTS)
def test_what_matches_passes(expressions: list[str], text: bytes) -> None:
    kept = [(pattern, found) for e in expressions if (found := places(pattern := e.encode("latin-1"))) is not None]
    block = sieve.compile([found for _, found in kept], SAMPLE)
    passed = Sieve(block).seen(text)
    matched, exhausted = pcre2.Patterns([(pattern, "", 1) for pattern, _ in kept]).match(text)
    assert {number for number, _, _, _ in matched} <= set(passed)
    assert not exhausted
    assert passed == sorted(set(passed))


@settings(max_examples=100)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=8), TEXTS, st.integers(1, 6))
def test_beginnings_of_what_matches_pass(expressions: list[str], text: bytes, kept: int) -> None:
    wanted = [(pattern, found) for e in expressions if (found := places(pattern := e.encode("latin-1"))) is not None]
    evens, odds = list(range(0, len(wanted), 2)), list(range(1, len(wanted), 2))
    block = Sieve(sieve.compile([found for _, found in wanted], SAMPLE, [evens, (), odds]))
    matched, _ = pcre2.Patterns([(pattern, "", 1) for pattern, _ in wanted]).match(text)
    numbers = {number for number, _, _, _ in matched}
    assert numbers & set(evens) <= set(block.seen(text, 0)) <= set(evens)
    assert block.seen(text, 1) == []
    assert numbers & set(odds) <= set(block.seen(text, 2)) <= set(odds)
    beginnings = [shorter for _, found in wanted if (shorter := sieve.cut(found, kept)) is not None]
    assert len(beginnings) == len(wanted)
    assert numbers <= set(Sieve(sieve.compile(beginnings, SAMPLE)).seen(text))


def test_kinds_of_text_are_checked() -> None:
    with pytest.raises(ValueError, match="not there"):
        sieve.compile([places(b"abc") or ([], [], 0, 0)], SAMPLE, [[1]])
    block = Sieve(BLOCK)
    for kind in (0, 7):
        with pytest.raises(ValueError, match="no such kind"):
            block.seen(b"abcd", kind)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 9, 40, 200])
def test_any_number_of_automata(n: int) -> None:
    words = [b"w%dq" % (number * 7919) for number in range(n)]
    block = Sieve(sieve.compile([found for word in words if (found := places(word)) is not None], sample()))
    assert block.n == n
    for number in (0, n // 2, n - 1):
        assert block.seen(b"some " + words[number] + b" here") == [number]
    assert block.seen(b"") == block.seen(b"nothing of it") == []


def test_what_would_need_too_many_states_still_passes_what_matches() -> None:
    patterns = [b"[ab]{%d}c[a-c]*d%d" % (n, n) for n in range(3, 24)] + [rb"(?:[a-z]{8,}[\s.]+){6}"]
    block = Sieve(sieve.compile([found for p in patterns if (found := places(p)) is not None], sample()))
    for number in range(3, 24):
        assert number - 3 in block.seen(b"\xff\x00zz" + b"ab" * number + b"cabcd%d" % number)
    assert len(patterns) - 1 in block.seen(b"wordwords. " * 6)


def test_the_same_input_gives_the_same_block() -> None:
    found = places(b"ab(?:c|d)+e")
    assert found is not None
    assert sieve.compile([found], sample()) == sieve.compile([found], sample())


@pytest.mark.parametrize(
    "wrong",
    [([], [], 0, 0), ([1], [], 1, 1), ([1], [2], 1, 1), ([1], [0], 2, 1), ([1], [0], 1, -1), ([1 << 256], [0], 1, 1)],
)
def test_what_is_no_expression_is_refused(wrong: Automaton) -> None:
    with pytest.raises(ValueError, match="places"):
        sieve.compile([wrong], SAMPLE)


@given(st.data())
def test_a_damaged_block_is_refused(data: st.DataObject) -> None:
    block = bytearray(BLOCK)
    at = data.draw(st.integers(0, len(block) - 1))
    block[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="damaged"):
        Sieve(bytes(block))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 100])
def test_a_block_cut_short_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="damaged"):
        Sieve(BLOCK[:size])


def test_an_unaligned_block_is_copied() -> None:
    whole = memoryview(bytearray(b"1234567" + BLOCK))
    found = [Sieve(whole[7:]).seen(b"xx abcd"), Sieve(memoryview(bytearray(b"12345678" + BLOCK))[8:]).seen(b"xx abcd")]
    assert found == [[0], [0]]


def test_threads_share_one_sieve() -> None:
    shared = Sieve(sieve.compile([found for p in (b"abc", b"x[yz]+w") if (found := places(p)) is not None], sample()))
    wrong: list[list[int]] = []

    def search() -> None:
        for _ in range(300):
            found = shared.seen(b"filler " * 40 + b"xyzw")
            if found != [1]:
                wrong.append(found)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_expressions_without_places_tell_nothing() -> None:
    assert places(b"a*") is None
    assert places(b"(?:abc|)") is None
    with pytest.raises(Unclear):
        places(b"(?R)")


_WORD = places(b"abcd")
assert _WORD is not None
BLOCK = sieve.compile([_WORD], SAMPLE)
