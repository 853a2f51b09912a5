"""Where each rule of a YARA text begins and ends, so that single rules can be left out or measured.

Only what decides that is read: comments, strings, regular expressions and braces. What a rule means is libyara's to
say, and core/rules/yara's.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

# In YARA a slash is never a division, so one that opens no comment opens a regular expression.
_SKIP: Final = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"?|/(?:\\.|[^/\\\n])+/?|[{}]|[A-Za-z_]\w*|\Z""", re.S
)
_MODIFIERS: Final = frozenset(("private", "global"))


@dataclass(frozen=True, slots=True)
class RuleSpan:
    """One rule: characters [start, end) of the text, modifiers included; `words` are the identifiers in it."""

    name: str
    start: int
    end: int
    modifiers: frozenset[str]
    words: frozenset[str]


def rule_spans(text: str) -> list[RuleSpan]:
    """The rules of a text, in order. A text that libyara would refuse gives what can be told of it."""
    found: list[RuleSpan] = []
    depth, start, name, after_rule = 0, -1, "", False
    modifiers: set[str] = set()
    words: set[str] = set()
    for match in _SKIP.finditer(text):
        lexeme = match[0]
        if lexeme == "{":
            depth += 1
        elif lexeme == "}":
            depth -= 1
            if depth <= 0:
                if name:
                    found.append(RuleSpan(name, start, match.end(), frozenset(modifiers), frozenset(words)))
                depth, start, name, after_rule, modifiers, words = 0, -1, "", False, set(), set()
        elif not lexeme or not (lexeme[0].isalpha() or lexeme[0] == "_"):
            continue
        elif depth:
            words.add(lexeme)
        elif after_rule:
            name, after_rule = name or lexeme, False
        elif not name and lexeme in (*_MODIFIERS, "rule"):
            start = match.start() if start < 0 else start
            after_rule = lexeme == "rule"
            modifiers |= {lexeme} & _MODIFIERS
    return found


def leave_out(text: str, names: Collection[str]) -> str:
    """The text without the rules of these names; the others keep their lines."""
    parts, at = [], 0
    for span in rule_spans(text):
        if span.name in names:
            parts += [text[at : span.start], re.sub(r"[^\n]", " ", text[span.start : span.end])]
            at = span.end
    return "".join((*parts, text[at:]))


def needed_by(spans: Collection[RuleSpan], name: str) -> set[str]:
    """Names of the rules that a rule refers to, directly or through others, and of all global ones."""
    by_name = {span.name: span for span in spans}
    needed = {span.name for span in spans if "global" in span.modifiers}
    todo = [name, *needed]
    while todo:
        for word in by_name[todo.pop()].words:
            if word in by_name and word not in needed:
                needed.add(word)
                todo.append(word)
    return needed - {name}


def users_of(spans: Collection[RuleSpan], names: Collection[str]) -> set[str]:
    """Names of the rules that cannot stay when `names` go: those that refer to them, directly or through others."""
    gone = set(names)
    while more := {span.name for span in spans if span.name not in gone and not gone.isdisjoint(span.words)}:
        gone |= more
    return gone - set(names)
