"""pyx/candidates against plain evaluation of each need."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx import candidates
from mxward.pyx.candidates import Candidates, Need

SIZES = st.tuples(st.just("size"), st.integers(-2, 12), st.integers(-2, 12))
NEEDS: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(0, 9) | SIZES,
    lambda inner: (
        st.tuples(st.sampled_from(("all", "any")), st.lists(inner, max_size=4))
        | st.tuples(st.just("of"), st.integers(-1, 5), st.lists(inner, max_size=5))
    ),
    max_leaves=12,
)


def holds(need: Any, found: set[int], size: int) -> bool:
    """The meaning of a need, word for word."""
    if isinstance(need, bool):
        return need
    if isinstance(need, int):
        return need in found
    if need[0] == "size":
        return bool(need[1] <= size <= need[2])
    parts = [holds(part, found, size) for part in need[-1]]
    return sum(parts) >= {"all": len(parts), "any": 1, "of": need[1]}[need[0]]


@given(st.lists(NEEDS, max_size=8), st.sets(st.integers(0, 12)), st.integers(0, 12))
def test_selects_what_plain_evaluation_selects(needs: list[Need], found: set[int], size: int) -> None:
    chosen = Candidates(needs)
    expected = [number for number, need in enumerate(needs) if holds(need, found, size)]
    assert chosen.select(found, size) == expected
    assert chosen.select([*found, *found], size) == expected, "a second time, and each leaf twice"
    assert set(chosen.always) <= {n for n, need in enumerate(needs) if holds(need, set(), size)}


@given(st.lists(NEEDS, max_size=8), st.sets(st.integers(0, 12)), st.integers(0, 12))
def test_the_compiled_form_is_the_same_set(needs: list[Need], found: set[int], size: int) -> None:
    blob = candidates.compile(needs)
    assert blob == candidates.compile(needs)
    assert Candidates(blob).select(found, size) == Candidates(needs).select(found, size)
    shifted = memoryview(b"x" + blob)[1:]
    assert Candidates(shifted).select(found, size) == Candidates(needs).select(found, size)


@given(st.lists(NEEDS, max_size=4), st.data())
def test_a_damaged_form_is_refused(needs: list[Need], data: st.DataObject) -> None:
    blob = bytearray(candidates.compile(needs))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="damaged"):
        Candidates(blob)
    with pytest.raises(ValueError, match="damaged"):
        Candidates(bytes(blob[:at]))


def test_constants_are_folded() -> None:
    chosen = Candidates([True, ("all", []), ("any", []), ("of", 0, [1]), ("any", [2, True]), ("size", 0, 1 << 70)])
    assert chosen.always == [0, 1, 3, 4, 5]
    assert chosen.n == 6


def test_depth_is_no_danger() -> None:
    need: Any = 0
    for level in range(200_000):
        need = (("all", [need, 1]), ("any", [need, 2]), ("of", 2, [need, 3, 4]))[level % 3]
    chosen = Candidates([need])
    assert chosen.select([]) == []
    assert chosen.select([0, 1, 3]) == [0]


def test_what_is_no_need_is_refused() -> None:
    wrong: list[Any] = [-1, "all", ("all",), ("of", "x", []), ("size", 1), None, 1.5, (), ("none", []), 1 << 30]
    for need in wrong:
        with pytest.raises(ValueError):
            Candidates([need])
    with pytest.raises(ValueError, match="from 0"):
        Candidates([0]).select([-1])


def test_cost_does_not_follow_the_number_of_needs() -> None:
    chosen = Candidates([("all", [n, n + 1]) for n in range(100_000)])
    assert chosen.select([5, 6, 99_999, 100_000, 1 << 40]) == [5, 99_999]


def test_threads_share_a_set() -> None:
    needs: list[Need] = [("of", 2, [n % 50, n % 31, n % 17]) for n in range(2_000)]
    chosen = Candidates(needs)

    def work(seed: int) -> bool:
        found = set(random.Random(seed).sample(range(50), 10))
        expected = [n for n, need in enumerate(needs) if holds(need, found, 0)]
        return all(chosen.select(found) == expected for _ in range(20))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(24)))
