"""Meta tests as one program for pyx/formula, each after those that it uses.

As SpamAssassin 4.0.1 does it: a name that no test has is 0; metas that use each other in a ring, and those that use
such a meta, are 0; a meta that uses a meta without a score is never looked at.

Source: Mail::SpamAssassin::Conf(3), "meta"; compared with 4.0.1.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from mxward.core.rules.spamassassin.expression import (
    Binary,
    Choice,
    ExpressionError,
    Name,
    Node,
    Number,
    Unary,
    names,
    parse_expression,
)
from mxward.pyx import formula

MAX_EXPANDED: Final = 2_000_000  # characters that all `rules_matching` of a rule set may grow to
MAX_STACK: Final = 64  # numbers that one expression may hold at a time; pyx/formula's own limit
_MATCHING: Final = re.compile(r"(?<!_)\brules_matching\(\s*([A-Za-z_*?][\w*?]{0,127})\s*\)", re.A)
_BINARY: Final = {
    "+": formula.ADD, "-": formula.SUBTRACT, "*": formula.MULTIPLY, "/": formula.DIVIDE, "^": formula.XOR,
    "<": formula.LESS, "<=": formula.LESS_EQUAL, ">": formula.GREATER, ">=": formula.GREATER_EQUAL,
    "==": formula.EQUAL, "!=": formula.NOT_EQUAL,
}  # fmt: skip


class Emitter:
    """Code of formulas one after the other; iterative, since an expression may be thousands of operands long."""

    def __init__(self, slots: Mapping[str, int]) -> None:
        """Args: slots: number of the value of each name; other names are 0."""
        self._slots = slots
        self._code = array("i")
        self._constants: dict[float, int] = {}

    def add(self, node: Node, slot: int) -> None:
        """Append the formula that gives `slot` its value. Raises: ExpressionError when it is nested too deeply."""
        mark = len(self._code)
        work: list[Node | tuple[int, int] | tuple[int, list[int]]] = [node]
        depth = 0
        while work:
            item = work.pop()
            if isinstance(item, tuple):
                depth += self._step(item)
            else:
                depth += self._node(item, work)
            if depth > MAX_STACK:
                del self._code[mark:]
                raise ExpressionError("is nested too deeply")
        self._put(formula.STORE, slot)

    def program(self, n_values: int) -> formula.Formulas:
        """All that was added. `n_values`: above every slot."""
        return formula.Formulas(self._code.tobytes(), list(self._constants), n_values)

    def _put(self, op: int, argument: int = 0) -> int:
        """Append one step; where its argument stands."""
        self._code.extend((op, argument))
        return len(self._code) - 1

    def _step(self, item: tuple[int, int] | tuple[int, list[int]]) -> int:
        """A step that had to wait for its operands; how many more numbers there are after it.

        (operation, 0), (jump, where its end will be noted), or (-1, the jumps that lead here).
        """
        op, places = item
        if isinstance(places, int):
            self._put(op)
            return 0 if op in (formula.NOT, formula.NEGATE) else -1
        if op < 0:
            for place in places:
                self._code[place] = len(self._code) // 2
            return 0
        places.append(self._put(op))
        # a jump leaves its operand to the other branch: on this way it is gone, but for JUMP, which comes after one
        return -1

    def _node(self, node: Node, work: list[Node | tuple[int, int] | tuple[int, list[int]]]) -> int:
        match node:
            case Number(value):
                self._put(formula.CONSTANT, self._constants.setdefault(value, len(self._constants)))
                return 1
            case Name(name):
                if name in self._slots:
                    self._put(formula.VALUE, self._slots[name])
                    return 1
                return self._node(Number(0.0), work)
            case Unary(sign, operand):
                work += ((formula.NOT if sign == "!" else formula.NEGATE, 0), operand)
            case Choice(test, then, other):
                over: list[int] = []
                end: list[int] = []
                work += ((-1, end), other, (-1, over), (formula.JUMP, end), then, (formula.BRANCH, over), test)
            case Binary("&&" | "||" as sign, left, right):
                last: list[int] = []
                work += ((-1, last), right, (formula.AND if sign == "&&" else formula.OR, last), left)
            case Binary(sign, left, right):
                work += ((_BINARY[sign], 0), right, left)
        return 0


def expand(text: str, own: str, known: Collection[str]) -> str:
    """The expression with `rules_matching(GLOB)` written out as a sum of the tests that match, `own` left out."""

    def matching(call: re.Match[str]) -> str:
        glob = re.compile(call[1].replace("?", ".").replace("*", ".*?"))
        return f"({'+'.join(sorted(name for name in known if name != own and glob.fullmatch(name))) or '0'})"

    return _MATCHING.sub(matching, text)


class Order(NamedTuple):
    """Metas in an order in which each comes after those that it uses; and those that are left out."""

    order: list[str]
    rings: list[str]  # in, or using, a ring of metas: always 0
    dead: list[str]  # using a meta without score


def arrange(metas: Mapping[str, Node], unscored: Collection[str]) -> Order:
    """Args: metas: those that run; unscored: names of the metas that do not run."""
    uses = {name: {used for used in names(node) if used in metas} for name, node in metas.items()}
    dead = _closure({n for n, node in metas.items() if any(used in unscored for used in names(node))}, uses)
    waiting = {name: set(used) - dead for name, used in uses.items() if name not in dead}
    users: dict[str, list[str]] = {}
    for name, used in waiting.items():
        for other in used:
            users.setdefault(other, []).append(name)
    ready = [name for name, used in waiting.items() if not used]
    order: list[str] = []
    while ready:
        name = ready.pop()
        order.append(name)
        for user in users.get(name, ()):
            waiting[user].discard(name)
            if not waiting[user]:
                ready.append(user)
    done = set(order)
    return Order(order, sorted(name for name in waiting if name not in done), sorted(dead))


def _closure(start: Iterable[str], uses: Mapping[str, Collection[str]]) -> set[str]:
    """`start` and every meta that uses, directly or not, one of them."""
    users: dict[str, list[str]] = {}
    for name, used in uses.items():
        for other in used:
            users.setdefault(other, []).append(name)
    found, work = set(start), list(start)
    while work:
        for user in users.get(work.pop(), ()):
            if user not in found:
                found.add(user)
                work.append(user)
    return found


def parse_metas(texts: Mapping[str, str], known: Collection[str]) -> tuple[dict[str, Node], dict[str, str]]:
    """Syntax trees of meta expressions, and what is wrong with those that have none.

    Args: texts: name -> expression; known: every name that `rules_matching` may find.
    """
    trees: dict[str, Node] = {}
    faults: dict[str, str] = {}
    left = MAX_EXPANDED
    for name, text in texts.items():
        if "rules_matching" in text:
            text = expand(text, name, known)
            left -= len(text)
            if left < 0:
                faults[name] = f"rules_matching grows beyond {MAX_EXPANDED} characters"
                continue
        try:
            trees[name] = parse_expression(text)
        except ExpressionError as error:
            faults[name] = str(error)
    return trees, faults
