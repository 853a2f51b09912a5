"""Lists of regular expressions in a pack (*.regex). The search is core/detect/regex.py.

    # a comment
    @name REF_NUMBER             hit name; default: the file's stem in capitals
    @category policy             one of verdict.CATEGORIES; default spam
    @weight 1.5                  of each expression; default 1
    @cap 5                       the most that one message scores by this list; default: no cap
    @views text subject          where to look: text subject names urls; default text subject
    @description holds a reference number
    /\\bREF-\\d{6}\\b/
    2.5 | /invoice\\s+(?:no|nr)\\b/i

Perl syntax (PCRE2) over UTF-8 bytes: a letter beyond ASCII is two bytes or more, and `\\w` knows ASCII only. Flags: i m
s x. An expression counts once a message. Whatever it is, its work is bounded; one that gives up is reported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.bindings import pcre2
from mxward.core.errors import RulePackError
from mxward.core.rules.directives import default_name, fault
from mxward.core.rules.regex import Regex, RegexSet, has_literal

MAX_EXPRESSIONS: Final = 20_000  # of one list
_LINE: Final = re.compile(r"(?:(-?\d{1,3}(?:\.\d{1,3})?)\s*\|\s*)?/(.+)/([imsx]*)")
_DIRECTIVES: Final = ("name", "category", "weight", "cap", "views", "description")


@dataclass(frozen=True, slots=True)
class Expression:
    """One line of a list."""

    regex: Regex
    weight: float
    line: int


@dataclass(frozen=True, slots=True)
class RegexList:
    """One list; nothing is compiled yet, but every expression does compile."""

    name: str
    category: str
    cap: float
    views: tuple[str, ...]
    description: str
    expressions: tuple[Expression, ...]
    file: str = ""


def parse_regexes(text: str, file: str) -> RegexList:
    """Read one .regex file. Raises: RulePackError with file and line."""
    settings: dict[str, str] = {}
    lines: list[tuple[int, str]] = []
    for number, raw_line in enumerate(text.splitlines(), 1):
        line = raw_line.strip()
        if line.startswith("@"):
            key, _, value = line[1:].partition(" ")
            if allowed := fault(key, value.strip(), _DIRECTIVES):
                raise RulePackError(f"@{key} {value.strip()!r} (allowed: {allowed})", pack=file, line=number)
            settings[key] = value.strip()
        elif line and not line.startswith("#"):
            lines.append((number, line))
    if not lines:
        raise RulePackError("holds no expression", pack=file)
    if len(lines) > MAX_EXPRESSIONS:
        raise RulePackError(f"holds more than {MAX_EXPRESSIONS} expressions", pack=file)
    weight = float(settings.get("weight", "1"))
    return RegexList(
        settings.get("name", default_name(file)), settings.get("category", "spam"), float(settings.get("cap", "inf")),
        tuple(settings.get("views", "text subject").split()), settings.get("description", ""),
        tuple(_expression(line, number, weight, file) for number, line in lines), file,
    )  # fmt: skip


def _expression(line: str, number: int, weight: float, file: str) -> Expression:
    match = _LINE.fullmatch(line)
    if match is None:
        raise RulePackError("an expression stands between slashes, such as /\\bword\\b/i", pack=file, line=number)
    regex = Regex(match[2].encode(), match[3])
    try:
        pcre2.Patterns([(regex.pattern, regex.flags, 1)])
    except pcre2.PatternError as error:
        raise RulePackError(f"{error} at offset {error.offset}", pack=file, line=number) from None
    return Expression(regex, float(match[1]) if match[1] else weight, number)


def unfiltered(regexes: RegexList) -> list[tuple[int, str]]:
    """(line, why) of expressions that are tried on every message, because no literal tells where they may match."""
    reason = "needs no text of its own and is tried on every message; give it a fixed word of three letters or more"
    return [
        (expression.line, reason)
        for expression in regexes.expressions
        if not has_literal(expression.regex.pattern, expression.regex.flags)
    ]


@dataclass(frozen=True, slots=True)
class RegexView:
    """The expressions of all lists for one view: a set, and by its numbers the list, line and weight of each."""

    regexes: RegexSet
    owners: tuple[tuple[int, int, float], ...]  # (position among the lists, line, weight)


def compile_regexes(lists: Sequence[RegexList], cache: Path | None = None) -> dict[str, RegexView]:
    """One set a view that some list looks at. Args: cache: directory for what was worked out."""
    found: dict[str, RegexView] = {}
    for view in dict.fromkeys(view for regexes in lists for view in regexes.views):
        members = [
            (number, expression)
            for number, regexes in enumerate(lists)
            if view in regexes.views
            for expression in regexes.expressions
        ]
        patterns = RegexSet([expression.regex for _, expression in members], cache)
        found[view] = RegexView(patterns, tuple((number, e.line, e.weight) for number, e in members))
    return found
