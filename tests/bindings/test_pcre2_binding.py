"""The PCRE2 binding: segments, counts, limits."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mxward.bindings import pcre2
from mxward.core.errors import RulePackError
from mxward.core.rules.regex import Regex, RegexSet


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
