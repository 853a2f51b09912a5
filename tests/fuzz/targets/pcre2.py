"""Any bytes as expressions, flags and texts for PCRE2: an error or an answer within bounds, filtered or not."""

from __future__ import annotations

from mxward.bindings import pcre2
from mxward.core.errors import RulePackError
from mxward.core.rules.regex import Regex, RegexSet

SEEDS = [
    b"i\n(a+)+$\n\0aaaaaaaaaaaaaaaaaaaaaaaa!",
    b"\n(.*a){20}\n\0" + b"a" * 60,
    b"s\n^(?:(\\w+)\\1)+$\n\0abab",
    b"m\n(?<=a)b|\\Gx\n\0ab\nxb",
    b"x\n(?i)\\Qa.b\\E # c\n\0A.B",
]
WORDS = [
    b"\n",
    b"\0",
    b"(",
    b")",
    b"*",
    b"+",
    b"{9}",
    b"\\1",
    b"(?R)",
    b"(?<n>",
    b"(?&n)",
    b"(?|",
    b"\\K",
    b"(*ACCEPT)",
]
BUDGET_US = 200_000


def run(data: bytes) -> None:
    listed, _, text = data.partition(b"\0")
    flags, _, patterns = listed.partition(b"\n")
    kept = "".join(letter for letter in "imsx" if letter.encode() in flags)
    given = [(pattern[:400], kept, 3) for pattern in patterns.split(b"\n")[:6]]
    try:
        plain = pcre2.Patterns(given)
    except pcre2.PatternError as error:
        assert 0 <= error.number < len(given)
        return
    starts = [0, len(text) // 3, len(text) // 2]
    matches, exhausted = plain.match(text, starts, BUDGET_US)
    for number, count, start, end in matches:
        assert 0 <= number < len(given)
        assert 1 <= count <= 3
        assert 0 <= start <= len(text)
        assert end <= len(text)
    few = 0 if len(data) % 2 else len(given)  # with a sieve or without
    try:
        filtered = RegexSet([Regex(pattern, flags_, True, bound) for pattern, flags_, bound in given], None, few)
    except RulePackError:
        raise AssertionError("it compiled before") from None
    again, gave_up = filtered.match_all(text, starts)
    if not exhausted and not gave_up:
        assert again == matches
    kinds = [number % 3 for number in range(len(given))]
    pieces = [(number % (max(kinds) + 1), text[start:], None) for number, start in enumerate(starts)]
    placed = [Regex(p, f, True, bound, place=kind) for (p, f, bound), kind in zip(given, kinds, strict=True)]
    apart = RegexSet(placed, None, few)
    first, gave_up = apart.match_pieces(pieces)
    second, exhausted = pcre2.Patterns(given, None, kinds).match_pieces(pieces, BUDGET_US)
    if not exhausted and not gave_up:
        assert first == second
