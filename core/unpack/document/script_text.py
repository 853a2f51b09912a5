"""The string constants of a script, put together as the script would: literals, sums of them, variables, lists.

JavaScript is not run: constants are followed through assignments and additions in the order in which they are written.
VBScript's literals and "&" are read too. What strings hold is decided in script_payload.py.
"""

from __future__ import annotations

import re
from typing import Final

MAX_SOURCE: Final = 4 << 20  # characters of script that are looked at
MAX_TOKENS: Final = 400_000
MAX_STRING: Final = 32 << 20  # characters of one string that was put together
MIN_CANDIDATE: Final = 24  # characters: shorter ones carry nothing
MAX_CANDIDATES: Final = 500
_TOKEN: Final = re.compile(
    r"//[^\r\n]*+|/\*[\s\S]*?\*/"
    r"|(?P<string>\"[^\"\\\r\n]*+(?:\\[\s\S][^\"\\\r\n]*+)*+\"|'[^'\\\r\n]*+(?:\\[\s\S][^'\\\r\n]*+)*+'"
    r"|`[^`\\]*+(?:\\[\s\S][^`\\]*+)*+`)"
    r"|(?P<name>[A-Za-z_$][\w$]*+)|(?P<mark>\+=|[=+&,;(){}\[\]\n])"
)
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|([0-7]{1,3})|(\r\n|[\s\S]))"
)
_SIMPLE: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "\n": "", "\r": "", "\r\n": ""}


def unescaped(literal: str) -> str:
    """A literal without its quotes, escapes undone (ECMA-262, 12.9.4)."""
    body = literal[1:-1]
    return _ESCAPE.sub(_character, body) if "\\" in body else body


def _character(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    if digits:
        return chr(min(int(digits, 16), 0x10FFFF))
    if found[4]:
        return chr(int(found[4], 8) & 255)
    return _SIMPLE.get(found[5], found[5])


def strings(source: str) -> list[str]:
    """The strings of a script that are long enough to carry something, as they stand after additions and joins."""
    reader = _Reader()
    for number, token in enumerate(_TOKEN.finditer(source[:MAX_SOURCE])):
        if number > MAX_TOKENS or len(reader.found) >= MAX_CANDIDATES:
            break
        reader.take(token)
    reader.end()
    return list(reader.found)


class _Reader:
    """One script being read."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}
        self._known: dict[str, str] = {}
        self._value: list[str] | None = None  # what is being added up
        self._name = self._target = ""  # the last name; what is being assigned
        self._is_append = self._is_sum = False
        self._list: list[str] = []  # of strings with commas between them

    def take(self, token: re.Match[str]) -> None:
        if token["string"]:
            self._add(unescaped(token["string"]))
        elif token["name"]:
            self._name = token["name"]
            if self._name in self._known and (self._is_sum or self._target):
                self._add(self._known[self._name])
        elif token["mark"]:
            self._mark(token["mark"])

    def _add(self, text: str) -> None:
        if self._is_sum and self._value is not None:
            self._value.append(text)
        else:
            self._flush()
            self._value = [text]
        self._is_sum = False

    def _mark(self, mark: str) -> None:
        if mark in ("+", "&"):
            self._is_sum = True
            return
        if mark in ("=", "+="):
            self._flush()
            self._target, self._is_append = self._name, mark == "+="
        elif mark == ",":
            self._list.append(self._flush())
        elif mark == "]":
            self._list.append(self._flush())
            self._keep("".join(self._list))
            self._list = []
        elif mark in "[;{}":
            self._flush()
            self._list = []
        elif mark == "\n" and not self._is_sum:
            self._flush()
        if mark != "\n":
            self._is_sum = False

    def _flush(self) -> str:
        """End what is being added up: keep it, and know it by its name."""
        if self._value is None:
            return ""
        text = "".join(self._value)
        self._value = None
        if self._target and len(self._known) < 10_000:
            before = self._known.get(self._target, "") if self._is_append else ""
            if len(before) + len(text) <= MAX_STRING:
                self._known[self._target] = before + text
            if before:
                self.found.pop(before, None)
                self._keep(before + text)
                self._target = ""
                return text
        self._target = ""
        self._keep(text)
        return text

    def _keep(self, text: str) -> None:
        if len(text) >= MIN_CANDIDATE and len(self.found) < MAX_CANDIDATES:
            self.found[text] = None

    def end(self) -> None:
        self._flush()
