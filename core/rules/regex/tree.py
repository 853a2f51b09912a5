"""Perl regular expressions as trees, as far as it takes to tell which literals a match must hold.

A tree says at least what the expression says: where this parser is unsure, the tree matches more. Whatever it does not
know raises Unclear, and the expression is then tried on every text. Matching itself is PCRE2's (bindings/pcre2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

MAX_DEPTH: Final = 60  # groups in groups; PCRE2 takes 250
MAX_REPEAT: Final = 65_535  # PCRE2's bound of {n,m}
MAX_NODES: Final = 300_000  # with calls of groups written out


class Unclear(Exception):
    """The expression holds something that the tree cannot say."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """One byte out of a set."""

    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; empty: matches the empty string (an assertion does, for all the tree knows)."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`low` to `high` times; high None: without end."""

    item: Node
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Anything:
    """Bytes that the tree does not know, perhaps none (a back reference)."""


Node: TypeAlias = Bytes | Sequence | Choice | Repeat | Anything
EMPTY: Final = Sequence(())
ALL: Final = frozenset(range(256))
_DIGIT: Final = frozenset(b"0123456789")
_WORD: Final = _DIGIT | frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_SPACE: Final = frozenset(b" \t\n\v\f\r")
_HORIZONTAL: Final = frozenset(b" \t\xa0")
_VERTICAL: Final = frozenset(b"\n\v\f\r\x85")
_SETS: Final[dict[str, frozenset[int]]] = {
    "d": _DIGIT, "D": ALL - _DIGIT, "w": _WORD, "W": ALL - _WORD, "s": _SPACE, "S": ALL - _SPACE,
    "h": _HORIZONTAL, "H": ALL - _HORIZONTAL, "v": _VERTICAL, "V": ALL - _VERTICAL, "N": ALL - {10},
}  # fmt: skip
_NAMED: Final[dict[str, frozenset[int]]] = {
    "alpha": _WORD - _DIGIT - {95}, "digit": _DIGIT, "alnum": _WORD - {95}, "word": _WORD, "space": _SPACE,
    "upper": _WORD - _DIGIT - {95}, "lower": _WORD - _DIGIT - {95}, "xdigit": frozenset(b"0123456789abcdefABCDEF"),
    "punct": frozenset(range(33, 127)) - _WORD | {95}, "blank": frozenset(b" \t"),
    "cntrl": frozenset((*range(32), 127)), "print": frozenset(range(32, 127)),
    "graph": frozenset(range(33, 127)), "ascii": frozenset(range(128)),
}  # fmt: skip
_CONTROLS: Final = {"n": 10, "r": 13, "t": 9, "f": 12, "e": 27, "a": 7}
_ASSERTIONS: Final = frozenset("bBAZzGK")
_FLAGS: Final = frozenset("imsxnJUa-^")


def parse(pattern: bytes, flags: str = "") -> Node:
    """The tree of an expression. Takes any bytes; cost is linear.

    Args: flags: "i" and "x" matter to it. Raises: Unclear.
    """
    return _Parser(pattern.decode("latin-1"), "i" in flags, "x" in flags).whole()


def fold(members: frozenset[int]) -> frozenset[int]:
    """With both cases of every ASCII letter."""
    return members | {b ^ 32 for b in members if 65 <= b & ~32 <= 90}


