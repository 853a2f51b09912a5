"""Whole words and phrases of the starter lists (mxward.pyx.phrase)."""

from __future__ import annotations

from typing import Any

import pytest

from bench import inputs

phrase = pytest.importorskip("mxward.pyx.phrase", reason="this tree has no phrase kernel", exc_type=ImportError)
PHRASES = [f"{a} {b}" for a in inputs.WORDS[:20] for b in inputs.WORDS[20:]] + ["xxx", "the"]


def test_find_in_prose(benchmark: Any) -> None:
    text = inputs.prose(4000, 5).lower().replace("\r\n", " ")
    found = benchmark(phrase.PhraseMatcher(PHRASES).find, text, 1)
    assert all(text[start:end] == PHRASES[number] for start, end, number in found)
    assert len(found) > 50


def test_find_in_a_run_of_a_listed_letter(benchmark: Any) -> None:
    assert benchmark(phrase.PhraseMatcher(PHRASES).find, "x" * 20_000) == []


def test_growth_find(growth: Any) -> None:
    matcher = phrase.PhraseMatcher(PHRASES)
    growth(lambda k: inputs.prose(4000 * k, 5).lower(), matcher.find)
