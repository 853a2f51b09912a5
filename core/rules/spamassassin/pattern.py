"""How a regular expression is written in a .cf file: delimiters, modifiers, and what is refused.

The result is Perl syntax without delimiters, for core/rules/regex. Nothing is compiled here.

Source: Mail::SpamAssassin::Conf(3); the checks of SpamAssassin 4.0.1 on rule patterns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

MAX_PATTERN: Final = 262_144  # characters after replacement of tags; the longest of the public set has 75,000
_CLOSING: Final = {"{": "}", "(": ")", "<": ">", "[": "]"}
_SYMMETRIC: Final = frozenset("})]")  # `>` is checked like any other delimiter
_END: Final = re.compile(r"[a-df-z]*\Z")
_CODE: Final = re.compile(r"\(\?\??\{")
_TEMPLATE: Final = re.compile(r"(?<!\\)%\{([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)(?:\([^)}]*\))?\}")
_CAPTURE: Final = re.compile(r"\(\?P?[<']([A-Z]\w*)[>']")
_PERL_ONLY: Final = frozenset("gcopaul d")  # how a match is driven, or sets of characters that bytes do not have


class PatternError(ValueError):
    """Not a usable pattern; the message says why."""


class Pattern(NamedTuple):
    """A regular expression in Perl syntax and its modifiers out of "imsxn"."""

    source: str
    flags: str

    @property
    def templates(self) -> list[str]:
        """Names of captured values that stand in the pattern as %{NAME}."""
        return list(dict.fromkeys(name[1] for name in _TEMPLATE.finditer(self.source)))

    @property
    def captures(self) -> list[str]:
        """Names of capture groups that begin with a capital: their values are kept for other rules."""
        return list(dict.fromkeys(name[1] for name in _CAPTURE.finditer(self.source)))

    def filled(self, values: Mapping[str, str]) -> str:
        """The source with each %{NAME} replaced by values[NAME], or left alone when that is not known."""
        return _TEMPLATE.sub(lambda name: values.get(name[1], name[0]), self.source)


def parse_pattern(text: str) -> Pattern:
    """Read /pattern/flags, m{pattern}flags and the like. Raises: PatternError."""
    if len(text) > MAX_PATTERN:
        raise PatternError(f"longer than {MAX_PATTERN} characters")
    opening, rest = _opening(text)
    closing = _CLOSING.get(opening, opening)
    body, found, flags = rest.rpartition(closing)
    if not found or not _END.match(flags):
        raise PatternError("invalid end delimiter or modifiers")
    if _CODE.search(body):
        raise PatternError("code in a pattern is not run")
    if closing not in _SYMMETRIC and re.search(rf"(?<!\\){re.escape(closing)}", body.replace("\\\\", "")):
        raise PatternError(f"unescaped delimiter {closing!r}")
    if _always_matches(body):
        raise PatternError("matches everything: empty, or an empty alternative at its begin, end or middle")
    unknown = set(flags) - set("imsxn") - _PERL_ONLY
    if unknown:
        raise PatternError(f"unknown modifier {min(unknown)!r}")
    return Pattern(body, "".join(flag for flag in "imsxn" if flag in flags))


def _opening(text: str) -> tuple[str, str]:
    if text.startswith("/"):
        return "/", text[1:]
    start = re.match(r"(?:m|qr)(\W)", text, re.A)
    if start is None:
        raise PatternError("missing delimiters")
    if start[1] == "\\":
        raise PatternError("a backslash is no delimiter")
    return start[1], text[start.end() :]


def _always_matches(body: str) -> bool:
    if not body or body.startswith("|"):
        return True
    return bool(re.search(r"(?<!\\)\|\|", body)) or (body.endswith("|") and not body.endswith("\\|"))
