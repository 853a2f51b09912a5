"""Values that one test captures, (?<NAME>…), and others use as %{NAME}.

A pattern with such a value in it cannot be compiled before the message is there. It is first searched with anything
in the value's place; only when that matches is the real pattern compiled. A test whose value was not captured does
not fire. Of patterns that capture only those are understood that are one capture group and nothing else, which is
what public rules have; others are matched like any, but give no value.

Source: Mail::SpamAssassin::Conf(3), "CAPTURING TAGS USING REGEX NAMED CAPTURE GROUPS".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mxward.bindings import pcre2
from mxward.core.rules.regex.regexset import BUDGET_US
from mxward.core.rules.spamassassin.compile import RegexTest, RuleBook
from mxward.core.rules.spamassassin.matcher import Match, regex
from mxward.core.rules.spamassassin.places import place_text

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet

MAX_VALUE: Final = 1000  # bytes of a captured value; a longer one is not used
MAX_FILLED: Final = 50  # patterns compiled for one message
_WHOLE: Final = re.compile(r"\(\?P?[<']([A-Z]\w*)[>'](.*)\)", re.A | re.S)


class Filler:
    """Knows which tests capture and which use what was captured. Immutable."""

    def __init__(self, book: RuleBook) -> None:
        self._capturing: dict[int, tuple[RegexTest, str]] = {}
        self._using: dict[int, RegexTest] = {}
        for test in book.regexes:
            if test.pattern.templates:
                self._using[test.slot] = test
            elif "(?" in test.pattern.source and (name := captured_name(test.pattern.source)):
                self._capturing[test.slot] = test, name
        self.is_needed = bool(self._using)

    def confirm(self, found: dict[int, Match], texts: TextSet, exhausted: list[int]) -> None:
        """Take out the tests whose real pattern, with the captured values in it, does not match. `found`: by slot."""
        using = [slot for slot in found if slot in self._using] if found else []
        values = self._values(found, texts) if using else {}
        for number, slot in enumerate(using):
            test, matched = self._using[slot], found.pop(slot)
            if not set(test.pattern.templates) <= values.keys():
                continue
            if number >= MAX_FILLED or texts.message.is_late():
                exhausted.append(slot)
            elif (real := _match(test, values, texts, exhausted)) is not None:
                found[slot] = (matched[0], *real)

    def _values(self, found: dict[int, Match], texts: TextSet) -> dict[str, str]:
        """Captured values as patterns that match just them."""
        values: dict[str, str] = {}
        for slot, (_, _, start, end) in found.items():
            test, name = self._capturing.get(slot, (None, ""))
            value = place_text(texts, test.place)[0][start:end] if test is not None else b""
            if name and 0 < len(value) <= MAX_VALUE:
                values[name] = f"(?:{_quote(value)})"
        return values


def captured_name(source: str) -> str:
    """The name of a pattern that is one capture group and nothing else, or ""."""
    whole = _WHOLE.fullmatch(source)
    if whole is None:
        return ""
    depth = 0
    for piece in re.findall(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()]", whole[2], re.S):
        depth += (piece == "(") - (piece == ")")
        if depth < 0:
            return ""
    return whole[1] if depth == 0 else ""


def _match(
    test: RegexTest, values: dict[str, str], texts: TextSet, exhausted: list[int]
) -> tuple[int, int, int] | None:  # fmt: skip
    """How often, and where first, the pattern matches with the values in it; None: it does not."""
    filled = regex(test, values)
    data, starts = place_text(texts, test.place)
    try:
        single = pcre2.Patterns([(filled.pattern, filled.flags, filled.max_hits)])
        matched, gave_up = single.match(data, starts, BUDGET_US)
    except ValueError:  # the value made the pattern too large
        exhausted.append(test.slot)
        return None
    if gave_up:
        exhausted.append(test.slot)
    return matched[0][1:] if matched else None


def _quote(value: bytes) -> str:
    """As Perl's quotemeta, one character a byte."""
    text = value.decode("latin-1")
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else f"\\{c}" for c in text)
