"""Values of expressions in conditions, as far as the text alone decides: constants, counts of nothing, programs.

What a condition needs as a whole is need.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mxward.core.rules.yara.tree import (
    Binary,
    Const,
    Count,
    Expr,
    Filesize,
    ForIn,
    ForOf,
    Found,
    Many,
    Of,
    Place,
    Read,
    Unary,
)  # fmt: skip
from mxward.pyx.candidates import NO_LIMIT, Need
from mxward.pyx.facts import BIG, SIGNED

MIRROR: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
CONTRARY: Final = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}
COMPARISONS: Final = frozenset(
    (*MIRROR, "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iequals", "matches")
)
ARITHMETIC: Final = frozenset(("+", "-", "*", "\\", "%", "&", "|", "^", "<<", ">>"))
MAX_STEPS: Final = 64  # of a computed comparison


def fixed_value(expr: Expr) -> int | None:
    """The value of an expression of integers alone."""
    match expr:
        case Const(value) if type(value) is int:
            return value
        case Unary("-", operand):
            inner = fixed_value(operand)
            return None if inner is None else -inner
        case Binary("+" | "-" | "*" as op, left, right):
            a, b = fixed_value(left), fixed_value(right)
            if a is None or b is None:
                return None
            total = a + b if op == "+" else a - b if op == "-" else a * b
            return total if abs(total) < 1 << 62 else None
        case _:
            return None


def is_read_of_bytes(expr: Binary) -> bool:
    """`uint16(0) == 0x5A4D` and the like, either way round."""
    return expr.op == "==" and any(
        isinstance(left, Read) and fixed_value(left.offset) is not None and fixed_value(right) is not None
        for left, right in ((expr.left, expr.right), (expr.right, expr.left))
    )


def program(expr: Expr, steps: list[tuple[str, int]]) -> bool:
    """Append the steps that compute it; False when it is not made of integers alone."""
    match expr:
        case Const(value) if type(value) is int:
            steps.append(("const", value))
        case Filesize():
            steps.append(("size", 0))
        case Read(function, offset):
            if not program(offset, steps):
                return False
            width = int("".join(c for c in function if c.isdigit())) // 8
            signed = 0 if function.startswith("u") else SIGNED
            steps.append(("read", width | signed | (BIG if function.endswith("be") else 0)))
        case Unary("-" | "~" as op, operand):
            if not program(operand, steps):
                return False
            steps.append(("neg" if op == "-" else "invert", 0))
        case Binary(op, left, right) if op in ARITHMETIC:
            if not (program(left, steps) and program(right, steps)):
                return False
            steps.append((op, 0))
        case _:
            return False
    return len(steps) < MAX_STEPS


def value_without_matches(expr: Expr) -> int | None:
    """The value when no string matches: counts are 0. None: unknown or undefined."""
    match expr:
        case Count(_, None):
            return 0
        case Binary("+" | "-" | "*" as op, left, right):
            a, b = value_without_matches(left), value_without_matches(right)
            if a is None or b is None:
                return None
            value = a + b if op == "+" else a - b if op == "-" else a * b
            return value if abs(value) < 1 << 62 else None
        case _:
            return fixed_value(expr)


def compare(left: int, op: str, right: int) -> bool:
    return {
        "<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right, "==": left == right,
        "!=": left != right,
    }[op]  # fmt: skip


def bounds(op: str, value: int) -> Need:
    """The sizes for which `filesize op value` holds."""
    low, high = {
        "<": (0, value - 1), "<=": (0, value), ">": (value + 1, NO_LIMIT), ">=": (value, NO_LIMIT),
        "==": (value, value), "!=": (0, NO_LIMIT),
    }[op]  # fmt: skip
    return False if high < 0 else ("size", low, high)


def strings_in(expr: Expr) -> Iterable[str]:
    """Strings whose counts or places stand in an arithmetic expression."""
    match expr:
        case Count(name) | Place(_, name):
            yield name
        case Binary(_, left, right):
            yield from strings_in(left)
            yield from strings_in(right)
        case Unary(_, operand):
            yield from strings_in(operand)


def is_boolean(expr: Expr) -> bool:
    """Is its value 0, 1 or undefined, never another number?"""
    match expr:
        case Found() | Of() | ForOf() | ForIn() | Many() | Unary("not" | "defined") | Const(bool()):
            return True
        case Binary(op):
            return op in COMPARISONS
        case _:
            return False


def is_defined(expr: Expr) -> bool:
    """Is the expression never undefined?"""
    match expr:
        case Found(_, None, None) | Count(_, None) | Many() | Of(_, _, None, None) | ForOf() | ForIn() | Filesize():
            return True
        case Const() | Unary("defined"):
            return True
        case _:
            return False


def place_of(expr: Expr) -> tuple[int, bool] | None:
    """A place that is a number, or that is one from the end of the text (then True). None: anything else."""
    if isinstance(expr, Filesize):
        return 0, True
    if isinstance(expr, Binary) and isinstance(expr.left, Filesize) and expr.op in ("+", "-"):
        value = fixed_value(expr.right)
        return None if value is None or abs(value) >= 1 << 60 else (value if expr.op == "+" else -value, True)
    value = fixed_value(expr)
    return None if value is None or abs(value) >= 1 << 60 else (value, False)
