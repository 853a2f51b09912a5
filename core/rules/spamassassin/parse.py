"""Logical lines of .cf files to a Config. What is wrong becomes a Problem and has no effect; nothing is raised.

Not here: conditions and includes (lines.py), which tests can run (compile.py).

Source: Mail::SpamAssassin::Conf(3), "RULE DEFINITIONS" and "SCORING OPTIONS"; compared with 4.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from mxward.core.rules.spamassassin.config import NETWORK, Condition, Config, SaTest
from mxward.core.rules.spamassassin.dialect import DIALECT, Dialect
from mxward.core.rules.spamassassin.expression import ExpressionError, parse_expression
from mxward.core.rules.spamassassin.keys import NETWORK_RULES, cleared_by, is_setting
from mxward.core.rules.spamassassin.lines import Line, LineReader
from mxward.core.rules.spamassassin.pattern import PatternError, parse_pattern
from mxward.core.rules.spamassassin.problem import Problems

MAX_TESTS: Final = 50_000  # of one rule set; the public one has 2,900
MAX_SETTINGS: Final = 1_000_000  # lines of settings
MAX_NAME: Final = 100
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.A)
_EXISTS: Final = re.compile(r"exists:([\w.-]+):?", re.A)
_HEADER: Final = re.compile(r"([\w.-]+(?::|(?::[a-z]+){1,2})?)\s*([=!]~)\s*(.+)", re.A | re.S)
_MIME_HEADER: Final = re.compile(r"([^:\s]+(?::(?:raw)?)?)\s*([=!]~)\s*(.+)", re.S)
_MODIFIERS: Final = frozenset(("raw", "addr", "name", "host", "domain", "ip", "revip", "first", "last"))
_UNSET: Final = re.compile(r"\s+\[if-unset:\s+(.+)\]\Z", re.S)
_EVAL: Final = re.compile(r"(rbl)?eval:(\w+)\s*\((.*)\)\s*", re.A | re.S)
_ARGUMENT: Final = re.compile(r"""\s*(?:(['"])(.*?)\1|([\d.:A-Za-z-]+))\s*(?:,\s*|\Z)""", re.S)
_SCORE: Final = re.compile(r"(\()?(-?\d{1,9}(?:\.\d{1,20})?)(?(1)\))", re.A)
_DETAIL: Final = re.compile(r"\b(\w+)\b\s*([=!]~)\s*((?:/.*?/|m(\W).*?\4)[imsx]*)(?=\s|\Z)", re.A)
_DETAIL_TARGETS: Final = frozenset(("raw", "type", "cleaned", "text", "domain", "host"))
_MATCHING: Final = re.compile(r"(?<!_)\brules_matching\(\s*[A-Za-z_*?][\w*?]{0,127}\s*\)", re.A)


class _Fault(ValueError):
    """What is wrong with a line."""


def parse_files(files: Mapping[str, str], dialect: Dialect = DIALECT) -> Config:
    """Read the .cf files of one rule set. Never raises on their content.

    Args: files: path in the pack -> text, one character a byte (latin-1), in the order in which they are read.
    """
    problems = Problems()
    parser = _Parser(problems)
    for line in LineReader(files, problems, dialect):
        parser.take(line)
    config = parser.config
    config.problems, config.n_problems_dropped = problems.found, problems.n_dropped
    return config


class _Parser:
    def __init__(self, problems: Problems) -> None:
        self.config = Config()
        self._problems = problems
        self._n_settings = 0
        self._commands: dict[str, Callable[[Line, str, str], None]] = {
            "header": self._header, "body": self._text_test, "rawbody": self._text_test, "uri": self._text_test,
            "full": self._text_test, "mimeheader": self._mime_header, "uri_detail": self._uri_detail,
            "meta": self._meta, "reuse": self._reuse, "score": self._score, "tflags": self._flags,
            "describe": self._describe, "test": self._sample, "replace_tag": self._tag, "replace_pre": self._tag,
            "replace_inter": self._tag, "replace_post": self._tag, "replace_rules": self._replaced,
            "replace_start": self._mark, "replace_end": self._mark, "priority": self._priority,
        }  # fmt: skip

    def take(self, line: Line) -> None:
        """Put what one line says into the configuration, or say why not."""
        words = line.value.split(None, 1)
        first, rest = (words[0] if words else ""), (words[1] if len(words) > 1 else "")
        command = self._commands.get(line.key)
        name = first if command and line.key not in ("replace_start", "replace_end") else ""
        try:
            if command is not None:
                command(line, first, rest)
            elif line.key in NETWORK_RULES:
                self._network(line, first)
            else:
                self._setting(line)
        except (_Fault, PatternError, ExpressionError) as error:
            self._problems.add(line.file, line.number, "error", str(error), name[:MAX_NAME])

    def _add(self, test: SaTest) -> None:
        name = test.name
        if not _NAME.fullmatch(name):
            raise _Fault("a name is letters, digits and underscores and begins with no digit")
        if len(name) > MAX_NAME:
            raise _Fault(f"a name has at most {MAX_NAME} characters")
        if len(self.config.tests) >= MAX_TESTS and name not in self.config.tests:
            raise _Fault(f"more than {MAX_TESTS} tests")
        self.config.tests[name] = test

    def _header(self, line: Line, name: str, text: str) -> None:
        if self._eval(line, name, text):
            return
        exists = _EXISTS.fullmatch(text)
        if exists:
            self._add(SaTest(name, "exists", line.file, line.number, exists[1]))
            return
        test = _HEADER.fullmatch(text)
        if test is None:
            raise _Fault("expected: HEADER[:modifier] =~ /pattern/, HEADER !~ /pattern/, exists:HEADER or eval:…")
        target, sign, written = test[1].removesuffix(":"), test[2], test[3]
        unknown = set(target.lower().split(":")[1:]) - _MODIFIERS
        if unknown:
            raise _Fault(f"unknown modifier :{min(unknown)} (allowed: {' '.join(sorted(_MODIFIERS))})")
        written, unset = _without_unset(written)
        pattern = parse_pattern(written)
        self._add(SaTest(name, "header", line.file, line.number, target, sign == "!~", pattern, unset))

    def _mime_header(self, line: Line, name: str, text: str) -> None:
        test = _MIME_HEADER.fullmatch(text)
        if test is None:
            raise _Fault("expected: HEADER[:raw] =~ /pattern/ or HEADER !~ /pattern/")
        written, unset = _without_unset(test[3])
        target = test[1].removesuffix(":")
        pattern = parse_pattern(written)
        self._add(SaTest(name, "mimeheader", line.file, line.number, target, test[2] == "!~", pattern, unset))

    def _text_test(self, line: Line, name: str, text: str) -> None:
        if line.key != "uri" and self._eval(line, name, text):
            return
        if not text:
            raise _Fault("the pattern is missing")
        self._add(SaTest(name, line.key, line.file, line.number, pattern=parse_pattern(text)))

    def _eval(self, line: Line, name: str, text: str) -> bool:
        call = _EVAL.fullmatch(text)
        if call is None:
            if text.startswith(("eval:", "rbleval:")):
                raise _Fault("expected: eval:function(arguments)")
            return False
        function = call[2]
        if line.key == "header" and (call[1] or function.startswith(("check_rbl", "check_dns"))):
            self._add(SaTest(name, NETWORK, line.file, line.number, function))
        else:
            arguments = _arguments(call[3])
            self._add(SaTest(name, "eval", line.file, line.number, line.key, function=function, arguments=arguments))
        return True

    def _uri_detail(self, line: Line, name: str, text: str) -> None:
        conditions: dict[str, Condition] = {}
        for target, sign, written, _ in _DETAIL.findall(text):
            if target not in _DETAIL_TARGETS:
                raise _Fault(f"unknown form {target} (allowed: {' '.join(sorted(_DETAIL_TARGETS))})")
            conditions[target] = Condition(target, sign, parse_pattern(written))
        if not conditions or _DETAIL.sub("", text).strip():
            raise _Fault("expected: raw|type|cleaned|text|domain|host =~ /pattern/ …")
        self._add(SaTest(name, "uri_detail", line.file, line.number, conditions=tuple(conditions.values())))

    def _meta(self, line: Line, name: str, text: str) -> None:
        if not text:
            raise _Fault("the expression is missing")
        if text.replace(" ", "") == "()":
            self._add(SaTest(name, "empty", line.file, line.number))
            return
        parse_expression(_MATCHING.sub("0", text))
        self._add(SaTest(name, "meta", line.file, line.number, expression=text))

    def _network(self, line: Line, name: str) -> None:
        self._add(SaTest(name, NETWORK, line.file, line.number, line.key))

    def _reuse(self, line: Line, name: str, text: str) -> None:
        if name not in self.config.tests:
            self._add(SaTest(name, "empty", line.file, line.number))

    def _score(self, line: Line, name: str, text: str) -> None:
        found = [_SCORE.fullmatch(number) for number in text.split()]
        if len(found) not in (1, 4) or not all(found):
            raise _Fault("expected: score NAME and 1 or 4 numbers")
        old = self.config.scores.get(name)
        relative = any(number[1] for number in found if number)
        if relative and old is None:
            raise _Fault("a relative score without an earlier one")
        numbers = [float(number[2]) for number in found if number] * (4 // len(found))
        base = old if relative and old is not None else (0.0, 0.0, 0.0, 0.0)
        a, b, c, d = (number + start for number, start in zip(numbers, base, strict=True))
        self.config.scores[name] = (a, b, c, d)

    def _flags(self, line: Line, name: str, text: str) -> None:
        if not text:
            raise _Fault("the flags are missing")
        self.config.flags[name] = frozenset(text.split())

    def _describe(self, line: Line, name: str, text: str) -> None:
        if text:
            self.config.descriptions[name] = text.encode("latin-1", "replace").decode("utf-8", "replace")[:500]

    def _sample(self, line: Line, name: str, text: str) -> None:
        expected, *sample = text.split(None, 1) or [""]
        if expected not in ("ok", "fail"):
            raise _Fault("expected: test NAME ok|fail TEXT")
        self.config.samples.append((name, expected, sample[0] if sample else ""))

    def _tag(self, line: Line, name: str, text: str) -> None:
        if not text:
            raise _Fault("expected: a name and an expression")
        tags = self.config.tags
        tables = {
            "replace_tag": tags.tag,
            "replace_pre": tags.pre,
            "replace_inter": tags.inter,
            "replace_post": tags.post,
        }
        tables[line.key][name] = text

    def _replaced(self, line: Line, name: str, text: str) -> None:
        self.config.replaced.update(line.value.split())

    def _mark(self, line: Line, name: str, text: str) -> None:
        if not line.value:
            raise _Fault("the mark is missing")
        setattr(self.config.tags, line.key.removeprefix("replace_"), line.value)

    def _priority(self, line: Line, name: str, text: str) -> None:
        """The order in which tests run; the result does not depend on it here."""
        if not re.fullmatch(r"-?\d+", text):
            raise _Fault("expected: a name and a whole number")

    def _setting(self, line: Line) -> None:
        if not is_setting(line.key):
            self._problems.add(line.file, line.number, "warning", f"unknown setting {line.key[:60]}")
            return
        self._n_settings += 1
        if self._n_settings > MAX_SETTINGS:
            raise _Fault(f"more than {MAX_SETTINGS} settings")
        for key in cleared_by(line.key):
            self.config.settings.pop(key, None)
        self.config.settings.setdefault(line.key, []).append(line.value)


def _without_unset(written: str) -> tuple[str, str | None]:
    unset = _UNSET.search(written)
    return (written[: unset.start()], unset[1]) if unset else (written, None)


def _arguments(text: str) -> tuple[str, ...]:
    """Quoted strings, numbers, host names. Raises: _Fault when there is anything else."""
    found: list[str] = []
    at = 0
    while text[at:].strip():
        argument = _ARGUMENT.match(text, at)
        if argument is None or argument.end() == at:
            raise _Fault("cannot read the arguments of the function")
        found.append(argument[3] if argument[3] is not None else argument[2])
        at = argument.end()
    return tuple(found)
