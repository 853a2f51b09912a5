"""Numbers the leaves that needs speak of: facts that cost little to check, values of externals, literals.

Leaves below EXTERNALS_FROM are facts of the text (pyx/facts), those below LITERALS_FROM conditions on external
variables, the rest literals (pyx/literals).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mxward.core.rules.yara.pattern import Masked, Near
from mxward.pyx.candidates import Need
from mxward.pyx.facts import Bound, Fact

EXTERNALS_FROM: Final = 4096
LITERALS_FROM: Final = 8192
MAX_OFFSET: Final = 1 << 30
MAX_COMPUTED: Final = 256  # each is computed for every text
SEARCHED: Final = ("mask", "near", "window")  # facts that are searched when a rule depends on them
MZ: Final = (0, b"MZ")
ELF: Final = (0, b"\x7fELF")


class Literal(NamedTuple):
    """A text to be searched for; letters of a caseless one are in lower case."""

    text: bytes
    is_caseless: bool


class External(NamedTuple):
    """A comparison of an external variable: its value holds one text of each set, when `op` is "holds"."""

    name: str
    op: str
    value: Any  # int or str; for "holds" a tuple of tuples of str, which is caseless when the flag is set
    is_caseless: bool = False

    def may_hold(self, actual: str | int | bool) -> bool:
        """False only when the comparison is not true. Texts are compared as UTF-8, as libyara does."""
        if self.op == "holds":
            if not isinstance(actual, str):
                return True
            text = actual.lower() if self.is_caseless else actual
            return all(any(one in text for one in options) for options in self.value)
        if isinstance(actual, str) != isinstance(self.value, str):
            return True
        return bool(_COMPARE[self.op](actual, self.value))


_COMPARE: Final[dict[str, Any]] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
    "contains": lambda a, b: b in a, "icontains": lambda a, b: b.lower() in a.lower(),
    "startswith": lambda a, b: a.startswith(b), "istartswith": lambda a, b: a.lower().startswith(b.lower()),
    "endswith": lambda a, b: a.endswith(b), "iendswith": lambda a, b: a.lower().endswith(b.lower()),
    "iequals": lambda a, b: a.lower() == b.lower(),
}  # fmt: skip
EXTERNAL_OPS: Final = frozenset(_COMPARE)


class Leaves:
    """Gives each leaf its number; the same one always the same."""

    def __init__(self) -> None:
        self.facts: dict[Fact, int] = {}
        self.externals: dict[External, int] = {}
        self.literals: dict[Literal, int] = {}
        self._n_computed = 0

    def literal(self, text: bytes, *, is_caseless: bool) -> Need:
        """The text occurs. Letters of a caseless one are given in lower case."""
        return LITERALS_FROM + self.literals.setdefault(Literal(text, is_caseless), len(self.literals))

    def bytes_at(self, offset: int, text: bytes) -> Need:
        """These bytes stand at that place."""
        if not 0 <= offset <= MAX_OFFSET:
            return offset < 0 or ("size", offset, 1 << 64)
        return self._fact(("at", offset, text))

    def masked(self, pattern: Masked | Near) -> Need:
        """The pattern occurs, where only the bits of its mask count."""
        if isinstance(pattern, Near):
            return self._fact(("near", *pattern.first, *pattern.second, pattern.low, pattern.high))
        return self._fact(("mask", *pattern))

    def window(self, pattern: Masked, low: Bound, high: Bound) -> Need:
        """The pattern begins in a window."""
        return self._fact(("window", *pattern, low, high))

    def computed(self, steps: Sequence[tuple[str, int]]) -> Need:
        """The value of a program is defined and not 0."""
        fact = ("compute", tuple(steps))
        if fact not in self.facts and self._n_computed >= MAX_COMPUTED:
            return True
        self._n_computed += fact not in self.facts
        return self._fact(fact)

    def _fact(self, fact: Fact) -> Need:
        if fact not in self.facts and len(self.facts) >= EXTERNALS_FROM:
            return True  # so many that one more is not worth a number
        return self.facts.setdefault(fact, len(self.facts))

    def external(self, condition: External) -> Need:
        """A condition on an external variable may hold."""
        if condition not in self.externals and len(self.externals) >= LITERALS_FROM - EXTERNALS_FROM:
            return True
        return EXTERNALS_FROM + self.externals.setdefault(condition, len(self.externals))

    def compact(self, needs: Iterable[Need]) -> list[Need]:
        """The needs over the leaves that they use, numbered anew; all others are forgotten."""
        facts, externals, literals = list(self.facts), list(self.externals), list(self.literals)
        self.facts, self.externals, self.literals, self._n_computed = {}, {}, {}, 0
        return [self._renumbered(need, facts, externals, literals) for need in needs]

    def _renumbered(
        self, need: Need, facts: Sequence[Fact], externals: Sequence[External], literals: Sequence[Literal]
    ) -> Need:
        if isinstance(need, bool):
            return need
        if isinstance(need, int):
            if need < EXTERNALS_FROM:
                return self._fact(facts[need])
            if need < LITERALS_FROM:
                return self.external(externals[need - EXTERNALS_FROM])
            literal = literals[need - LITERALS_FROM]
            return self.literal(literal.text, is_caseless=literal.is_caseless)
        if need[0] == "size":
            return need
        *head, parts = need
        return (*head, [self._renumbered(part, facts, externals, literals) for part in parts])  # type: ignore[union-attr]  # the last of all, any and of is a list


def holding(conditions: Iterable[External], externals: Mapping[str, str | int | bool]) -> list[int]:
    """Leaves of the conditions that may hold."""
    return [
        EXTERNALS_FROM + number
        for number, condition in enumerate(conditions)
        if condition.name not in externals or condition.may_hold(externals[condition.name])
    ]
