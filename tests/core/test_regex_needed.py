"""Needs of regular expressions: whenever PCRE2 matches, what is said to be needed stands in the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxward.bindings import pcre2
from mxward.core.rules.regex import LiteralTable, Regex, RegexSet, has_literal, needed
from mxward.core.rules.regex.tree import Unclear, parse

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
    assert RegexSet(patterns).match_all(text, starts) == plain.match(text, starts)


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
