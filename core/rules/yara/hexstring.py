"""Hex strings of YARA to byte patterns: wildcards, jumps, alternatives, `~`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mxward.core.rules.yara.pattern import GAP, ONE, Alt, Any, Node, Repeat, Seq
from mxward.core.rules.yara.tree import MAX_DEPTH, NotUnderstood

_IGNORED: Final = re.compile(r"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/|[ \t\r\n]++")
_FIXED: Final = re.compile(r"(?:[0-9A-Fa-f]{2} *+)++")
_TOKEN: Final = re.compile(r"(~?)([0-9A-Fa-f?])([0-9A-Fa-f?])|\[[0-9 \t-]*+\]|[(|)]")
MAX_TOKENS: Final = 20_000


def parse_hex(body: str) -> Node:
    """The pattern between the braces. Raises: NotUnderstood."""
    text = _IGNORED.sub(" ", body)
    levels: list[list[list[Node]]] = [[[]]]  # open parentheses -> options -> items
    at, n = 0, 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        if fixed := _FIXED.match(text, at):
            levels[-1][-1].append(bytes.fromhex(fixed[0]))
            at = fixed.end()
            continue
        token = _TOKEN.match(text, at)
        n += 1
        if token is None or n > MAX_TOKENS:
            raise NotUnderstood("a hex string has an unknown form")
        at = token.end()
        if token[0] == "(":
            levels.append([[]])
            if len(levels) > MAX_DEPTH:
                raise NotUnderstood("a hex string nests too deep")
        elif token[0] == "|":
            levels[-1].append([])
        elif token[0] == ")":
            if len(levels) == 1:
                raise NotUnderstood("a hex string has an unknown form")
            options = levels.pop()
            levels[-1][-1].append(Alt(tuple(Seq(tuple(items)) for items in options)))
        else:
            levels[-1][-1].append(_byte(token))
    if len(levels) != 1 or len(levels[0]) != 1:
        raise NotUnderstood("a hex string has an unknown form")
    return Seq(tuple(levels[0][0]))


def _byte(token: re.Match[str]) -> Node:
    """One byte with its wildcards, or a jump."""
    if token[0][0] == "[":
        low, dash, high = (one.strip() for one in token[0][1:-1].partition("-"))
        if any(one and (not one.isdigit() or len(one) > 9) for one in (low, high)):
            return GAP
        return Repeat(ONE, int(low or 0), (int(high) if high else -1) if dash else int(low or 0))
    if token[1]:
        return ONE
    return _one_of(token[2], token[3])


@lru_cache(maxsize=1024)
def _one_of(high: str, low: str) -> Any:
    """The bytes of two digits, either of which may be a wildcard. Of all that there are, each is made once."""
    high_digits = range(16) if high == "?" else (int(high, 16),)
    low_digits = range(16) if low == "?" else (int(low, 16),)
    return Any(tuple(16 * h + bits for h in high_digits for bits in low_digits))
