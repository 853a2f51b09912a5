"""redirector_pattern: patterns whose first group is the address that a redirector sends its visitors to.

Rewritten so that the whole match is that group, they run in the one engine that is bounded and knows no groups.
"""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?!P?<\w|')|\*)?|[)|]", re.S)
_QUANTIFIER: Final = re.compile(r"[*+?]|\{\d*,?\d*\}")
_REFERENCE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\(?:[1-9]|g|k)|\(\?(?:[R&\d]|[+-]\d|P[>=])")


def group_alone(source: str) -> str:
    """A pattern that matches what the first group of `source` does, where `source` matches.

    Raises: ValueError when the group is inside of another, optional or one of alternatives, or there is none: the
    address would depend on more than the place of the group. Bad input: what is no pattern is not told here.
    """
    depth, start, end = 0, -1, -1
    for token in _TOKEN.finditer(source):
        mark = token[0]
        if mark == "|" and not depth:
            raise ValueError("an address in one of alternatives is not understood")
        if mark[0] == "(":
            if mark == "(" and start < 0:  # a group that captures
                if depth:
                    raise ValueError("an address in a group of a group is not understood")
                start = token.start()
            depth += 1
        elif mark == ")":
            depth -= 1
            if not depth and start >= 0 and end < 0:
                end = token.end()
    if end < 0 or _QUANTIFIER.match(source, end) or _REFERENCE.search(source):
        raise ValueError("a pattern of redirectors has a group for the address")
    behind = source[end:]
    return f"{source[:start]}\\K{source[start:end]}" + (f"(?={behind})" if behind else "")