class _Parser:
    """Recursive descent, `depth` bounded. Flags hold to the end of their group, as in Perl."""

    def __init__(self, text: str, caseless: bool, extended: bool) -> None:
        self.text, self.at, self.depth = text, 0, 0
        self.caseless, self.extended = caseless, extended
        self.n_nodes = 0
        self.named: dict[str, tuple[Node, int] | None] = {}  # groups and their nodes; None: there are two of the name

    def whole(self) -> Node:
        node = self.choice()
        if self.at < len(self.text):
            raise Unclear("a parenthesis too many")
        return node

    def peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def take(self, size: int = 1) -> str:
        taken = self.peek(size)
        if len(taken) < size:
            raise Unclear("it ends too early")
        self.at += size
        return taken

    def until(self, end: str) -> str:
        """The text up to `end`, both taken."""
        place = self.text.find(end, self.at)
        if place < 0:
            raise Unclear(f"{end} is missing")
        found, self.at = self.text[self.at : place], place + len(end)
        return found

    def choice(self) -> Node:
        saved = self.caseless, self.extended
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unclear("groups are nested too deeply")
        items = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            items.append(self.sequence())
        self.depth -= 1
        self.caseless, self.extended = saved
        return items[0] if len(items) == 1 else Choice(tuple(items))

    def sequence(self) -> Node:
        items: list[Node] = []
        while self.at < len(self.text) and self.peek() not in "|)":
            item = self.item()
            self.grow(1)
            if item is not None:
                items.append(self.repeated(item))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def grow(self, n_nodes: int) -> None:
        self.n_nodes += n_nodes
        if self.n_nodes > MAX_NODES:
            raise Unclear("it is too large")

    def item(self) -> Node | None:
        """One atom; None for what is no atom: comments, flags, space under x, the ends of a quotation."""
        char = self.take()
        if self.extended and char in " \t\n\v\f\r":
            return None
        if self.extended and char == "#":
            self.at = (self.text.find("\n", self.at) + 1) or len(self.text)
            return None
        if char == "(":
            return self.group()
        if char == "[":
            return self.members()
        if char == "\\":
            return self.escape()
        if char == ".":
            return Bytes(ALL)
        if char in "^$":
            return EMPTY
        if char in "*+?" or (char == "{" and self.is_quantifier()):
            raise Unclear("a quantifier follows nothing, or what PCRE2 passes over")
        return self.one(ord(char))

    def one(self, value: int) -> Node:
        members = frozenset((value,))
        return Bytes(fold(members) if self.caseless else members)

    def repeated(self, item: Node) -> Node:
        """The item with the quantifiers that follow; possessive and lazy ones match no more than greedy ones."""
        while bounds := self.quantifier():
            item = Repeat(item, *bounds)
            if self.peek() in ("?", "+"):
                self.at += 1
        return item

    def quantifier(self) -> tuple[int, int | None] | None:
        if self.extended:
            while self.peek() and self.peek() in " \t\n\v\f\r":
                self.at += 1
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        char = self.peek()
        if char in simple:
            self.at += 1
            return simple[char]
        if char != "{" or (end := self.text.find("}", self.at)) < 0:
            return None
        inside = self.text[self.at + 1 : end]
        low, comma, high = inside.partition(",")
        if not low.isdecimal() or not (high == "" or high.isdecimal()) or not low.isascii() or not high.isascii():
            if inside and not inside.strip("0123456789, \t"):
                raise Unclear("a quantifier for some versions of PCRE2")
            return None  # then a brace is a brace
        if max(len(low), len(high)) > 5 or int(low) > MAX_REPEAT:
            raise Unclear("a repeat is too large")
        self.at = end + 1
        return int(low), int(high) if high else None if comma else int(low)

    def is_quantifier(self) -> bool:
        """Does one begin with the brace just taken?"""
        before = self.at
        self.at -= 1
        found = self.quantifier() is not None
        self.at = before
        return found

    def group(self) -> Node | None:
        if self.peek() == "*":
            raise Unclear("a verb")
        if self.peek() != "?":
            return self.close(self.choice())
        self.at += 1
        if self.peek(2) in ("<=", "<!"):
            self.at += 2
            return self.assertion()
        char = self.take()
        if char in "=!":
            return self.assertion()
        if char == "#":
            self.until(")")
            return None
        if char in ":>|":
            return self.close(self.choice())
        if char in "<'" or (char == "P" and self.peek() == "<"):
            self.at += char == "P"
            return self.name(self.until(">" if char != "'" else "'"))
        if char == "&" or (char == "P" and self.peek() == ">"):
            self.at += char == "P"
            return self.call(self.until(")"))
        if char == "(" and self.text.startswith("DEFINE)", self.at):
            self.at += len("DEFINE)")
            self.close(self.choice())
            return EMPTY
        if char in _FLAGS:
            return self.flags(char)
        raise Unclear("a condition, recursion or call-out")

    def name(self, name: str) -> Node:
        """A group with a name."""
        before = self.n_nodes
        node = self.close(self.choice())
        self.named[name] = None if name in self.named else (node, self.n_nodes - before)
        return node

    def call(self, name: str) -> Node:
        """A group that stands elsewhere, with the flags that hold there."""
        found = self.named.get(name)
        if found is None:
            raise Unclear("a call of a group that is not closed yet")
        self.grow(found[1])
        return found[0]

    def assertion(self) -> Node:
        self.close(self.choice())
        return EMPTY

    def close(self, node: Node) -> Node:
        if self.take() != ")":
            raise Unclear("a parenthesis is missing")
        return node

    def flags(self, first: str) -> Node | None:
        """`(?i)` holds for the rest of the group, `(?i:…)` for what is in it."""
        letters = first
        while (char := self.take()) in _FLAGS:
            letters += char
        if char not in ":)":
            raise Unclear("an unknown flag")
        if "xx" in letters:
            raise Unclear("spaces in classes are ignored")
        saved = self.caseless, self.extended
        if letters[0] == "^":
            self.caseless = self.extended = False
        on, _, off = letters.partition("-")
        self.caseless = ("i" in on or self.caseless) and "i" not in off
        self.extended = ("x" in on or self.extended) and "x" not in off
        if char == ")":
            return None
        node = self.choice()
        self.caseless, self.extended = saved
        return self.close(node)

    def escape(self) -> Node | None:
        char = self.take()
        if char == "Q":
            quoted = self.text[self.at :].partition("\\E")[0]
            self.at = min(len(self.text), self.at + len(quoted) + 2)
            return self.quoted(quoted)
        if char == "E":
            return None
        if char in _SETS:
            return Bytes(_SETS[char])
        if char == "R":
            return Repeat(Bytes(_VERTICAL), 1, 2)
        if char in _ASSERTIONS:
            return EMPTY
        if char == "g" or char == "k":
            return self.reference()
        if char in "123456789":
            return self.number(char)
        if char in "XCpPLUlu":
            raise Unclear(f"\\{char}")
        return self.one(self.coded(char))

    def quoted(self, text: str) -> Node | None:
        if not text:
            return None
        # a quantifier behind the quotation belongs to its last character only
        items = [self.one(ord(char)) for char in text]
        items[-1] = self.repeated(items[-1])
        return Sequence(tuple(items))

    def reference(self) -> Node:
        opening = self.peek()
        pairs = {"{": "}", "<": ">", "'": "'"}
        if opening in pairs:
            self.at += 1
            self.until(pairs[opening])
            if opening != "{" and self.text[self.at - 1] == ">":
                raise Unclear("a call of a group")
        else:
            while self.peek() and self.peek() in "-0123456789":
                self.at += 1
        return Anything()

    def number(self, first: str) -> Node:
        """A back reference, or an octal code when there are not so many groups: either way unknown here."""
        while self.peek() and self.peek() in "0123456789":
            first += self.take()
        return Anything()

    def coded(self, char: str) -> int:
        """The byte that an escape stands for."""
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char == "x":
            return self.hexadecimal()
        if char == "0":
            digits = ""
            while len(digits) < 2 and self.peek() and self.peek() in "01234567":
                digits += self.take()
            return int(digits or "0", 8)
        if char == "c":
            return ord(self.take().upper()) ^ 64
        if char == "o" or (char.isalnum() and char.isascii()):
            raise Unclear(f"\\{char}")
        return ord(char)

    def hexadecimal(self) -> int:
        if self.peek() == "{":
            self.at += 1
            digits = self.until("}")
        else:
            digits = ""
            while len(digits) < 2 and self.peek() and self.peek() in "0123456789abcdefABCDEF":
                digits += self.take()
        try:
            value = int(digits or "0", 16)
        except ValueError:
            raise Unclear("\\x") from None
        if value > 255:
            raise Unclear("a character beyond bytes")
        return value

    def members(self) -> Node:
        """A class in brackets."""
        negated = self.peek() == "^"
        self.at += negated
        found: set[int] = set()
        first = True
        while first or self.peek() != "]":
            first = False
            low = self.member()
            if isinstance(low, frozenset):
                found |= low
                continue
            if self.peek() == "-" and self.peek(2)[1:] not in ("]", ""):
                self.at += 1
                high = self.member()
                if isinstance(high, frozenset):
                    found |= {low, 45} | high
                    continue
                found.update(range(low, high + 1))
            else:
                found.add(low)
        self.at += 1
        members = fold(frozenset(found)) if self.caseless else frozenset(found)
        return Bytes(ALL - members if negated else members)

    def member(self) -> int | frozenset[int]:
        """One byte of a class, or a set of them."""
        if self.peek(2) in ("[:", "[.", "[="):
            end = self.text.find(f"{self.text[self.at + 1]}]", self.at + 2)
            name = self.text[self.at + 2 : end].removeprefix("^") if end > 0 else ""
            if end > 0 and self.text[self.at + 1] == ":" and name in _NAMED:
                inverted = self.text[self.at + 2] == "^"
                self.at = end + 2
                if name in ("upper", "lower") and inverted:
                    return ALL
                return ALL - _NAMED[name] if inverted else _NAMED[name]
        char = self.take()
        if char != "\\":
            return ord(char)
        char = self.take()
        if char in _SETS and char != "N":
            return _SETS[char]
        if char == "b":
            return 8
        if char in "QEXRpPLUluNBAZzGKgk":
            raise Unclear(f"\\{char} in a class")
        if char in "1234567":
            digits = char
            while len(digits) < 3 and self.peek() and self.peek() in "01234567":
                digits += self.take()
            return int(digits, 8) & 255
        return self.coded(char)
