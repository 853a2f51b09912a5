"""Sets of regular expressions (mxward.core.rules.regex) and the sieve before them (mxward.pyx.sieve)."""

from __future__ import annotations

from typing import Any

import pytest

from bench import inputs

regex = pytest.importorskip("mxward.core.rules.regex", reason="this tree has no regex engine", exc_type=ImportError)


def expressions(n: int) -> list[Any]:
    """Like rules: phrases with choices, numbers, spelled-out letters; one in eight has no fixed word."""
    words = inputs.WORDS
    found = []
    for k in range(n):
        a, b = words[k % len(words)], words[(k * 7 + 3) % len(words)]
        if k % 8 == 0:
            found.append(regex.Regex(rf"\b\d{{{k % 5 + 2}}}[-. ]?[a-z]{{{k % 3 + 4},}}\d".encode(), "i"))
        else:
            found.append(regex.Regex(rf"\b(?:{a}|{b})s?\s+(?:no{k}|{b}{k})\b".encode(), "i"))
    return found


def test_match_of_six_hundred(benchmark: Any) -> None:
    text = inputs.prose(4000, 5).encode()
    whole = regex.RegexSet(expressions(600))
    starts = list(range(0, len(text), 130))
    assert benchmark(whole.match, text, starts) == whole.match(text, starts)


def test_growth_match(growth: Any) -> None:
    whole = regex.RegexSet(expressions(100))
    growth(lambda k: inputs.prose(4000 * k, 5).encode(), whole.match)
