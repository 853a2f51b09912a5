"""pyx/formula against the tree evaluated the slow way, and against code that must be refused."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.rules.spamassassin.expression import (
    Binary,
    Choice,
    ExpressionError,
    Name,
    Node,
    Number,
    Unary,
    evaluate,
    parse_expression,
)
from mxward.core.rules.spamassassin.formulas import Emitter
from mxward.pyx import formula

NAMES = ("A", "__B", "C1", "D", "UNKNOWN")
SLOTS = {name: number for number, name in enumerate(NAMES[:4])}
SIGNS = ("+", "-", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", "&&", "||")
LEAVES = st.one_of(st.sampled_from(NAMES).map(Name), st.sampled_from((0.0, 1.0, 2.0, 0.5, 7.0)).map(Number))
TREES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Binary, st.sampled_from(SIGNS), inner, inner),
        st.builds(Unary, st.sampled_from(("!", "-")), inner),
        st.builds(Choice, inner, inner, inner),
    ),
    max_leaves=25,
)
VALUES = st.dictionaries(st.sampled_from(NAMES[:4]), st.sampled_from((1.0, 2.0, 3.0, 10.0)))


def text_of(node: Node) -> str:
    """The tree written with all its parentheses."""
    match node:
        case Number(value):
            return f"{value:g}"
        case Name(name):
            return name
        case Unary(sign, operand):
            return f"{sign}({text_of(operand)})"
        case Choice(test, then, other):
            return f"({text_of(test)} ? {text_of(then)} : {text_of(other)})"
        case Binary(sign, left, right):
            return f"({text_of(left)}) {sign} ({text_of(right)})"
    raise AssertionError


def run(node: Node, values: dict[str, float]) -> float:
    emitter = Emitter(SLOTS)
    emitter.add(node, 4)
    fired = emitter.program(5).evaluate([(SLOTS[name], value) for name, value in values.items()])
    return dict(fired).get(4, 0.0)


def stored(value: float) -> float:
    """What a formula keeps of its result."""
    if value == 0:
        return 0.0
    return value if value > 0 else 1.0


@given(TREES, VALUES)
def test_equals_the_slow_way(node: Node, values: dict[str, float]) -> None:
    try:
        found = run(node, values)
    except ExpressionError:
        return  # deeper than the kernel's stack: refused, see below
    expected = stored(evaluate(node, values))
    assert found == expected or (math.isnan(expected) and math.isnan(found))


@given(TREES, VALUES)
def test_written_and_read_again_it_is_the_same(node: Node, values: dict[str, float]) -> None:
    try:
        again = parse_expression(text_of(node))
    except ExpressionError as error:
        assert "levels" in str(error)
        return
    found, expected = evaluate(again, values), evaluate(node, values)
    assert found == expected or (math.isnan(expected) and math.isnan(found))


def test_formulas_use_earlier_results() -> None:
    emitter = Emitter({"A": 0, "B": 1, "C": 2, "D": 3})
    emitter.add(parse_expression("A + A"), 1)
    emitter.add(parse_expression("0 - B"), 2)
    emitter.add(parse_expression("C == 1 && B == 6"), 3)
    assert emitter.program(4).evaluate([(0, 3.0)]) == [(1, 6.0), (2, 1.0), (3, 1.0)]
    assert emitter.program(4).evaluate([]) == []


def test_a_sum_of_thousands_is_no_recursion() -> None:
    node = parse_expression("+".join(["A"] * 9000))
    assert run(node, {"A": 1.0}) == 9000
    assert evaluate(node, {"A": 1.0}) == 9000


def test_what_is_nested_too_deeply_is_refused_and_leaves_nothing() -> None:
    deep: Node = Name("A")
    for _ in range(70):
        deep = Binary("+", Name("A"), deep)
    emitter = Emitter(SLOTS)
    with pytest.raises(ExpressionError, match="nested"):
        emitter.add(deep, 4)
    emitter.add(Name("A"), 4)
    assert emitter.program(5).evaluate([(0, 1.0)]) == [(4, 1.0)]


@pytest.mark.parametrize(
    "steps",
    [
        [(formula.ADD, 0), (formula.STORE, 0)],
        [(formula.VALUE, 5), (formula.STORE, 0)],
        [(formula.VALUE, -1), (formula.STORE, 0)],
        [(formula.CONSTANT, 1), (formula.STORE, 0)],
        [(formula.VALUE, 0), (formula.STORE, 9)],
        [(formula.VALUE, 0), (formula.VALUE, 0), (formula.STORE, 0)],
        [(formula.VALUE, 0)],
        [(formula.VALUE, 0), (formula.JUMP, 0), (formula.STORE, 0)],
        [(formula.JUMP, 0), (formula.STORE, 0)],
        [(formula.VALUE, 0), (formula.AND, 99), (formula.VALUE, 0), (formula.STORE, 0)],
        [(formula.VALUE, 0), (formula.JUMP, 4), (formula.STORE, 0), (formula.VALUE, 0), (formula.STORE, 0)],
        [(formula.VALUE, 0), (formula.AND, 3), (formula.STORE, 0), (formula.VALUE, 0), (formula.STORE, 0)],
        [(formula.VALUE, 0), (formula.BRANCH, 2), (formula.STORE, 0)],
        [(formula.VALUE, 0), (99, 0), (formula.STORE, 0)],
        [(formula.VALUE, 0), (-1, 0), (formula.STORE, 0)],
        [*[(formula.VALUE, 0)] * 65, *[(formula.ADD, 0)] * 64, (formula.STORE, 0)],
    ],
)
def test_unsafe_code_is_refused(steps: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match=r"step|end"):
        formula.Formulas(array("i", [n for step in steps for n in step]).tobytes(), [1.0], 2)


@given(st.lists(st.tuples(st.integers(-1, 21), st.integers(-1, 12)), max_size=14))
def test_any_code_is_refused_or_runs(steps: list[tuple[int, int]]) -> None:
    try:
        program = formula.Formulas(array("i", [n for step in steps for n in step]).tobytes(), [1.0, 2.0], 4)
    except ValueError:
        return
    assert all(0 <= number < 4 and value != 0 for number, value in program.evaluate([(0, 1.0), (3, 2.0)]))


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="cut"):
        formula.Formulas(b"1234", [], 0)
    with pytest.raises(ValueError, match="too many"):
        formula.Formulas(b"", [], 1_000_001)
    program = formula.Formulas(b"", [], 2)
    with pytest.raises(ValueError, match="there is not"):
        program.evaluate([(2, 1.0)])
    assert program.evaluate([(1, 1.0)]) == []
