"""A thousand formulas over the values of one message (mxward.pyx.formula)."""

from __future__ import annotations

from typing import Any

import pytest

formula = pytest.importorskip("mxward.pyx.formula", reason="this tree has no formula kernel", exc_type=ImportError)
N_PLAIN, N_FORMULAS = 1500, 1000


def program(n_formulas: int) -> Any:
    """Formulas of five operands each, every tenth using an earlier one."""
    from mxward.core.rules.spamassassin.expression import parse_expression
    from mxward.core.rules.spamassassin.formulas import Emitter

    emitter = Emitter({f"V{number}": number for number in range(N_PLAIN + n_formulas)})
    for number in range(n_formulas):
        a, b, c, d = ((number * step) % N_PLAIN for step in (7, 11, 13, 17))
        earlier = N_PLAIN + number // 2 if number % 10 == 9 else a
        text = f"(V{a} || V{b}) && !V{c} && (V{d} + V{earlier} > 0)"
        emitter.add(parse_expression(text), N_PLAIN + number)
    return emitter.program(N_PLAIN + n_formulas)


def test_evaluate_for_one_message(benchmark: Any) -> None:
    given = [(number * 29 % N_PLAIN, 1.0) for number in range(50)]
    assert 5 < len(benchmark(program(N_FORMULAS).evaluate, given)) < 200


def test_evaluate_when_nothing_is_given(benchmark: Any) -> None:
    assert benchmark(program(N_FORMULAS).evaluate, []) == []


def test_growth_evaluate(growth: Any) -> None:
    given = [(number * 29 % N_PLAIN, 1.0) for number in range(50)]
    growth(lambda k: program(300 * k), lambda made: made.evaluate(given))
