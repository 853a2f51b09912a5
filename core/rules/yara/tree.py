"""The syntax tree of YARA rules (language of YARA 4.5): rules, strings, conditions. Reading text is parser.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

MAX_DEPTH: Final = 60  # of a condition; a rule that nests deeper is not understood and runs always


class NotUnderstood(Exception):
    """The text, or a part of it, is beyond what is read here. Never an error of the rule: libyara decides that."""


@dataclass(frozen=True, slots=True)
class String:
    """A declared string: `kind` is "text", "hex" or "regex"; `body` its source between the delimiters."""

    name: str  # with its $; "$" alone when anonymous
    kind: str
    body: str
    modifiers: tuple[tuple[str, str], ...]  # (name, what stands in parentheses)
    flags: str = ""  # of a regex: i, s

    def has(self, modifier: str) -> bool:
        return any(name == modifier for name, _ in self.modifiers)


@dataclass(frozen=True, slots=True)
class Const:
    """A number, text or truth value."""

    value: int | float | str | bool


@dataclass(frozen=True, slots=True)
class Filesize:
    """The size of what is scanned."""


@dataclass(frozen=True, slots=True)
class Entrypoint:
    """The deprecated `entrypoint`."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regex in a condition."""

    body: str
    flags: str


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier with what follows it: rule, external variable, loop variable, or member of a module."""

    path: tuple[str, ...]  # names between the dots
    inside: tuple[Expr, ...] = ()  # indexes and arguments, wherever they stand
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """`$a`, `$a at x`, `$a in (x..y)`."""

    name: str
    at: Expr | None = None
    within: tuple[Expr, Expr] | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """`#a`, `#a in (x..y)`."""

    name: str
    within: tuple[Expr, Expr] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """`@a[i]` (kind "@") or `!a[i]` (kind "!")."""

    kind: str
    name: str
    index: Expr | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """`uint16be(x)` and the like."""

    function: str
    offset: Expr


@dataclass(frozen=True, slots=True)
class Unary:
    """`not`, `defined`, `-`, `~`."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary:
    """Comparison or arithmetic."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Many:
    """`and`, `or` over two or more operands."""

    op: str
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`all`, `any`, `none`, or "count" or "percent" with its expression."""

    kind: str
    value: Expr | None = None


@dataclass(frozen=True, slots=True)
class Of:
    """`2 of ($a*, $b)`, `any of them in (x..y)`, `all of (rule_*)`. `names` may end in *; ("them",) is all strings."""

    quantifier: Quantifier
    names: tuple[str, ...]
    at: Expr | None = None
    within: tuple[Expr, Expr] | None = None


@dataclass(frozen=True, slots=True)
class ForOf:
    """`for any of ($a*) : ( body )`; in the body `$`, `#`, `@` and `!` alone are the string of the turn."""

    quantifier: Quantifier
    names: tuple[str, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class ForIn:
    """`for any i in (1..#a) : ( body )`; `over` is what is walked through: a name, or the items, or both ends."""

    quantifier: Quantifier
    variables: tuple[str, ...]
    over: tuple[Expr, ...]
    body: Expr


Expr: TypeAlias = (
    Const | Filesize | Entrypoint | Pattern | Name | Found | Count | Place | Read | Unary | Binary | Many | Of | ForOf
    | ForIn
)  # fmt: skip


@dataclass(slots=True)
class Rule:
    """One rule. `condition` is None, and `reason` says why, when it is not understood."""

    name: str
    start: int  # of its text in the source, modifiers included
    end: int
    line: int
    is_private: bool = False
    is_global: bool = False
    tags: tuple[str, ...] = ()
    strings: tuple[String, ...] = ()
    condition: Expr | None = None
    reason: str = ""
    words: frozenset[str] = field(default_factory=frozenset)  # every identifier of its condition
    rule_sets: tuple[str, ...] = ()  # names of rules with a * at the end
    views: str = ""  # what its metadata call so: the product's word for where a match counts; "" anywhere


@dataclass(slots=True)
class Source:
    """One namespace's text: imports and rules in order."""

    namespace: str
    text: str
    imports: tuple[str, ...]
    rules: list[Rule]
