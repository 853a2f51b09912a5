"""Patterns that are known to be slow, found by looking at their text.

What is found here is likely slow; what a rule really costs is measured (profile.py), and no pattern can hang a scan
(the gate and the time limit see to that). Rules that the prefilter cannot skip are told by core/rules/yara.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# A string's definition: its identifier, then what it is. Comments and other strings do not begin a line like that.
_REGEX: Final = re.compile(r"^[ \t]*\$\w*[ \t]*=[ \t]*/((?:\\.|[^/\\\n])+)/", re.M)
_TEXT: Final = re.compile(r'^[ \t]*\$\w*[ \t]*=[ \t]*"((?:\\.|[^"\\\n])+)"([^\n]*)', re.M)
_LEADING: Final = re.compile(r"\(?(?:\?:)?(?:\.|\\[wsdWSD]|\[\^?[^\]]{1,40}\])(?:[*+]|\{\d*,\})")
_TRAILING: Final = re.compile(r"(?<!\\)(?:\.|\\[wsdWSD]|\[\^?[^\]]{1,40}\])(?:[*+]|\{\d*,\})$")
_NESTED: Final = re.compile(r"\((?:[^()\\]|\\.)*[*+](?:[^()\\]|\\.)*\)[*+{]")
_WIDE_LOOP: Final = re.compile(r"\bfor\s+(?:any|all|\d+)\s+\w+\s+in\s+\(\s*0\s*\.\.\s*filesize\b")
_SHORT_BYTES: Final = 3


def slow_yara(text: str) -> Iterator[tuple[int, str]]:
    """(line, reason) of what is likely slow in a YARA text."""
    for match in _REGEX.finditer(text):
        reason = slow_regex(match[1])
        if reason:
            yield _line(text, match.start(1)), reason
    for match in _TEXT.finditer(text):
        if len(re.sub(r"\\(?:x[0-9A-Fa-f]{2}|.)", "?", match[1])) < _SHORT_BYTES and "fullword" not in match[2]:
            yield _line(text, match.start(1)), f"is shorter than {_SHORT_BYTES} bytes and found everywhere"
    for match in _WIDE_LOOP.finditer(text):
        yield _line(text, match.start()), "looks at every byte of a message in its condition, which is slow"


def slow_regex(pattern: str) -> str:
    """Why a regular expression is likely slow; "" when nothing speaks for it."""
    if _NESTED.search(pattern):
        return "repeats what repeats itself, which is slow"
    if _LEADING.match(pattern):
        return "begins with a repetition, which is slow"
    if _TRAILING.search(pattern):
        return "ends with a repetition without end, which finds no more and costs"
    return ""


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
