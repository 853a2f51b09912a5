"""What the condition of a rule needs: a monotone need that holds in every text in which the condition is true.

Three questions are asked of an expression: `true` (what must be the case for it to be true), `false` (to be false or
undefined) and `defined`. Undefined values of YARA follow libyara's virtual machine: a comparison with one is never
true, `and` and `or` take it for false, `not` leaves it undefined, a loop without turns is false. Where nothing is
known the answer is True. Sources: YARA documentation 4.5, "Writing YARA rules"; behaviour of libyara 4.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from mxward.core.rules.yara.facts import ELF, EXTERNAL_OPS, MZ, External, Leaves
from mxward.core.rules.yara.lexer import unescape
from mxward.core.rules.yara.pattern import Literals, requirement
from mxward.core.rules.yara.regex import parse_regex
from mxward.core.rules.yara.text import Required, absent_texts, masks_of_text, required
from mxward.core.rules.yara.tree import (
    Binary,
    Const,
    Count,
    Entrypoint,
    Expr,
    Filesize,
    ForIn,
    ForOf,
    Found,
    Many,
    Name,
    NotUnderstood,
    Of,
    Pattern,
    Place,
    Quantifier,
    Read,
    Rule,
    String,
    Unary,
)  # fmt: skip
from mxward.core.rules.yara.values import (
    COMPARISONS,
    CONTRARY,
    MIRROR,
    bounds,
    compare,
    fixed_value,
    is_boolean,
    is_defined,
    is_read_of_bytes,
    place_of,
    program,
    strings_in,
    value_without_matches,
)  # fmt: skip
from mxward.pyx.candidates import NO_LIMIT, Need

# members that are defined in any file, though 0; all others are undefined in a file that is not of the module's kind
_ALWAYS: Final = {"pe": ("is_pe", "rich_signature"), "elf": (), "dotnet": ("is_dotnet",)}
_SOMETIMES: Final[Mapping[str, tuple[str, ...]]] = {"pe": (), "elf": (), "dotnet": ()}  # none of these is ever true
_HEADER: Final = {"pe": MZ, "elf": ELF, "dotnet": MZ}

MAX_CONFIRMED: Final = 3  # strings of a rule whose short literals are confirmed by a pattern; each is searched


def need_of(
    rule: Rule, imports: Iterable[str], externals: frozenset[str], leaves: Leaves, rules: Mapping[str, Need]
) -> Need:
    """What the rule needs to be true.

    Args: imports: modules of its source; externals: names of variables; rules: needs of the rules before it in its
    namespace, in order.
    Returns: True when nothing can be said, also of a rule that is not understood.
    """
    if rule.condition is None:
        return True
    try:
        return _Deriver(rule, frozenset(imports), externals, leaves, rules).true(rule.condition)
    except (NotUnderstood, RecursionError):
        return True


class _Deriver:
    def __init__(
        self, rule: Rule, imports: frozenset[str], externals: frozenset[str], leaves: Leaves,
        rules: Mapping[str, Need],
    ) -> None:  # fmt: skip
        self.leaves, self.imports, self.externals, self.rules = leaves, imports, externals, rules
        self.strings = {string.name: string for string in rule.strings if string.name != "$"}
        self.all = rule.strings
        self.known: dict[int, Need] = {}
        self.absent: frozenset[String] = frozenset()  # strings that must not match, where we are
        self.turn: list[String] = []  # strings that $ stands for, innermost loop last
        self.variables: set[str] = set()  # of loops around

    # -- strings
    def string(self, string: String) -> Need:
        """What a match of the string needs."""
        if self.absent:
            return False if string in self.absent else self._sets(required(string), absent_texts(self.absent))
        need = self.known.get(id(string))
        if need is None:
            need = self.known[id(string)] = self._sets(required(string))
        return need

    def _sets(self, found: Required, absent: Sequence[bytes] = ()) -> Need:
        wanted = found.masks and (not found.sets or len(self.all) <= MAX_CONFIRMED)
        masks: list[Need] = [("any", [self.leaves.masked(mask) for mask in found.masks])] if wanted else []
        return ("all", masks + [self._any_literal(literals, found, absent) for literals in found.sets])

    def _any_literal(self, literals: Literals, found: Required, absent: Sequence[bytes]) -> Need:
        """One of them occurs; not one that holds what must not occur."""
        possible = sorted(text for text in literals if found.is_caseless or not any(one in text for one in absent))
        return ("any", [self.leaves.literal(text, is_caseless=found.is_caseless) for text in possible])

    def named(self, name: str) -> Need:
        """What `$name` needs; `$` is the string of the loop's turn."""
        return self.string(self._string(name))

    def _string(self, name: str) -> String:
        if name == "$":
            if not self.turn:
                raise NotUnderstood("a $ outside of a loop")
            return self.turn[-1]
        if name not in self.strings:
            raise NotUnderstood("an unknown string")
        return self.strings[name]

    def chosen(self, names: tuple[str, ...]) -> list[String]:
        """The strings of a set: each once, as libyara counts them."""
        if names == ("them",):
            return list(self.all)
        found: list[String] = []
        for name in names:
            matching = [s for s in self.all if s.name == name or (name.endswith("*") and s.name.startswith(name[:-1]))]
            if not matching:
                raise NotUnderstood("an unknown string")
            found += matching
        return found

    # -- true
    def true(self, expr: Expr) -> Need:
        """What must be the case for the expression to be true."""
        match expr:
            case Const(value):
                return bool(value)
            case Found():
                return self._found(expr)
            case Count(name, within):
                return ("all", [self.named(name), *(self.defined(end) for end in within or ())])
            case Many("and", operands):
                return self._all_true(operands)
            case Many("or", operands):
                return ("any", [self.true(operand) for operand in operands])
            case Unary("not", operand):
                return ("all", [self.defined(operand), self.false(operand)])
            case Unary("defined", operand):
                return self.defined(operand)
            case Binary(op) if op in COMPARISONS:
                return self._compared(expr)
            case Of():
                return self._of(expr)
            case ForOf():
                return self._for_of(expr)
            case ForIn():
                return self._for_in(expr)
            case Name(path) if len(path) == 1 and path[0] not in self.variables and path[0] in self.rules:
                return self.rules[path[0]]
            case Name():
                return self._member(expr, _SOMETIMES)
            case _:
                return self.defined(expr)

    def _all_true(self, operands: Sequence[Expr]) -> Need:
        """A string that one operand forbids is not what another one finds."""
        outside = self.absent
        self.absent = outside.union(*(self._forbidden(operand) for operand in operands))
        needs: list[Need] = [self.true(operand) for operand in operands]
        self.absent = outside
        return ("all", needs)

    def _forbidden(self, expr: Expr) -> list[String]:
        """Strings that match nowhere when the expression is true; of many forms of saying so, the usual ones."""
        match expr:
            case Unary("not", Found(name, None, None)) if name != "$":
                return [self._string(name)]
            case Unary("not", Of(Quantifier("any" | "count" as kind, value), names, None, None)) if (
                kind == "any" or value == Const(1)
            ) and (names[0] == "them" or names[0].startswith("$")):
                return self.chosen(names)
            case Many("and", operands):
                return [string for operand in operands for string in self._forbidden(operand)]
            case _:
                return []

    def _found(self, expr: Found) -> Need:
        string = self._string(expr.name)
        if string in self.absent:
            return False
        parts: list[Need] = [self.defined(end) for end in (expr.at, *(expr.within or ())) if end is not None]
        ends = expr.within or ((expr.at, expr.at) if expr.at is not None else None)
        window = self._window(string, ends) if ends is not None else True
        if window is True or required(string).sets:
            parts.append(self.string(string))
        return ("all", [*parts, window])

    def _window(self, string: String, ends: tuple[Expr, Expr]) -> Need:
        """A text between fixed places; True when nothing is known."""
        low, high, forms = place_of(ends[0]), place_of(ends[1]), masks_of_text(string)
        if low is None or high is None or not forms:
            return True
        if low == high and not low[1] and len(forms) == 1 and set(forms[0].mask) == {0xFF}:
            return self.leaves.bytes_at(low[0], forms[0].text)
        return ("any", [self.leaves.window(form, low, high) for form in forms])

    def _of(self, expr: Of) -> Need:
        places = [end for end in (expr.at, *(expr.within or ())) if end is not None]
        if expr.names[0] == "them" or expr.names[0].startswith("$"):
            needs = [
                self._found(Found(s.name, expr.at, expr.within)) if places and s.name != "$" else self.string(s)
                for s in self.chosen(expr.names)
            ]
        else:
            needs = self._rules(expr.names)
        return ("all", [self._quantified(expr.quantifier, needs), *(self.defined(place) for place in places)])

    def _rules(self, names: tuple[str, ...]) -> list[Need]:
        found: list[Need] = []
        for name in names:
            if name.endswith("*"):
                found += [need for rule, need in self.rules.items() if fnmatchcase(rule, name)]
            elif name in self.rules:
                found.append(self.rules[name])
            else:
                raise NotUnderstood("an unknown rule")
        return found

    def _quantified(self, quantifier: Quantifier, needs: list[Need]) -> Need:
        if quantifier.kind in ("all", "any"):
            return (quantifier.kind, needs)
        value = quantifier.value
        if quantifier.kind == "none" or not isinstance(value, Const) or type(value.value) is not int:
            return True
        if quantifier.kind == "percent":
            least = next((k for k in range(len(needs) + 1) if needs and k / len(needs) * 100 >= value.value), 0)
            return ("of", least, needs)
        return ("of", value.value, needs) if value.value > 0 else True

    def _for_of(self, expr: ForOf) -> Need:
        needs: list[Need] = []
        for string in self.chosen(expr.names):
            self.turn.append(string)
            needs.append(self.true(expr.body))
            self.turn.pop()
        if not is_boolean(expr.body):  # libyara adds the values up: one count may stand for several turns
            wanted = self._quantified(expr.quantifier, needs)
            return wanted if wanted is True else ("any", needs)
        return self._quantified(expr.quantifier, needs)

    def _for_in(self, expr: ForIn) -> Need:
        """A loop is true only when its body was true in some turn, unless none or nothing fixed is asked for."""
        value = expr.quantifier.value
        wants_some = expr.quantifier.kind in ("all", "any") or (
            isinstance(value, Const) and type(value.value) is int and value.value > 0
        )
        if not wants_some:
            return True
        hidden = self.variables
        over = ("all", [self.defined(item) for item in expr.over]) if self._is_range(expr) else True
        self.variables = hidden | set(expr.variables)
        body = self.true(expr.body)
        self.variables = hidden
        return ("all", [over, body])

    def _is_range(self, expr: ForIn) -> bool:
        """Something to walk through must be there: a module's array is not, in a file of another kind."""
        return len(expr.over) == 1 and isinstance(expr.over[0], Name)

    # -- comparisons
    def _compared(self, expr: Binary) -> Need:
        parts = [self.defined(expr.left), self.defined(expr.right)]
        for left, op, right in ((expr.left, expr.op, expr.right), (expr.right, MIRROR.get(expr.op, ""), expr.left)):
            value = fixed_value(right)
            if value is None or not op:
                continue
            if isinstance(left, Filesize):
                parts.append(bounds(op, value))
            elif isinstance(left, Read) and op == "==":
                parts.append(self._read(left, value))
            elif isinstance(left, Name) and left.path[-1] in ("is_pe", "is_dotnet") and op == "==" and value:
                parts.append(self.true(left))
        parts += [self._external(expr), self._computed(expr)]
        if not self._holds_without(expr):
            parts.append(("any", [self.named(name) for name in sorted(set(strings_in(expr)))]))
        return ("all", parts)

    def _read(self, read: Read, value: int) -> Need:
        """`uint16(0) == 0x5A4D`: bytes at a place; when the place is not fixed, four bytes somewhere."""
        width = int("".join(c for c in read.function if c.isdigit())) // 8
        if not read.function.startswith("u") and value < 0:
            value += 1 << (8 * width)
        if not 0 <= value < 1 << (8 * width):
            return False
        text = value.to_bytes(width, "big" if read.function.endswith("be") else "little")
        at = fixed_value(read.offset)
        if at is not None:
            return self.leaves.bytes_at(at, text) if at >= 0 else False
        return self.leaves.literal(text, is_caseless=False) if width == 4 and len(set(text)) > 2 else True

    def _external(self, expr: Binary) -> Need:
        """A comparison of an external variable with a constant."""
        left, op, right = expr.left, expr.op, expr.right
        if isinstance(left, Const) and op in ("==", "!="):
            left, right = right, left
        if not isinstance(left, Name) or len(left.path) != 1 or left.inside or left.is_call:
            return True
        name = left.path[0]
        if name not in self.externals or name in self.variables:
            return True
        if isinstance(right, Pattern) and op == "matches":
            is_caseless = "i" in right.flags
            sets = requirement(parse_regex(right.body, is_caseless=is_caseless))
            texts = tuple(tuple(sorted(text.decode("latin-1") for text in options)) for options in sets)
            if not sets or not all(text.isascii() for options in texts for text in options):
                return True
            return self.leaves.external(External(name, "holds", texts, is_caseless))
        if isinstance(right, Const) and op in EXTERNAL_OPS and type(right.value) in (int, str):
            value = unescape(right.value).decode("latin-1") if isinstance(right.value, str) else right.value
            if not isinstance(value, str) or value.isascii():
                return self.leaves.external(External(name, op, value))
        return True

    def _computed(self, expr: Binary) -> Need:
        """A comparison of numbers that are read from the text, other than those that have a fact of their own."""
        if expr.op not in MIRROR or is_read_of_bytes(expr):
            return True
        steps: list[tuple[str, int]] = []
        if not (program(expr.left, steps) and program(expr.right, steps) and any(name == "read" for name, _ in steps)):
            return True
        return self.leaves.computed([*steps, (expr.op, 0)])

    def _holds_without(self, expr: Binary) -> bool:
        """May the comparison be true when none of its strings matches? It is computed with counts of 0."""
        if not list(strings_in(expr)):
            return True
        left, right = value_without_matches(expr.left), value_without_matches(expr.right)
        if left is None or right is None or expr.op not in MIRROR:
            return True
        return compare(left, expr.op, right)

    # -- false, defined
    def false(self, expr: Expr) -> Need:
        """What must be the case for the expression to be false or undefined; mostly nothing is known."""
        match expr:
            case Binary(op, Filesize(), right) if op in CONTRARY and (value := fixed_value(right)) is not None:
                return bounds(CONTRARY[op], value)
            case Binary(op, left, Filesize()) if op in CONTRARY and (value := fixed_value(left)) is not None:
                return bounds(CONTRARY[MIRROR[op]], value)
            case Many("or", operands):
                return ("all", [self.false(operand) for operand in operands])
            case Many("and", operands):
                return ("any", [self.false(operand) for operand in operands])
            case Unary("not", operand) if is_defined(operand):
                return self.true(operand)
            case Const(bool() as value):
                return not value
            case _:
                return True

    def defined(self, expr: Expr) -> Need:
        """What must be the case for the value of the expression to be defined."""
        match expr:
            case Place(_, name, index):
                return ("all", [self.named(name), *([self.defined(index)] if index is not None else [])])
            case Binary(_, left, right):
                return ("all", [self.defined(left), self.defined(right)])
            case Unary(op, operand) if op != "defined":
                return self.defined(operand)
            case Read(function, offset):
                width = int("".join(c for c in function if c.isdigit())) // 8
                at = fixed_value(offset)
                return ("size", at + width, NO_LIMIT) if at is not None and at >= 0 else self.defined(offset)
            case Found(_, at, within):
                return ("all", [self.defined(end) for end in (at, *(within or ())) if end is not None])
            case Entrypoint():
                return ("any", [self.leaves.bytes_at(*MZ), self.leaves.bytes_at(*ELF)])
            case Name():
                return self._member(expr, _ALWAYS)
            case _:
                return True

    def _member(self, name: Name, exceptions: Mapping[str, tuple[str, ...]]) -> Need:
        """A member of pe, elf or dotnet is undefined in a file without that header, but for these and constants."""
        module = name.path[0]
        if module not in self.imports or module in self.variables or module not in _HEADER or len(name.path) < 2:
            return True
        if name.path[1].isupper() or name.path[1] in exceptions[module]:
            return True
        return self.leaves.bytes_at(*_HEADER[module])
