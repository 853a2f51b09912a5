"""Formula programs: whatever the code is, it is refused or runs within its values; expressions equal the slow way."""

from __future__ import annotations

from mxward.core.rules.spamassassin.expression import ExpressionError, evaluate, parse_expression
from mxward.core.rules.spamassassin.formulas import Emitter
from mxward.pyx.formula import Formulas

SEEDS = [
    b"A + B > 1 && !C",
    b"(A || B) ? C * 2 : -D / 0",
    b"A < B <= C != 1 ^ 3",
    b"\0\1\0\0\0\0\0\0\0\x13\0\0\0\1\0\0\0",
]
WORDS = [b"&&", b"||", b"!", b"(", b")", b"A", b"B", b"? ", b":", b" 1", b"\x0f\0\0\0", b"\x13\0\0\0", b"\1\0\0\0"]
SLOTS = {"A": 0, "B": 1, "C": 2, "D": 3}
GIVEN = {"A": 1.0, "C": 3.0}


def run(data: bytes) -> None:
    if data[:1] == b"\0":
        _run_code(data[1:])
        return
    try:
        node = parse_expression(data.decode("latin-1"))
        emitter = Emitter(SLOTS)
        emitter.add(node, 4)
    except ExpressionError:
        return
    found = dict(emitter.program(5).evaluate([(SLOTS[name], value) for name, value in GIVEN.items()])).get(4, 0.0)
    value = evaluate(node, GIVEN)
    expected = 0.0 if value == 0 else value if value > 0 else 1.0
    assert found == expected or (found != found and expected != expected)


def _run_code(code: bytes) -> None:
    try:
        program = Formulas(code[: len(code) // 8 * 8], (1.0, 2.5), 4)
    except ValueError:
        return
    assert all(0 <= number < 4 and value != 0 for number, value in program.evaluate([(0, 1.0), (3, 2.0)]))
