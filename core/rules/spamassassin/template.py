"""Small regular expressions compiled for pyx/sahops: what the templates of Received fields are made of.

Known: text, sets, ".", the classes \\S \\s \\d \\D, \\b, \\Z, counts of sets, groups with "|" or "?", named groups,
(?!text), and ADDRESS for an IP address. Nothing else is needed, and nothing that repeats more than a set.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

ADDRESS: Final = b"\1"  # stands for an IP address in a source
NAMES: Final = ("ip", "by", "helo", "rdns", "ident", "more")
END, TEXT, SET, FORK, GO, SAVE, EDGE, LAST, NOT, IP = range(10)
GREEDY, LAZY, WHOLE = range(3)
_MANY: Final = 0xFFFF
_ALL: Final = frozenset(range(256))
_SPACES: Final = frozenset(b" \t\n\r\f\v")
_DIGITS: Final = frozenset(b"0123456789")
_CLASSES: Final = {ord("S"): _ALL - _SPACES, ord("s"): _SPACES, ord("d"): _DIGITS, ord("D"): _ALL - _DIGITS}
_DOT: Final = _ALL - {10}
_COUNT: Final = re.compile(rb"[*+?]|\{(\d+)(?:(,)(\d*))?\}")
_IP_BEGIN: Final = frozenset(b"0123456789abcdef:I")
Code = list[int]


class Templates:
    """Programs of many sources in one list of words. `classes`: sets of bytes, 256 flags each."""

    def __init__(self) -> None:
        self.code: Code = []
        self._classes: dict[bytes, int] = {}

    @property
    def classes(self) -> list[bytes]:
        return list(self._classes)

    def add(self, source: bytes) -> int:
        """Compile one source and return where it begins. Raises: ValueError for what is not known."""
        start = len(self.code)
        parser = _Parser(source)
        pieces = parser.alternatives()
        if parser.at != len(source):
            raise ValueError(f"a parenthesis too many: {source!r}")
        pieces(self)
        self.code.append(END)
        self._settle(start)
        return start

    def class_of(self, members: frozenset[int]) -> int:
        """The number of a set of bytes."""
        flags = bytes(int(code in members) for code in range(256))
        return self._classes.setdefault(flags, len(self._classes))

    def _settle(self, start: int) -> None:
        """Mark greedy sets behind which no byte of them can follow."""
        classes = self.classes
        at = start
        while at < len(self.code):
            if self.code[at] == SET and self.code[at + 4] == GREEDY:
                members = {code for code in range(256) if classes[self.code[at + 1]][code]}
                if members.isdisjoint(self._first(at + 5)):
                    self.code[at + 4] = WHOLE
            at += self._size(at)

    def _size(self, at: int) -> int:
        word = self.code[at]
        if word in (TEXT, NOT):
            return 2 + self.code[at + 1]
        return {SET: 5, FORK: 3, GO: 2, SAVE: 2}.get(word, 1)

    def _first(self, at: int) -> frozenset[int]:
        """Bytes that may come where the program goes on at `at`; all when it may be at its end."""
        word = self.code[at]
        if word == TEXT:
            return frozenset((self.code[at + 2],))
        if word == SET:
            flags = self.classes[self.code[at + 1]]
            members = frozenset(code for code in range(256) if flags[code])
            return members if self.code[at + 2] else members | self._first(at + 5)
        if word == FORK:
            return self._first(self.code[at + 1]) | self._first(self.code[at + 2])
        if word == GO:
            return self._first(self.code[at + 1])
        if word in (SAVE, NOT):
            return self._first(at + self._size(at))
        return _IP_BEGIN if word == IP else frozenset() if word == LAST else _ALL


_Emit = Callable[[Templates], None]


class _Parser:
    """Recursive descent; each part becomes a function that writes its code."""

    def __init__(self, source: bytes) -> None:
        self.source, self.at = source, 0

    def alternatives(self) -> _Emit:
        ways = [self._sequence()]
        while self._next() == b"|":
            self.at += 1
            ways.append(self._sequence())
        return ways[0] if len(ways) == 1 else lambda made: _fork(made, ways)

    def _next(self, size: int = 1) -> bytes:
        return self.source[self.at : self.at + size]

    def _sequence(self) -> _Emit:
        parts: list[_Emit] = []
        text = b""
        while self._next() not in (b"", b"|", b")"):
            members = self._set()
            counts = None if members is None else self._counts()
            if members is not None and counts is None and len(members) == 1:
                text += bytes(members)
                continue
            parts += [_text(text, TEXT)] if text else []
            text = b""
            parts.append(self._group() if members is None else _repeated(members, counts or (1, 1, GREEDY)))
        parts += [_text(text, TEXT)] if text else []
        return _all(parts)

    def _set(self) -> frozenset[int] | None:
        """The set of bytes that stands here; None when it is something else."""
        char = self._next()
        if char in (b"(", ADDRESS) or self._next(2) in (rb"\b", rb"\Z"):
            return None
        if char == b"[":
            return self._bracketed()
        self.at += 1
        if char == b".":
            return _DOT
        if char != b"\\":
            return frozenset(char)
        self.at += 1
        escaped = self.source[self.at - 1]
        return _CLASSES.get(escaped, frozenset((escaped,)))

    def _bracketed(self) -> frozenset[int]:
        self.at += 1
        is_negated = self._next() == b"^"
        self.at += is_negated
        members: set[int] = set()
        start = self.at
        while self._next() != b"]" or self.at == start:
            if self.at >= len(self.source):
                raise ValueError(f"an open bracket: {self.source!r}")
            first, *more = self._member()
            if more or self._next() != b"-" or self._next(2) == b"-]":
                members.update((first, *more))
            else:
                self.at += 1
                members.update(range(first, self._member()[0] + 1))
        self.at += 1
        return frozenset(_ALL - members if is_negated else members)

    def _member(self) -> list[int]:
        code = self.source[self.at]
        self.at += 1
        if code != ord("\\"):
            return [code]
        escaped = self.source[self.at]
        self.at += 1
        return sorted(_CLASSES.get(escaped, (escaped,)))

    def _counts(self) -> tuple[int, int, int] | None:
        found = _COUNT.match(self.source, self.at)
        if found is None:
            return None
        self.at = found.end()
        simple = {b"*": (0, _MANY), b"+": (1, _MANY), b"?": (0, 1)}.get(found[0])
        least = int(found[1] or 0)
        most = (int(found[3]) if found[3] else _MANY) if found[2] else least
        is_lazy = self._next() == b"?"
        self.at += is_lazy
        return *(simple or (least, most)), LAZY if is_lazy else GREEDY

    def _group(self) -> _Emit:
        """A parenthesis, an edge of a word, the end or an address."""
        if self._next() == ADDRESS:
            self.at += 1
            return lambda made: made.code.append(IP)
        if self._next() == b"\\":
            self.at += 2
            word = EDGE if self.source[self.at - 1] == ord("b") else LAST
            return lambda made: made.code.append(word)
        if found := re.compile(rb"\(\?!([^()\\[|*+?]+)\)").match(self.source, self.at):
            self.at = found.end()
            return _text(found[1], NOT)
        found = re.compile(rb"\(\?(?::|P<(\w+)>)").match(self.source, self.at)
        if found is None:
            raise ValueError(f"an unknown group: {self.source[self.at :]!r}")
        self.at = found.end()
        inside = self.alternatives()
        if self._next() != b")":
            raise ValueError(f"an open group: {self.source!r}")
        self.at += 1
        if found[1] is not None:
            inside = _saved(inside, NAMES.index(found[1].decode()))
        if self._next() == b"?":
            self.at += 1
            return lambda made: _fork(made, [inside, lambda _: None])
        return inside


def _all(parts: list[_Emit]) -> _Emit:
    def emit(made: Templates) -> None:
        for part in parts:
            part(made)

    return emit


def _text(text: bytes, word: int) -> _Emit:
    return lambda made: made.code.extend((word, len(text), *text))


def _repeated(members: frozenset[int], counts: tuple[int, int, int]) -> _Emit:
    return lambda made: made.code.extend((SET, made.class_of(members), *counts))


def _saved(inside: _Emit, number: int) -> _Emit:
    def emit(made: Templates) -> None:
        made.code += SAVE, 2 * number
        inside(made)
        made.code += SAVE, 2 * number + 1

    return emit


def _fork(made: Templates, ways: list[_Emit]) -> None:
    """Alternatives, the first one preferred."""
    ends: list[int] = []
    for way in ways[:-1]:
        fork = len(made.code)
        made.code += FORK, fork + 3, 0
        way(made)
        made.code += GO, 0
        ends.append(len(made.code) - 1)
        made.code[fork + 2] = len(made.code)
    ways[-1](made)
    for end in ends:
        made.code[end] = len(made.code)
