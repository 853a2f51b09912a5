"""Tokens of a condition to its syntax tree: recursive descent over libyara's precedences, bounded in depth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mxward.core.rules.yara.lexer import Token, number
from mxward.core.rules.yara.tree import (
    MAX_DEPTH,
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
    Unary,
)  # fmt: skip

_EQUAL: Final = frozenset(
    ("==", "!=", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iequals", "matches")
)
_ORDER: Final = frozenset(("<", "<=", ">", ">="))
# loosest first; each binds to the left
_ARITHMETIC: Final = (("|",), ("^",), ("&",), ("<<", ">>"), ("+", "-"), ("*", "\\", "%"))
_LEVEL: Final = {op: level for level, ops in enumerate(_ARITHMETIC) for op in ops}
_READ: Final = re.compile(r"u?int(?:8|16|32)(?:be)?")
_RESERVED: Final = frozenset(
    ("all", "and", "any", "at", "condition", "contains", "defined", "for", "icontains", "iequals", "in", "matches",
     "none", "not", "of", "or", "them", "startswith", "istartswith", "endswith", "iendswith")
)  # fmt: skip
_END: Final = Token("end", "")


def parse_condition(tokens: Sequence[Token]) -> Expr:
    """The syntax tree. Raises: NotUnderstood."""
    reader = _Reader(tokens)
    expr = reader.either()
    if reader.next is not _END:
        raise NotUnderstood("its condition has an unknown form")
    return expr


class _Reader:
    """`next` is the token that is looked at; each method reads one level of the grammar."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0
        self.next = tokens[0] if tokens else _END

    def _step(self) -> Token:
        token = self.next
        self._at += 1
        self.next = self._tokens[self._at] if self._at < len(self._tokens) else _END
        return token

    def _ahead(self) -> Token:
        return self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else _END

    def _is(self, *texts: str) -> bool:
        return self.next.text in texts and self.next.kind in ("op", "word")

    def _has(self, text: str) -> bool:
        if not self._is(text):
            return False
        self._step()
        return True

    def _expect(self, text: str) -> None:
        if not self._has(text):
            raise NotUnderstood("its condition has an unknown form")

    def either(self) -> Expr:
        """`or`, the loosest; every way deeper passes through here or through `_unary`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotUnderstood("its condition nests too deep")
        operands = [self._both()]
        while self._has("or"):
            operands.append(self._both())
        self._depth -= 1
        return operands[0] if len(operands) == 1 else Many("or", tuple(operands))

    def _both(self) -> Expr:
        operands = [self._negation()]
        while self._has("and"):
            operands.append(self._negation())
        return operands[0] if len(operands) == 1 else Many("and", tuple(operands))

    def _negation(self) -> Expr:
        ops = []
        while self._is("not", "defined"):
            ops.append(self._step().text)
        if len(ops) > MAX_DEPTH:
            raise NotUnderstood("its condition nests too deep")
        expr = self._equality()
        for op in reversed(ops):
            expr = Unary(op, expr)
        return expr

    def _equality(self) -> Expr:
        left = self._relation()
        turns = 0
        while self.next.text in _EQUAL and self.next.kind in ("op", "word"):
            left = Binary(self._step().text, left, self._relation())
            turns = self._bound(turns)
        return left

    def _relation(self) -> Expr:
        if self._is("all", "any", "none"):
            return self._of(Quantifier(self._step().text))
        left = self._arithmetic(0)
        if self._is("of"):
            return self._of(Quantifier("count", left))
        if self._is("%"):  # `_arithmetic` leaves it only before "of"
            self._step()
            return self._of(Quantifier("percent", left))
        turns = 0
        while self.next.text in _ORDER and self.next.kind == "op":
            left = Binary(self._step().text, left, self._arithmetic(0))
            turns = self._bound(turns)
        return left

    def _bound(self, turns: int) -> int:
        """A chain makes a tree as deep as it is long."""
        if turns >= MAX_DEPTH:
            raise NotUnderstood("its condition nests too deep")
        return turns + 1

    def _arithmetic(self, least: int) -> Expr:
        """Operators that bind at least so tightly (an index into _ARITHMETIC)."""
        left = self._unary()
        turns = 0
        while self.next.kind == "op" and (level := _LEVEL.get(self.next.text, -1)) >= least:
            if self.next.text == "%" and self._ahead() == ("word", "of", ""):
                break
            left = Binary(self._step().text, left, self._arithmetic(level + 1))
            turns = self._bound(turns)
        return left

    def _unary(self) -> Expr:
        ops = []
        while self.next.kind == "op" and self.next.text in ("-", "~"):
            ops.append(self._step().text)
        if len(ops) > MAX_DEPTH:
            raise NotUnderstood("its condition nests too deep")
        expr = self._primary()
        for op in reversed(ops):
            expr = Unary(op, expr)
        return expr

    def _primary(self) -> Expr:
        if self._has("("):
            expr = self.either()
            self._expect(")")
            return expr
        token = self._step()
        if token.kind == "word":
            return self._word(token.text)
        if token.kind == "number":
            return Const(number(token.text))
        if token.kind == "text":
            return Const(token.text)
        if token.kind == "regex":
            return Pattern(token.text, token.flags)
        if token.kind == "string":
            return self._found(token.text)
        if token.kind == "mark":
            return self._mark(token.text[0], "$" + token.text[1:])
        raise NotUnderstood("its condition has an unknown form")

    def _word(self, word: str) -> Expr:
        if word in ("true", "false"):
            return Const(word == "true")
        if word == "filesize":
            return Filesize()
        if word == "entrypoint":
            return Entrypoint()
        if word == "for":
            return self._loop()
        if _READ.fullmatch(word):
            self._expect("(")
            offset = self.either()
            self._expect(")")
            return Read(word, offset)
        if word in _RESERVED:
            raise NotUnderstood("its condition has an unknown form")
        return self._name(word)

    def _name(self, word: str) -> Name:
        path, inside, is_call = [word], [], False
        while True:
            if self._has("."):
                path.append(self._step().text)
            elif self._has("["):
                inside.append(self.either())
                self._expect("]")
            elif self._has("("):
                is_call = True
                while not self._has(")"):
                    inside.append(self.either())
                    if not self._is(")"):
                        self._expect(",")
            else:
                return Name(tuple(path), tuple(inside), is_call)

    def _range(self) -> tuple[Expr, Expr]:
        self._expect("(")
        low = self.either()
        self._expect("..")
        high = self.either()
        self._expect(")")
        return low, high

    def _found(self, name: str) -> Found:
        if self._has("at"):
            return Found(name, at=self._arithmetic(0))
        if self._has("in"):
            return Found(name, within=self._range())
        return Found(name)

    def _mark(self, kind: str, name: str) -> Expr:
        if kind == "#":
            return Count(name, self._range() if self._has("in") else None)
        index = None
        if self._has("["):
            index = self.either()
            self._expect("]")
        return Place(kind, name, index)

    def _set(self) -> tuple[str, ...]:
        """`them`, or strings or rules in parentheses."""
        if self._has("them"):
            return ("them",)
        self._expect("(")
        names = []
        while True:
            token = self._step()
            if token.kind not in ("string", "set", "word"):
                raise NotUnderstood("its condition has an unknown form")
            names.append(token.text + ("*" if token.kind == "word" and self._has("*") else ""))
            if self._has(")"):
                return tuple(names)
            self._expect(",")

    def _of(self, quantifier: Quantifier) -> Of:
        self._expect("of")
        names = self._set()
        if self._has("at"):
            return Of(quantifier, names, at=self._arithmetic(0))
        if self._has("in"):
            return Of(quantifier, names, within=self._range())
        return Of(quantifier, names)

    def _loop(self) -> Expr:
        if self._is("all", "any", "none"):
            quantifier = Quantifier(self._step().text)
        else:
            quantifier = Quantifier("count", self._arithmetic(0))
        if self._has("of"):
            names = self._set()
            return ForOf(quantifier, names, self._body())
        variables = [self._step().text]
        while self._has(","):
            variables.append(self._step().text)
        self._expect("in")
        over = self._items() if self._is("(") else (self._name(self._step().text),)
        return ForIn(quantifier, tuple(variables), over, self._body())

    def _items(self) -> tuple[Expr, ...]:
        self._expect("(")
        items = [self.either()]
        while self._has(",") or self._has(".."):
            items.append(self.either())
        self._expect(")")
        return tuple(items)

    def _body(self) -> Expr:
        self._expect(":")
        self._expect("(")
        body = self.either()
        self._expect(")")
        return body
