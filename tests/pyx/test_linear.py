"""pyx/linear: the same weights to the bit as a slow reading of the algorithm, and weights that are the optimum."""

from __future__ import annotations

import array
import math
import random

import pytest

from mxward.pyx import linear
from mxward.pyx.tokens import LINES, N_SEGMENTS, WORDS, Features

BITS = 10


def examples(n: int, seed: int = 1) -> tuple[list[Features], list[list[float]], list[int]]:
    """Messages of two classes that share most words."""
    dice = random.Random(seed)
    rows, values, signs = [], [], []
    for k in range(n):
        sign = 1 if k % 2 else -1
        own = [f"{'junk' if sign > 0 else 'good'}{dice.randrange(6)}" for _ in range(2)]
        common = [f"common{dice.randrange(30)}" for _ in range(6)]
        text = " ".join(own + common).encode()
        rows.append(Features([(0, LINES, f"fact{dice.randrange(3)}".encode()), (3, WORDS, text)], BITS))
        values.append([1.0 / math.sqrt(count + 2.0) for count in rows[-1].counts])
        signs.append(sign)
    return rows, values, signs


def slow_fit(
    rows: list[Features], values: list[list[float]], signs: list[int], costs: list[float], allowed: bytes, epochs: int
) -> tuple[list[float], float]:
    """The algorithm as published, a step at a time, in the order that the kernel documents."""
    weight, bias, dual, state = [0.0] * (1 << BITS), 0.0, [0.0] * len(rows), 1
    order = list(range(len(rows)))

    def below(n: int) -> int:
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return ((z ^ (z >> 31)) >> 32) * n >> 32

    norms = []
    for row, value in zip(rows, values, strict=True):
        norm = 1.0
        for s, part in enumerate(row.indices):
            for i in part:
                norm += value[s] * value[s] * allowed[i]
        norms.append(norm)
    for _ in range(epochs):
        for k in range(len(rows)):
            other = k + below(len(rows) - k)
            order[k], order[other] = order[other], order[k]
            n = order[k]
            total = 0.0
            for s, part in enumerate(rows[n].indices):
                segment = 0.0
                for i in part:
                    segment += weight[i]
                total += segment * values[n][s]
            slope = signs[n] * (total + bias) - 1 + dual[n] / (2 * costs[n])
            if dual[n] == 0 and slope >= 0:
                continue
            fresh = max(0.0, dual[n] - slope / (norms[n] + 1 / (2 * costs[n])))
            by = (fresh - dual[n]) * signs[n]
            dual[n] = fresh
            for s, part in enumerate(rows[n].indices):
                for i in part:
                    weight[i] += by * values[n][s] * allowed[i]
            bias += by
    return weight, bias


@pytest.mark.parametrize("epochs", [1, 7])
def test_weights_are_those_of_the_slow_reading_to_the_bit(epochs: int) -> None:
    rows, values, signs = examples(40)
    costs = [1.0 + (k % 3) for k in range(40)]
    allowed = linear.spread(rows, BITS, 2)
    weights, bias = linear.fit(rows, values, signs, costs, allowed, epochs, 0.0)
    slow, slow_bias = slow_fit(rows, values, signs, costs, bytes(allowed), epochs)
    assert list(memoryview(weights).cast("d")) == slow
    assert bias == slow_bias


def test_the_same_examples_give_the_same_bytes_and_are_parted() -> None:
    rows, values, signs = examples(400)
    costs, allowed = [1.0] * 400, linear.spread(rows, BITS, 1)
    first = linear.fit(rows, values, signs, costs, allowed, 100, 0.001)
    assert linear.fit(rows, values, signs, costs, allowed, 100, 0.001) == first
    table = bytearray((2 << BITS) + 2)
    step = max(map(abs, memoryview(first[0]).cast("d"))) / 127
    linear.quantise(first[0], BITS, step, table, 0)
    new, new_values, new_signs = examples(100, seed=2)
    right = 0
    for row, value, sign in zip(new, new_values, new_signs, strict=True):
        margin = sum(v * both[0] for v, both in zip(value, row.dot(table), strict=True)) * step + first[1]
        right += margin * sign > 0
    assert right >= 98


