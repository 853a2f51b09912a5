"""Choosing among needs by what was found (mxward.pyx.candidates)."""

from __future__ import annotations

from typing import Any

import pytest

candidates = pytest.importorskip("mxward.pyx.candidates", reason="this tree has no such kernel", exc_type=ImportError)
N_LEAVES = 20_000


def needs(n: int) -> list[Any]:
    """Like rules: a few leaves of which some must be there, and a bound of size."""
    return [
        ("all", [("size", 0, 1 << 20), ("of", 2, [(n * 7 + k * k) % N_LEAVES for k in range(8)]), n % N_LEAVES])
        for n in range(n)
    ]


def test_select_of_nothing_found(benchmark: Any) -> None:
    assert benchmark(candidates.Candidates(needs(7_000)).select, [], 4_000) == []


def test_select_of_thirty_found(benchmark: Any) -> None:
    found = list(range(0, N_LEAVES, N_LEAVES // 30))
    assert benchmark(candidates.Candidates(needs(7_000)).select, found, 4_000) == []


def test_select_of_many_found(benchmark: Any) -> None:
    assert len(benchmark(candidates.Candidates(needs(7_000)).select, list(range(7_000)), 4_000)) > 3_000
