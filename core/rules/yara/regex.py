"""Regexes of YARA to byte patterns.

The dialect is small: classes, groups, alternatives, repetitions, `^ $ \\b \\B`; no look-around, no references. What is
not surely known becomes a gap or NotUnderstood.
"""

from __future__ import annotations

import re
from typing import Final

from mxward.core.rules.yara.pattern import NOTHING, ONE, Alt, Any, Node, Repeat, Seq
from mxward.core.rules.yara.tree import MAX_DEPTH, NotUnderstood

_TIMES: Final = re.compile(rb"\{([0-9]{0,5})(,([0-9]{0,5}))?\}")
_PLAIN: Final = re.compile(rb"[A-Za-z0-9 _,;:=<>@%&\"'`~#!-]{2,}+")
_CONTROL: Final = {0x6E: 10, 0x74: 9, 0x72: 13, 0x66: 12, 0x61: 7}  # n t r f a
_CLASSES: Final = frozenset(b"wWsSdD")
_SMALL: Final = {b"s": Any((9, 10, 11, 12, 13, 32)), b"d": Any(tuple(b"0123456789"))}
MAX_BYTES: Final = 20_000


def parse_regex(body: str, *, is_caseless: bool) -> Node:
    """The pattern of a regex between its slashes. Letters are given in lower case when it is caseless.

    Raises: NotUnderstood.
    """
    raw = body.encode("utf-8", "surrogateescape")
    if len(raw) > MAX_BYTES:
        raise NotUnderstood("a regex is too long")
    return _Reader(raw, is_caseless).whole()


class _Reader:
    def __init__(self, raw: bytes, is_caseless: bool) -> None:
        self.raw, self.at, self.is_caseless, self.depth = raw, 0, is_caseless, 0

    def whole(self) -> Node:
        node = self._alternatives()
        if self.at != len(self.raw):
            raise NotUnderstood("a regex has an unknown form")
        return node

    def _alternatives(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotUnderstood("a regex nests too deep")
        options = [self._sequence()]
        while self._has(b"|"):
            options.append(self._sequence())
        self.depth -= 1
        return options[0] if len(options) == 1 else Alt(tuple(options))

    def _has(self, char: bytes) -> bool:
        if self.raw[self.at : self.at + 1] != char:
            return False
        self.at += 1
        return True

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self.at < len(self.raw) and self.raw[self.at] not in b"|)":
            run = _PLAIN.match(self.raw, self.at)
            if run:  # a quick way for what is no sign; the last character may have a repetition behind it
                self.at = run.end() - 1
                items.append(run[0][:-1].lower() if self.is_caseless else run[0][:-1])
            items.append(self._repeated(self._atom()))
        return Seq(tuple(items))

    def _repeated(self, item: Node) -> Node:
        char = self.raw[self.at : self.at + 1]
        if char in (b"*", b"+", b"?"):
            self.at += 1
            low, high = (1 if char == b"+" else 0), (1 if char == b"?" else -1)
        elif char == b"{":
            times = _TIMES.match(self.raw, self.at)
            if times is None:
                return item  # libyara takes such a brace for itself
            if times[0] in (b"{}", b"{,}"):
                raise NotUnderstood("a regex has an unknown form")
            self.at = times.end()
            low = int(times[1] or 0)
            high = low if times[2] is None else int(times[3]) if times[3] else -1
        else:
            return item
        self._has(b"?")
        if self.raw[self.at : self.at + 1] in (b"*", b"+", b"?") or _TIMES.match(self.raw, self.at):
            raise NotUnderstood("a regex has an unknown form")
        if high < 0 or high - low > 2:
            return Repeat(item, low, high)
        fixed = Repeat(item, low, low)
        return Seq((fixed, *(Alt((NOTHING, item)),) * (high - low)))

    def _atom(self) -> Node:
        byte = self.raw[self.at]
        self.at += 1
        if byte == 0x28:  # (
            if self.raw[self.at : self.at + 1] == b"?":
                raise NotUnderstood("a regex has an unknown form")
            inner = self._alternatives()
            if not self._has(b")"):
                raise NotUnderstood("a regex has an unknown form")
            return inner
        if byte == 0x5B:  # [
            return self._class()
        if byte == 0x5C:  # backslash
            return self._escape()
        if byte in b"^$":
            return NOTHING
        if byte == 0x2E:  # .
            return ONE
        if byte in b"*+?" or _TIMES.match(self.raw, self.at - 1):
            raise NotUnderstood("a regex has an unknown form")
        return self._byte(byte)

    def _byte(self, byte: int) -> Any:
        if self.is_caseless and 0x41 <= byte <= 0x5A:
            byte += 32
        return Any((byte,))

    def _escape(self) -> Node:
        small = _SMALL.get(self.raw[self.at : self.at + 1])
        if small is not None:
            self.at += 1
            return small
        value = self._escaped()
        if value is None:
            return ONE
        return NOTHING if value < 0 else self._byte(value)

    def _escaped(self) -> int | None:
        """The byte; None for a class such as \\w; -1 for \\b and \\B."""
        if self.at >= len(self.raw):
            raise NotUnderstood("a regex has an unknown form")
        byte = self.raw[self.at]
        self.at += 1
        if byte in _CLASSES:
            return None
        if byte in b"bB":
            return -1
        if byte == 0x78:  # x
            digits = self.raw[self.at : self.at + 2]
            if not re.fullmatch(rb"[0-9A-Fa-f]{2}", digits):
                raise NotUnderstood("a regex has an unknown form")
            self.at += 2
            return int(digits, 16)
        if byte in _CONTROL:
            return _CONTROL[byte]
        if bytes((byte,)).isalnum():
            raise NotUnderstood("a regex has an unknown escape")
        return byte

    def _class(self) -> Node:
        """A set of single bytes, when it lists a few; everything else is any byte."""
        is_open = self._has(b"^")
        values: set[int] = set()
        if self.raw[self.at : self.at + 1] == b"]":
            raise NotUnderstood("a regex has an unknown form")
        while self.raw[self.at : self.at + 1] != b"]":
            low = self._member()
            if (
                low is not None
                and self.raw[self.at : self.at + 1] == b"-"
                and self.raw[self.at + 1 : self.at + 2] != b"]"
            ):
                self.at += 1
                high = self._member()
                if high is None or high < low:
                    raise NotUnderstood("a regex has an unknown form")
                values.update(range(low, high + 1))
            elif low is None:
                is_open = True
            else:
                values.add(low)
        self.at += 1
        if self.is_caseless:
            values = {value + 32 if 0x41 <= value <= 0x5A else value for value in values}
        return ONE if is_open or not values else Any(tuple(sorted(values)))

    def _member(self) -> int | None:
        if self.at >= len(self.raw):
            raise NotUnderstood("a regex has an unknown form")
        byte = self.raw[self.at]
        self.at += 1
        if byte != 0x5C:
            return byte
        if self.raw[self.at : self.at + 1] in (b"b", b"B"):
            raise NotUnderstood("a regex has an unknown escape")
        return self._escaped()