def test_a_cost_of_nothing_leaves_an_example_out() -> None:
    rows, values, signs = examples(60)
    allowed = linear.spread(rows, BITS, 1)
    wrong = [-sign for sign in signs[:20]] + signs[20:]
    costs = [0.0] * 20 + [1.0] * 40
    assert (
        linear.fit(rows, values, wrong, costs, allowed, 50, 0.0)[1]
        == linear.fit(rows, values, signs, costs, allowed, 50, 0.0)[1]
    )


def test_features_that_may_not_weigh_do_not() -> None:
    rows, values, signs = examples(60)
    weights, _ = linear.fit(rows, values, signs, [1.0] * 60, bytes(1 << BITS))
    assert not any(memoryview(weights).cast("d"))


def test_spread_counts_messages() -> None:
    rows, _, _ = examples(30)
    counts = [0] * (1 << BITS)
    for row in rows:
        for part in row.indices:
            for i in part:
                counts[i] += 1
    for least in (1, 5):
        assert linear.spread(rows, BITS, least) == bytearray(n >= least for n in counts)


def test_rounding_is_half_away_from_zero_and_cut() -> None:
    weights = array.array("d", [0.0, 0.5, -0.5, 1.49, -1.51, 500.0, -500.0, math.nan] + [0.0] * 1016)
    table = bytearray(2 << BITS)
    linear.quantise(weights.tobytes(), BITS, 1.0, table, 1)
    assert list(memoryview(table).cast("b")[1:16:2]) == [0, 1, -1, 1, -2, 127, -127, 0]
    assert not any(table[0::2])
    sums = array.array("i", [31, 32, -31, -32, -33, 10**6, -(10**6), -(2**31)] + [0] * 1016)
    linear.narrow(sums.tobytes(), BITS, 32, table, 0)
    assert list(memoryview(table).cast("b")[0:16:2]) == [0, 1, 0, -1, -1, 127, -127, -127]


def test_what_does_not_fit_together_is_refused() -> None:
    rows, values, signs = examples(4)
    mask = bytes(1 << BITS)
    for bad in (([], [], [], []), (rows, values[:3], signs, [1.0] * 4), (rows, values, signs, [])):
        with pytest.raises(ValueError, match="one value row"):
            linear.fit(*bad, mask)  # type: ignore[arg-type]  # lists of another length
    with pytest.raises(ValueError, match="the mask has"):
        linear.fit(rows, values, signs, [1.0] * 4, bytes(3))
    other = Features([(0, LINES, b"x")], 12)
    with pytest.raises(ValueError, match="same size"):
        linear.fit([*rows, other], [*values, [0.0] * N_SEGMENTS], [*signs, 1], [1.0] * 5, mask)
    with pytest.raises(ValueError, match="same size"):
        linear.spread([other], BITS, 1)
    with pytest.raises(ValueError, match="another size"):
        linear.quantise(bytes(8 << BITS), BITS, 1.0, bytearray(3), 0)
    with pytest.raises(ValueError, match="step"):
        linear.quantise(bytes(8 << BITS), BITS, 0.0, bytearray(2 << BITS), 0)
    with pytest.raises(ValueError, match="another size"):
        linear.narrow(bytes(4 << BITS), BITS, 0, bytearray(2 << BITS), 0)
    for bits in (0, 61, 63, 64, 2**32 - 1):  # sizes that wrap around to 0 fit the empty tables
        for refused in (
            lambda bits=bits: linear.quantise(b"", bits, 1.0, bytearray(), 0),
            lambda bits=bits: linear.narrow(b"", bits, 1, bytearray(), 0),
            lambda bits=bits: linear.spread([], bits, 1),
        ):
            with pytest.raises(ValueError, match="bits are"):
                refused()
