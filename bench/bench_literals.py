"""Literals by the thousand in one pass (mxward.pyx.literals)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bench import inputs

literals = pytest.importorskip("mxward.pyx.literals", reason="this tree has no literal kernel", exc_type=ImportError)


def patterns(n: int) -> list[bytes]:
    """Words of 4 to 14 letters, a few of which stand in prose."""
    dice = random.Random(n)
    made = [bytes(dice.choices(b"etaoinshrdlucmfwypvbgkqjxz", k=dice.randint(4, 14))) for _ in range(n - 20)]
    return [*made, *(word.encode() for word in inputs.WORDS[:20])]


@pytest.mark.parametrize("n", [100, 10_000])
def test_seen_in_prose(benchmark: Any, n: int) -> None:
    matcher = literals.Literals(literals.compile(patterns(n), literals.CASELESS), level=0)
    assert len(benchmark(matcher.seen, inputs.prose(4000, 5).encode())) >= 10


def test_compile(benchmark: Any) -> None:
    assert literals.Literals(benchmark(literals.compile, patterns(1000))).n == 1000


def test_growth_seen(growth: Any) -> None:
    matcher = literals.Literals(literals.compile(patterns(1000)), level=0)
    growth(lambda k: inputs.prose(4000 * k, 5).encode(), matcher.seen)


def test_growth_of_patterns_that_nest(growth: Any) -> None:
    matcher = literals.Literals(literals.compile([b"a" * n for n in range(1, 65)]), level=0)
    growth(lambda k: b"a" * (2000 * k), matcher.seen)


def test_growth_of_patterns_with_few_windows(growth: Any) -> None:
    dice = random.Random(3)
    crowd = [bytes(dice.choices(b"ab", k=dice.randint(10, 24))) for _ in range(3000)]
    matcher = literals.Literals(literals.compile(crowd), level=0)
    text = bytes(dice.choices(b"ab", k=2000))
    growth(lambda k: text * k, matcher.counts)
