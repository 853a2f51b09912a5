"""Which literals a match of a regular expression must hold: conditions over one table of literals.

From the tree of an expression come requirements, each "one of these strings stands in every match"; the rarest are
kept. Strings are in lower case and searched without regard to case, which asks for less and is never wrong. After
R. Cox, "Regular Expression Matching with a Trigram Index" (2012), with strings of any length. Where they are common, or
there are none, the expression also has to pass the sieve (places.py, pyx/sieve).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from mxward.bindings.pcre2 import begins
from mxward.core.rules.regex.places import automaton
from mxward.core.rules.regex.tree import EMPTY, Anything, Bytes, Choice, Node, Repeat, Sequence, Unclear, parse
from mxward.pyx.candidates import Need
from mxward.pyx.literals import rarity

if TYPE_CHECKING:
    from mxward.pyx.sieve import Automaton

MAX_STRINGS: Final = 32  # alternatives that are told apart
MAX_LENGTH: Final = 40  # bytes of a string: longer ones are not rarer
MAX_MEMBERS: Final = 4  # bytes of a set that are told apart
MAX_UNROLLED: Final = 8  # repeats that are written out
USEFUL: Final = 2.0**-5  # expected matches a byte of text above which a requirement sorts nothing out
KEPT: Final = 2  # requirements kept of one expression
WEAK: Final = 2.0**-9  # above this, the skeleton is asked as well
SURE: Final = 2.0**-14  # above this, the sieve is asked as well, unless
SELDOM: Final = 0.04  # of all bytes begin a match at most, which PCRE2 looks for quickly
ALNUM: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")

Strings = frozenset[bytes]


class _Facts(NamedTuple):
    """exact: all strings that match, None when there are too many; required: one of each stands in every match."""

    exact: Strings | None
    required: tuple[Strings, ...]


class _Column:
    """Literals of one form of the text, each once; `rest`: of their numbers by 3, so that columns grow side by side."""

    def __init__(self, rest: int) -> None:
        self._numbers: dict[bytes, int] = {}
        self._rest = rest

    def number(self, literal: bytes) -> int:
        return self._numbers.setdefault(literal, 3 * len(self._numbers) + self._rest)

    @property
    def literals(self) -> list[bytes]:
        return list(self._numbers)


class LiteralTable:
    """What needs refer to: 3 n for literal n of the text, 3 n + 1 for literal n of its skeleton, 3 n + 2 for
    expression n of the sieve where it may begin.

    own: of each expression, in the order they were told, its number in the sieve, which it must pass; -1: none, or
    PCRE2 is as fast; first: by kind of text, the expressions of the sieve that every text of the kind is asked for.
    Without a sieve (`has_sieve`) literals alone tell.
    """

    def __init__(self, *, has_sieve: bool = True) -> None:
        self._has_sieve = has_sieve
        self.text, self.skeleton = _Column(0), _Column(1)
        self.automata: list[Automaton] = []
        self.own: list[int] = []
        self.first: dict[int, list[int]] = {}

    def sieve(self, tree: Node, is_slow: bool) -> int:
        """Note the automaton of the next expression, and give its number; -1 when it would tell nothing."""
        places = automaton(tree) if self._has_sieve else None
        if places is not None:
            self.automata.append(places)
        number = -1 if places is None else len(self.automata) - 1
        self.own.append(number if is_slow else -1)
        return number


def needed(pattern: bytes, flags: str, table: LiteralTable, place: int = 0) -> Need:
    """What must have been found, without regard to case, for the expression to match; True: it may always.

    Args: pattern: Perl syntax; flags: letters out of "imsx"; place: the kind of text that it is for.
    Never raises: what is not understood needs nothing.
    """
    try:
        tree = parse(pattern, flags)
        chosen = _chosen(tree)
        if not chosen or _frequency(chosen[0]) > WEAK:
            inner = _chosen(_skeleton(tree))
        else:
            inner = []
    except (Unclear, RecursionError):
        table.own.append(-1)
        return True
    needs = [_any(requirement, table.text) for requirement in chosen]
    needs += [_any(requirement, table.skeleton) for requirement in inner]
    where, first = begins(pattern, flags)
    is_slow = not where and (first is None or sum(2.0 ** -rarity(bytes((byte,))) for byte in first) > SELDOM)
    if where == "text" or (needs and (not is_slow or min(map(_frequency, chosen + inner)) <= SURE)):
        table.own.append(-1)
    else:
        number = table.sieve(tree, is_slow)
        if not needs and number >= 0:
            table.first.setdefault(place, []).append(number)
            return 3 * number + 2
    return True if not needs else needs[0] if len(needs) == 1 else ("all", needs)


def has_literal(pattern: bytes, flags: str) -> bool:
    """Does some text stand in every match, so that the expression is not looked for where it is missing?"""
    table = LiteralTable()
    needed(pattern, flags, table)
    return bool(table.text.literals or table.skeleton.literals)


def _chosen(tree: Node) -> list[Strings]:
    return list(dict.fromkeys(sorted(filter(_is_useful, _all_required(_facts(tree))), key=_frequency)[:KEPT]))


def _skeleton(node: Node) -> Node:
    """The tree of what is left of a match when all but ASCII letters and digits are taken out of it.

    Words that are written with signs between their letters are found by it.
    """
    match node:
        case Bytes(members):
            kept = members & ALNUM
            if len(kept) == len(members):
                return node
            return Choice((Bytes(kept), EMPTY)) if kept else EMPTY
        case Sequence(items):
            kept_items = tuple(item for item in map(_skeleton, items) if item != EMPTY)
            return kept_items[0] if len(kept_items) == 1 else Sequence(kept_items)
        case Choice(items):
            return Choice(tuple(dict.fromkeys(map(_skeleton, items))))
        case Repeat(item, low, high):
            inner = _skeleton(item)
            return EMPTY if inner == EMPTY else Repeat(inner, low, high)
    return node


def _any(strings: Strings, table: _Column) -> Need:
    numbers = [table.number(string) for string in sorted(_shortened(set(strings)))]
    return numbers[0] if len(numbers) == 1 else ("any", numbers)


def _all_required(facts: _Facts) -> tuple[Strings, ...]:
    return facts.required if facts.exact is None else (*facts.required, facts.exact)


def _frequency(strings: Strings) -> float:
    """Expected matches a byte of text."""
    return sum(2.0 ** -rarity(string) if string else 1.0 for string in strings)


def _is_useful(strings: Strings) -> bool:
    return _frequency(strings) <= USEFUL


def _facts(node: Node) -> _Facts:
    match node:
        case Bytes(members):
            return _Facts(_of_set(members), ())
        case Sequence(items):
            return _sequence(items)
        case Choice(items):
            return _choice([_facts(item) for item in items])
        case Repeat(item, low, high):
            return _repeat(item, low, high)
        case Anything():
            return _Facts(None, ())


def _of_set(members: frozenset[int]) -> Strings | None:
    lower = {b | 32 if 65 <= b <= 90 else b for b in members}
    if len(lower) > MAX_MEMBERS or not members:
        return None
    return frozenset(bytes((b,)) for b in lower)


def _sequence(items: Iterable[Node]) -> _Facts:
    """Runs of exact items are multiplied out; where that ends, the run becomes a requirement."""
    required: list[Strings] = []
    run: Strings = frozenset((b"",))
    is_exact = True
    for item in _unrolled(items):
        facts = _facts(item)
        joined = _product(run, facts.exact) if facts.exact is not None else None
        if joined is not None:
            run = joined
            continue
        required += [run, *facts.required]
        is_exact = False
        run = facts.exact if facts.exact is not None else frozenset((b"",))
    if is_exact:
        return _Facts(run, tuple(required))
    return _Facts(None, _best([*required, run]))


def _unrolled(items: Iterable[Node]) -> Iterable[Node]:
    """With the first times of a repeat written out, so that they join what stands before."""
    for item in items:
        if isinstance(item, Repeat) and 1 <= item.low <= MAX_UNROLLED and item.high != item.low:
            yield from (item.item,) * item.low
            yield Repeat(item.item, 0, None if item.high is None else item.high - item.low)
        else:
            yield item


def _best(required: list[Strings]) -> tuple[Strings, ...]:
    """The useful ones, few of them: a part of a large expression must not carry hundreds along."""
    return tuple(sorted(filter(_is_useful, dict.fromkeys(required)), key=_frequency)[:KEPT])


def _product(left: Strings, right: Strings) -> Strings | None:
    if len(left) * len(right) > MAX_STRINGS:
        return None
    joined = frozenset(a + b for a, b in product(left, right))
    return None if max(map(len, joined)) > MAX_LENGTH else joined


def _choice(branches: list[_Facts]) -> _Facts:
    """All branches exact: their union. Else one requirement that is the union of one of each branch."""
    if all(branch.exact is not None for branch in branches):
        union = frozenset(string for branch in branches for string in branch.exact or ())
        if len(union) <= MAX_STRINGS:
            return _Facts(union, ())
    merged: set[bytes] = set()
    for branch in branches:
        options = _all_required(branch)
        if not options:
            return _Facts(None, ())
        rarest: Strings = min(options, key=_frequency)
        merged |= rarest
    strings = frozenset(_shortened(merged))
    return _Facts(None, (strings,) if _is_useful(strings) else ())


def _shortened(strings: set[bytes]) -> set[bytes]:
    """Without those that hold another one: it is found whenever they are."""
    if len(strings) > 300:
        return strings
    return {s for s in strings if not any(other != s and other in s for other in strings)}


def _repeat(item: Node, low: int, high: int | None) -> _Facts:
    if high == 0:
        return _Facts(frozenset((b"",)), ())
    facts = _facts(item)
    if low == 0:
        if high == 1 and facts.exact is not None and len(facts.exact) < MAX_STRINGS:
            return _Facts(facts.exact | {b""}, ())
        return _Facts(None, ())
    if facts.exact is None:
        return _Facts(None, facts.required)
    power: Strings | None = frozenset((b"",))
    for _ in range(min(low, MAX_UNROLLED)):
        longer = _product(power, facts.exact) if power is not None else None
        if longer is None:
            break
        power = longer
    else:
        if low == high and low <= MAX_UNROLLED:
            return _Facts(power, ())
    return _Facts(None, _best([power or facts.exact, facts.exact]))


__all__ = ["LiteralTable", "has_literal", "needed"]
