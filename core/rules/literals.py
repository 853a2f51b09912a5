"""Literal lists: words and phrases that count. The search is core/detect/literal.py.

    # a comment
    @name PHISH_PHRASES          hit name; default: the file's stem in capitals
    @category phish              one of verdict.CATEGORIES; default spam
    @weight 1.5                  of each phrase; default 1
    @cap 5                       the most that one message scores by this list; default: no cap
    @words yes                   whole words only (default yes); "no" also finds parts of words
    @views text subject names    where to look; default text subject
    @description asks to verify an account
    verify your account
    2.5 | your mailbox will be deactivated      a phrase with a weight of its own

Case, runs of white space and zero-width characters do not matter. A phrase counts once a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mxward.core.errors import RulePackError
from mxward.core.extract.fold import fold
from mxward.core.rules.directives import default_name, fault

_WEIGHTED: Final = re.compile(r"(-?\d{1,3}(?:\.\d{1,3})?)\s*\|\s*(.+)")
MIN_PHRASE: Final = 3  # code points; shorter ones hit everywhere
MAX_PHRASES: Final = 500_000  # of one list
_DIRECTIVES: Final = ("name", "category", "weight", "cap", "words", "views", "description")


@dataclass(frozen=True, slots=True)
class LiteralList:
    """One list, folded. `phrases` are (folded phrase, weight), distinct."""

    name: str
    category: str
    cap: float
    words: bool
    views: tuple[str, ...]
    description: str
    phrases: tuple[tuple[str, float], ...]
    file: str = ""


def parse_list(text: str, file: str) -> LiteralList:
    """Read one .list file. Raises: RulePackError with file and line."""
    settings: dict[str, str] = {}
    phrases: dict[str, float | None] = {}
    for number, raw_line in enumerate(text.splitlines(), 1):
        line = raw_line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("@"):
            _directive(line, settings, file, number)
        else:
            phrase, weight = _phrase(line, file, number)
            phrases.setdefault(phrase, weight)
    if not phrases:
        raise RulePackError("holds no phrase", pack=file)
    if len(phrases) > MAX_PHRASES:
        raise RulePackError(f"holds more than {MAX_PHRASES} phrases", pack=file)
    weight = float(settings.get("weight", "1"))
    return LiteralList(
        name=settings.get("name", default_name(file)), category=settings.get("category", "spam"),
        cap=float(settings.get("cap", "inf")), words=settings.get("words", "yes") == "yes",
        views=tuple(settings.get("views", "text subject").split()), description=settings.get("description", ""),
        phrases=tuple((p, weight if w is None else w) for p, w in phrases.items()), file=file,
    )  # fmt: skip


def _phrase(line: str, file: str, number: int) -> tuple[str, float | None]:
    weighted = _WEIGHTED.fullmatch(line)
    phrase = fold(weighted[2] if weighted else line)
    if len(phrase) < MIN_PHRASE:
        raise RulePackError(f"phrase {phrase!r} is shorter than {MIN_PHRASE} characters", pack=file, line=number)
    return phrase, float(weighted[1]) if weighted else None


def _directive(line: str, settings: dict[str, str], file: str, number: int) -> None:
    key, _, value = line[1:].partition(" ")
    value = value.strip()
    if allowed := fault(key, value, _DIRECTIVES):
        raise RulePackError(f"@{key} {value!r} (allowed: {allowed})", pack=file, line=number)
    settings[key] = value
