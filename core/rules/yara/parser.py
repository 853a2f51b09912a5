"""YARA text to `Source`: imports, and of each rule its place, tags, strings and condition.

Nothing here judges whether a rule is valid; that is libyara's. What is not understood in a rule makes that rule one
without a condition (`Rule.reason`); where not even the end of a rule can be found, NotUnderstood is raised for the
whole source. Conditions are read by condition.py.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from mxward.core.rules.yara.condition import parse_condition
from mxward.core.rules.yara.lexer import HEX, NUMBER, REGEX, TEXT, WORD, Token, skip, tokens
from mxward.core.rules.yara.tree import NotUnderstood, Rule, Source, String

_IMPORT: Final = re.compile(r'import[ \t\r\n]*+"([A-Za-z0-9_]++)"')
_HEAD: Final = re.compile(r"(?:(private|global)|rule)(?![A-Za-z0-9_])")
_SECTION: Final = re.compile(r"(meta|strings|variables|condition)(?![A-Za-z0-9_])")
_STRING: Final = re.compile(r"\$[A-Za-z0-9_]*+")
_MODIFIERS: Final = frozenset(("nocase", "wide", "ascii", "fullword", "xor", "base64", "base64wide", "private"))
_ARGUMENT: Final = re.compile(
    r'\([ \t]*+("(?:[^"\\\n]++|\\[^\n])*+"|[0-9A-Fa-fx]++(?:[ \t]*+-[ \t]*+[0-9A-Fa-fx]++)?)[ \t]*+\)'
)


def parse(namespace: str, text: str) -> Source:
    """Read one source.

    Raises: NotUnderstood when the text cannot be cut into rules.
    """
    imports: dict[str, None] = {}
    rules: list[Rule] = []
    at, counted, line = skip(text, 0), 0, 1
    while at < len(text):
        found = _IMPORT.match(text, at)
        if found:
            imports[found[1]] = None
            at = found.end()
        else:
            line += text.count("\n", counted, at)
            counted = at
            rule = _Reader(text, at).rule(line)
            rules.append(rule)
            at = rule.end
        at = skip(text, at)
    return Source(namespace, text, tuple(imports), rules)


class _Reader:
    """Reads one rule. `at` always stands behind space and comments."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at

    def rule(self, line: int) -> Rule:
        rule = Rule("", self.at, 0, line)
        while True:
            head = self._take(_HEAD)
            if head[0] == "rule":
                break
            rule.is_private |= head[1] == "private"
            rule.is_global |= head[1] == "global"
        rule.name = self._take(WORD)[0]
        if self._has(":"):
            tags = []
            while not self._peek("{"):
                tags.append(self._take(WORD)[0])
            rule.tags = tuple(tags)
        self._expect("{")
        strings: list[String] = []
        while (section := self._take(_SECTION)[1]) != "condition":
            self._expect(":")
            if section == "meta":
                rule.views = self._meta()
            else:
                self._strings(strings)
        self._expect(":")
        rule.strings = tuple(strings)
        found, rule.end = tokens(self.text, self.at)
        _finish(rule, found)
        return rule

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise NotUnderstood("the text cannot be cut into rules")
        self.at = skip(self.text, found.end())
        return found

    def _peek(self, char: str) -> bool:
        return self.text.startswith(char, self.at)

    def _has(self, char: str) -> bool:
        if not self._peek(char):
            return False
        self.at = skip(self.text, self.at + 1)
        return True

    def _expect(self, char: str) -> None:
        if not self._has(char):
            raise NotUnderstood("the text cannot be cut into rules")

    def _meta(self) -> str:
        """Passed over, but for `views`, of which the last is returned."""
        views = ""
        while not _SECTION.match(self.text, self.at) or not self._section_begins():
            name = self._take(WORD)[0]
            self._expect("=")
            if self._peek('"'):
                text = self._take(TEXT)[1]
                views = text if name == "views" else views
            elif self._has("-") or self.text[self.at : self.at + 1].isdigit():
                self._take(NUMBER)
            else:
                self._take(WORD)
        return views

    def _section_begins(self) -> bool:
        """A meta name may be such a word too in other dialects; here a colon must follow."""
        found = _SECTION.match(self.text, self.at)
        return found is not None and self.text.startswith(":", skip(self.text, found.end()))

    def _strings(self, strings: list[String]) -> None:
        while self._peek("$"):
            name = self._take(_STRING)[0]
            self._expect("=")
            flags = ""
            if self._peek('"'):
                kind, body = "text", self._take(TEXT)[1]
            elif self._peek("{"):
                kind, body = "hex", self._take(HEX)[1]
            else:
                found = self._take(REGEX)
                kind, body, flags = "regex", found[1], found[2]
            strings.append(String(name, kind, body, self._modifiers(), flags))

    def _modifiers(self) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        while (word := WORD.match(self.text, self.at)) and word[0] in _MODIFIERS:
            self._take(WORD)
            found.append((word[0], self._take(_ARGUMENT)[1] if self._peek("(") else ""))
        return tuple(found)


def _finish(rule: Rule, found: list[Token]) -> None:
    """Condition, and the names that it speaks of, which hold whether or not it is understood."""
    rule.words = frozenset(token.text for token in found if token.kind == "word")
    rule.rule_sets = tuple(token.text for token, after in pairwise(found) if token.kind == "word" and after.text == "*")
    try:
        rule.condition = parse_condition(found)
    except NotUnderstood as error:
        rule.reason = str(error)
