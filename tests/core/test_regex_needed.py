"""Needs of regular expressions: whenever PCRE2 matches, what is said to be needed stands in the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxward.bindings import pcre2
from mxward.core.errors import RulePackError
from mxward.core.rules.regex import LiteralTable, Regex, RegexSet, has_literal, needed, regexset
from mxward.core.rules.regex.regexset import FEW
from mxward.core.rules.regex.tree import Unclear, parse

FEW_OR_MANY = (9, 0)  # up to so many expressions go without a sieve
LETTERS = "abXé!_ 1"


def literal(text: str) -> str:
    return "".join(f"\\{c}" if not c.isalnum() and c.isascii() else c for c in text)


ATOMS = st.one_of(
    st.text(LETTERS, min_size=1, max_size=5).map(literal),
    st.sampled_from(
        (".", r"\w", r"\W", r"\s", "[ab]", "[^a]", "[a4@]", r"[_\W]", r"\b", "^", "$", r"\x61", "(?i)", "(?=a)")
    ),
    st.text("ab!", min_size=1, max_size=4).map(lambda t: f"\\Q{t}\\E"),
)
QUANTIFIERS = st.sampled_from(("", "", "", "?", "*", "+", "{2}", "{0,2}", "{1,3}", "+?", "?+"))
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, QUANTIFIERS).map(lambda t: f"(?:{t[0]}){t[1]}"),
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: f"({'|'.join(items)})"),
    ),
    max_leaves=12,
)


@settings(max_examples=400)
@given(
    st.lists(st.tuples(EXPRESSIONS, st.sampled_from(("", "i", "s", "im", "x"))), min_size=1, max_size=5),
    st.lists(st.text(LETTERS + "B4@\n", max_size=25), min_size=1, max_size=4),
)
def test_the_filter_never_changes_what_matches(expressions: list[tuple[str, str]], segments: list[str]) -> None:
    patterns = [Regex(text.encode("latin-1"), flags, True, 3) for text, flags in expressions]
    try:
        plain = pcre2.Patterns([(p.pattern, p.flags, 3) for p in patterns])
    except pcre2.PatternError:
        return
    pieces = [segment.encode("latin-1") for segment in segments]
    starts = [sum(map(len, pieces[:n])) for n in range(len(pieces))]
    text = b"".join(pieces)
    for few in FEW_OR_MANY:
        assert RegexSet(patterns, None, few).match_all(text, starts) == plain.match(text, starts)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(EXPRESSIONS, st.integers(0, 2)), min_size=1, max_size=6),
    st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.text(LETTERS + "B4@\n", max_size=25), min_size=1, max_size=3)),
        min_size=1,
        max_size=5,
    ),
)
def test_each_expression_sees_the_texts_of_its_kind(
    expressions: list[tuple[str, int]], texts: list[tuple[int, list[str]]]
) -> None:
    patterns = [Regex(text.encode("latin-1"), "i", True, 4, place=place) for text, place in expressions]
    texts = [(kind, segments) for kind, segments in texts if kind <= max(p.place for p in patterns)]
    pieces, expected = [], []
    for kind, segments in texts:
        lines = [segment.encode("latin-1") for segment in segments]
        pieces.append((kind, b"".join(lines), [sum(map(len, lines[:n])) for n in range(len(lines))]))
    for number, pattern in enumerate(patterns):
        count, first = 0, None
        for kind, data, starts in pieces:
            if kind == pattern.place and count < 4:
                try:
                    found = pcre2.Patterns([(pattern.pattern, "i", 4 - count)]).match(data, starts)[0]
                except pcre2.PatternError:
                    return
                count += found[0][1] if found else 0
                first = first or (found[0][2:] if found else None)
        if first is not None:
            expected.append((number, count, *first))
    try:
        for few in FEW_OR_MANY:
            assert RegexSet(patterns, None, few).match_pieces(pieces) == (expected, [])
    except RulePackError:
        with pytest.raises(pcre2.PatternError):
            pcre2.Patterns([(p.pattern, "i", 1) for p in patterns])


def test_a_text_of_a_kind_that_no_expression_is_for_is_refused() -> None:
    for kind in (1, -1):
        with pytest.raises(ValueError, match="no expression"):
            RegexSet([Regex(b"abc")]).match_pieces([(kind, b"abc", None)])


def test_the_same_literal_of_two_kinds_is_found_in_both_only_where_it_is_asked_for() -> None:
    patterns = [Regex(rb"needle\d", place=0), Regex(rb"needle\w", place=70), Regex(rb"straw", place=70)]
    text = b"needle1 straw"
    for few in FEW_OR_MANY:
        both = RegexSet(patterns, None, few)
        assert both.match_pieces([(0, text, None)]) == ([(0, 1, 0, 7)], [])
        assert both.match_pieces([(70, text, [0]), (3, text, None)]) == ([(1, 1, 0, 7), (2, 1, 8, 13)], [])
        assert both.match_pieces([]) == ([], [])


def test_what_stands_in_most_lines_is_not_looked_for_in_vain() -> None:
    patterns = [Regex(rb"[a-z]{3,}\s[a-z]+"), Regex(rb"\d[^a-z]*\d\s?%[^\s\w]"), Regex(rb"^\w+\b.\s")]
    assert RegexSet(patterns, None, 0).unfiltered == (0, 2)
    assert RegexSet(patterns, None, 0).match_all(b"some words 12 3 %! ") == pcre2.Patterns(
        [(p.pattern, "", 1) for p in patterns]
    ).match(b"some words 12 3 %! ")


def test_few_expressions_have_no_sieve_but_their_literals() -> None:
    patterns = [Regex(rb"\d[^a-z]*\d\s?%%[^\s\w]%d" % n) for n in range(FEW - 1)] + [Regex(rb"needle\d+")]
    assert RegexSet(patterns).unfiltered == tuple(range(FEW - 1))
    assert RegexSet([*patterns, Regex(rb"straw")]).unfiltered == ()
    assert RegexSet(patterns).match(b"12 %!3 needle4") == [(3, 1, 0, 6), (FEW - 1, 1, 7, 14)]


def test_a_sieve_is_made_only_for_sets_that_use_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    make = regexset.sieve.compile
    monkeypatch.setattr(regexset.sieve, "compile", lambda given, *rest: asked.append(len(given)) or make(given, *rest))
    RegexSet([Regex(rb"a.{1,5}b\d%d" % n) for n in range(FEW)])
    assert not any(asked)
    RegexSet([Regex(rb"a.{1,5}b\d%d" % n) for n in range(FEW + 1)])
    assert max(asked) == FEW + 1


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "skeleton"),
    [
        (rb"\bviagra\b", "i", [b"viagra"], []),
        (rb"(?:foo|ba[rz])qux+", "", [b"barqux", b"bazqux", b"fooqux"], []),
        (rb"click\s+(?:here|below)", "i", [b"click", b"below", b"here"], []),
        (rb"\Qa.b\Ecd{2,}", "", [b"a.bcdd"], []),
        (rb"T[_\W]?R[_\W]?a[_\W]?m[_\W]?a", "", [], [b"trama"]),
        (rb"[A-Z]{5,}", "", [], []),
        (rb"(?:abcdef|)", "", [], []),
        (
            rb"(?(DEFINE)(?<t>abcd|abce)(?<u>(?&t)f))x(?&u)(?P>t)",
            "",
            [b"xabcdfabcd", b"xabcdfabce", b"xabcefabcd", b"xabcefabce"],
            [],
        ),
        (rb"abcdef(?R)", "", [], []),
    ],
)
def test_what_some_expressions_need(pattern: bytes, flags: str, text: list[bytes], skeleton: list[bytes]) -> None:
    table = LiteralTable()
    need = needed(pattern, flags, table)
    assert (sorted(table.text.literals), table.skeleton.literals) == (sorted(text), skeleton)
    assert has_literal(pattern, flags) == bool(text or skeleton)
    assert (need is True) == (pattern in (rb"(?:abcdef|)", rb"abcdef(?R)"))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_called_unclear(pattern: bytes) -> None:
    try:
        parse(pattern)
    except Unclear:
        assert needed(pattern, "", LiteralTable()) is True


def test_deep_nesting_is_given_up() -> None:
    assert needed(b"(" * 5000 + b"word" + b")" * 5000, "", LiteralTable()) is True


@pytest.mark.parametrize(
    ("pattern", "flags", "text"),
    [
        (rb"[a-f]\E{2,5}xyzq", "", b"abcxyzq"),
        (rb"(?:abcd)\Q\E{0,2}wxyz", "", b"wxyz"),
        (rb"(?:abcd)(?#note){0,2}wxyz", "", b"wxyz"),
        (b"(?:abcd) # note\n{0,2}wxyz", "x", b"wxyz"),
    ],
)
def test_what_stands_between_an_item_and_its_quantifier_is_passed_over(pattern: bytes, flags: str, text: bytes) -> None:
    assert [entry[0] for entry in RegexSet([Regex(pattern, flags)]).match(text)] == [0]
