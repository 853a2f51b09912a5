"""The PCRE2 binding: segments, counts, limits."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest

from mxward.bindings import pcre2
from mxward.core.errors import RulePackError
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


def matches(pattern: bytes, data: bytes, flags: str = "", bound: int = 1, starts: list[int] | None = None) -> object:
    return pcre2.Patterns([(pattern, flags, bound)]).match(data, starts)[0]


def test_the_first_match_is_placed_and_matches_are_counted() -> None:
    assert matches(rb"b+", b"abbab") == [(0, 1, 1, 3)]
    assert matches(rb"b", b"abbab", bound=9) == [(0, 3, 1, 2)]
    assert matches(rb"b", b"abbab", bound=2) == [(0, 2, 1, 2)]
    assert matches(rb"c", b"abbab") == []


def test_an_expression_sees_one_segment_at_a_time() -> None:
    text, starts = b"onetwothree", [0, 3, 6]
    assert matches(rb"^two$", text, starts=starts) == [(0, 1, 3, 6)]
    assert matches(rb"etw", text, starts=starts) == []
    assert matches(rb"(?<=e)t", text, starts=starts) == []
    assert matches(rb"^\w", text, bound=9, starts=starts) == [(0, 3, 0, 1)]


def test_places_of_matches_count_from_the_piece() -> None:
    both = pcre2.Patterns([(rb"b", "", 9), (rb"^b", "", 9)], None, [0, 1])
    assert both.match_pieces([(0, b"xxb", None), (1, b"b", None), (0, b"bb", [0, 1])]) == (
        [(0, 3, 2, 3), (1, 1, 0, 1)],
        [],
    )
    with pytest.raises(TypeError):
        both.match_pieces([(0, "text", None)])  # type: ignore[list-item]  # what is refused
    with pytest.raises(ValueError, match="one place"):
        pcre2.Patterns([(b"a", "", 1)], None, [])


@pytest.mark.parametrize(
    ("pattern", "flags", "where", "first"),
    [
        (rb"^abc", "", "text", None),
        (rb"\Aabc|^x", "", "text", None),
        (rb"^abc", "m", "line", None),
        (rb".*abc", "", "line", None),
        (rb"abc", "i", "", b"aA"),
        (rb"[xy]z|w", "", "", b"wxy"),
        (rb"a?", "", "", None),
        (rb"(", "", "", None),
    ],
)
def test_how_a_match_begins(pattern: bytes, flags: str, where: str, first: bytes | None) -> None:
    found = pcre2.begins(pattern, flags)
    assert found[0] == where
    if not where:
        assert found[1] == (None if first is None else frozenset(first))
    with pytest.raises(ValueError, match="unknown flag"):
        pcre2.begins(b"a", "z")


def test_segments_may_be_empty_but_not_out_of_order() -> None:
    assert matches(rb"^$", b"ab", starts=[0, 0, 2]) == [(0, 1, 0, 0)]
    assert matches(rb"a", b"", starts=[]) == []
    for wrong in ([2, 1], [0, 3]):
        with pytest.raises(ValueError, match="in order"):
            matches(rb"a", b"ab", starts=wrong)


def test_flags() -> None:
    assert matches(rb"B", b"ab", "i") == [(0, 1, 1, 2)]
    assert matches(rb"^b", b"a\nb", "m") == [(0, 1, 2, 3)]
    assert matches(rb"a.b", b"a\nb", "s") == [(0, 1, 0, 3)]
    assert matches(rb"a b # c", b"ab", "x") == [(0, 1, 0, 2)]
    with pytest.raises(ValueError, match="unknown flag"):
        pcre2.Patterns([(b"a", "z", 1)])


@pytest.mark.parametrize("pattern", [rb"(", rb"[a", rb"a{9999999}", rb"(*UTF)a", rb"\C", b"a" * 20_000])
def test_a_fault_names_the_expression(pattern: bytes) -> None:
    with pytest.raises(pcre2.PatternError) as caught:
        pcre2.Patterns([(b"good", "", 1), (pattern, "", 1)])
    assert caught.value.number == 1
    with pytest.raises(RulePackError, match="at offset"):
        RegexSet([Regex(b"good"), Regex(pattern)])


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


def test_threads_share_a_set() -> None:
    shared = RegexSet([Regex(rb"needle\d+"), Regex(rb"n.e.d.l.e")], None, 0)
    wanted = [(0, 1, 1000, 1008)]
    results: list[object] = []
    work = [threading.Thread(target=lambda: results.append(shared.match(b"." * 1000 + b"needle42"))) for _ in range(20)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert results == [wanted] * 20


@pytest.mark.parametrize("few", [0, 2], ids=["with a sieve", "without"])
def test_the_cache_is_used_and_survives_damage(tmp_path: Path, few: int) -> None:
    patterns = [Regex(rb"needle \d"), Regex(rb"s[_\W]?p[_\W]?a[_\W]?m[_\W]?m", "i")]
    RegexSet(patterns, tmp_path, few)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    for damaged in (content[:-3], b"", content[:50] + bytes((content[50] ^ 1,)) + content[51:], content):
        file.write_bytes(damaged)
        again = RegexSet(patterns, tmp_path, few)
        assert [entry[0] for entry in again.match(b"a needle 1, S.P.A.M.M")] == [0, 1]
        assert file.read_bytes() == content


def test_version() -> None:
    assert pcre2.version().startswith("10.")


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
