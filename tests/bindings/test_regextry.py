"""Limits of one match, the time of a call, and long texts, which are gone through a few places at a time."""

from __future__ import annotations

import re
import time

import pytest

from mxward.bindings import pcre2
from mxward.core.rules.regex import Regex, RegexSet

# expressions that take exponential or cubic time in a backtracking matcher, and what they are slow on
SLOW = [
    (rb"(a+)+$", b"a" * 5000 + b"!"),
    (rb"(a|aa)+$", b"a" * 5000 + b"!"),
    (rb"(?:a|a)*b", b"a" * 5000),
    (rb"(.*a){20}x", b"a" * 5000),
    (rb"^(?:(?:[a-z]+)*)+\d", b"abcdefgh" * 600),
    (rb"(\w+\s*)+:", b"word " * 1000),
    (rb"(x+x+)+y", b"x" * 5000),
    (rb"(a*)*\1b", b"a" * 5000),
]


@pytest.mark.parametrize(("pattern", "text"), SLOW, ids=[p.decode() for p, _ in SLOW])
def test_no_expression_stalls(pattern: bytes, text: bytes) -> None:
    start = time.thread_time()
    found, exhausted = RegexSet([Regex(pattern)]).match_all(text)
    assert time.thread_time() - start < 1.0
    assert not found
    assert exhausted in ([], [0])


def test_some_of_them_do_give_up_and_the_others_are_still_tried() -> None:
    given = [Regex(pattern) for pattern, _ in SLOW] + [Regex(rb"word")]
    found, exhausted = RegexSet(given).match_all(b"a" * 5000 + b"! word")
    assert exhausted
    assert [entry[0] for entry in found if entry[0] == len(SLOW)] == [len(SLOW)]


def test_a_call_is_over_when_its_time_is() -> None:
    slow = pcre2.Patterns([(b"(?:a|a|b%d)*[cd]" % n, "", 1) for n in range(400)])
    start = time.monotonic()
    found, exhausted = slow.match(b"a" * 3000, None, 20_000)
    assert time.monotonic() - start < 2.0
    assert found == []
    assert len(exhausted) > 300


def test_what_matched_before_the_limit_counts() -> None:
    found, exhausted = pcre2.Patterns([(rb"^b|(a+)+$", "", 9)]).match(b"b" + b"a" * 5000 + b"!")
    assert (found, exhausted) == ([(0, 1, 0, 1)], [])


def test_one_match_in_a_long_text_does_not_outlast_the_budget() -> None:
    """From each place such an expression goes through the text once, which no limit of PCRE2 counts."""
    text = b"a" * 1_000_000 + b" z"
    begin = time.thread_time()
    assert pcre2.Patterns([(rb"(\w+)\s+\1z", "", 1)]).match(text, None, 300_000) == ([], [0])
    assert time.thread_time() - begin < 5


@pytest.mark.parametrize(
    "pattern", [rb"x+", rb"(?<=b)x", rb"\bx\w", rb"^x", rb"x$", rb".*x", rb"b?x|a{3}x", rb"(\w)x\1"]
)
@pytest.mark.parametrize("flags", ["", "s", "m"])
def test_long_texts_give_what_one_search_gives(pattern: bytes, flags: str) -> None:
    text = b"".join(b"ab" * (7_000 + n) + b"x" * (n % 5) + b"ax\n" * (n % 3) + b"b" for n in range(30))
    options = sum({"s": re.DOTALL, "m": re.MULTILINE}[flag] for flag in flags)
    expected = [found.span() for found in re.finditer(pattern, text, options)]
    [(_, count, start, end)] = pcre2.Patterns([(pattern, flags, 1000)]).match(text)[0] or [(0, 0, 0, 0)]
    assert (count, (start, end)) == (len(expected), expected[0] if expected else (0, 0))
