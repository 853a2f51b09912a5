"""Arithmetic of meta rules and `if` lines: text to syntax tree, and the tree's value computed the slow, obvious way.

Precedence as in Perl: `!` and sign, `* /`, `+ -`, `< <= > >=`, `== !=`, `^`, `&&`, `||`, `? :`. Comparisons chain as
in Perl 5.32 and later. `&&`, `||` give their deciding operand, comparisons and `!` give 1 or 0. Division by zero
gives 0 here, where Perl would end the scan. The fast way to a value is formulas.py with pyx/formula.

Source: perlop(1); Mail::SpamAssassin::Conf(3), "meta".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

MAX_TOKENS: Final = 20_000  # of one expression; `rules_matching` can make long sums
MAX_NESTING: Final = 60  # parentheses and signs within each other, and the depth of the evaluation stack
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<name>[A-Za-z_]\w{0,127}(?!\w))"
    r"|(?P<sign>\|\||&&|[<>=!]=|[()<>!^+\-*/?:]))"
)
_BINARY: Final = (
    ("||",), ("&&",), ("^",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/"),
)  # fmt: skip
_CHAINED: Final = frozenset(("==", "!=", "<", "<=", ">", ">="))
_MASK: Final = (1 << 64) - 1


class ExpressionError(ValueError):
    """The text is no expression; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str  # "!" or "-"
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Choice:
    """`test ? then : other`."""

    test: Node
    then: Node
    other: Node


Node: TypeAlias = Number | Name | Unary | Binary | Choice


def parse_expression(text: str) -> Node:
    """The syntax tree of an expression. Raises: ExpressionError, also when it is too long or too deep."""
    return _Parser(_tokens(text)).parse()


def names(node: Node) -> Iterator[str]:
    """Every name in the tree, in order, repeated as often as it stands there."""
    stack: list[Node] = [node]
    while stack:
        match stack.pop():
            case Name(name):
                yield name
            case Unary(_, operand):
                stack.append(operand)
            case Binary(_, left, right):
                stack += (right, left)
            case Choice(test, then, other):
                stack += (other, then, test)


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            raise ExpressionError(f"{text[at : at + 20].strip()!r} is neither name, number nor operator")
        if len(found) >= MAX_TOKENS:
            raise ExpressionError(f"longer than {MAX_TOKENS} names and operators")
        found.append(token[token.lastgroup or 0])
        at = token.end()
    return found


class _Parser:
    """Recursive descent; `_depth` bounds the recursion."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    def parse(self) -> Node:
        if not self._tokens:
            raise ExpressionError("is empty")
        node = self._choice()
        if self._at < len(self._tokens):
            raise ExpressionError(f"did not expect {self._tokens[self._at]!r}")
        return node

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, sign: str) -> bool:
        if self._peek() != sign:
            return False
        self._at += 1
        return True

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise ExpressionError(f"more than {MAX_NESTING} levels within each other")

    def _choice(self) -> Node:
        self._enter()
        test = self._binary(0)
        if self._take("?"):
            then = self._choice()
            if not self._take(":"):
                raise ExpressionError("'?' without ':'")
            test = Choice(test, then, self._choice())
        self._depth -= 1
        return test

    def _binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self._unary()
        node = left = self._binary(level + 1)
        chained = False
        while (sign := self._peek()) in _BINARY[level]:
            self._at += 1
            right = self._binary(level + 1)
            if sign in _CHAINED:  # a < b < c is a < b && b < c
                step = Binary(sign, left, right)
                node, left, chained = (Binary("&&", node, step) if chained else step), right, True
            else:
                node = Binary(sign, node, right)
        return node

    def _unary(self) -> Node:
        for sign in ("!", "-", "+"):
            if self._take(sign):
                self._enter()
                operand = self._unary()
                self._depth -= 1
                return operand if sign == "+" else Unary(sign, operand)
        return self._operand()

    def _operand(self) -> Node:
        if self._take("("):
            node = self._choice()
            if not self._take(")"):
                raise ExpressionError("')' is missing")
            return node
        token = self._peek()
        self._at += 1
        if token[:1].isdigit():
            return Number(float(token))
        if token[:1].isalpha() or token[:1] == "_":
            return Name(token)
        raise ExpressionError(f"did not expect {token!r}" if token else "ends too early")


def evaluate(node: Node, values: Mapping[str, float]) -> float:
    """The value of a tree; names that are not in `values` are 0. The slow way: for conditions and checks.

    Operands to the left, of which there may be thousands, are gone through in a loop; the recursion for the others
    is bounded by MAX_NESTING.
    """
    spine: list[Binary] = []
    while isinstance(node, Binary):
        spine.append(node)
        node = node.left
    value = _leaf(node, values)
    for step in reversed(spine):
        if step.sign in ("&&", "||"):
            if bool(value) == (step.sign == "&&"):
                value = evaluate(step.right, values)
        else:
            value = _apply(step.sign, value, evaluate(step.right, values))
    return value


def _leaf(node: Node, values: Mapping[str, float]) -> float:
    match node:
        case Number(value):
            return value
        case Name(name):
            return values.get(name, 0.0)
        case Unary("!", operand):
            return float(not evaluate(operand, values))
        case Unary(_, operand):
            return -evaluate(operand, values)
        case Choice(test, then, other):
            return evaluate(then if evaluate(test, values) else other, values)
    raise AssertionError(node)


def _apply(sign: str, a: float, b: float) -> float:
    match sign:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return a / b if b else 0.0
        case "^":
            return float(_integer(a) ^ _integer(b))
        case "<":
            return float(a < b)
        case "<=":
            return float(a <= b)
        case ">":
            return float(a > b)
        case ">=":
            return float(a >= b)
        case "==":
            return float(a == b)
        case _:
            return float(a != b)


def _integer(value: float) -> int:
    """As Perl's `^` takes a number: 64 bits without sign, out of range at its end."""
    if value != value:
        return 0
    if value >= float(_MASK):
        return _MASK
    return max(int(value), -(1 << 63)) & _MASK if value > -9.3e18 else 1 << 63
