"""The text of .cf files as logical lines: comments, `lang`, `include`, `if` … `endif`, `require_version`.

Text is held as latin-1, one character a byte, because rules are about bytes. What the lines mean is parse.py.

Source: Mail::SpamAssassin::Conf(3), "FILE FORMAT" and "PREPROCESSING OPTIONS"; behaviour compared with 4.0.1.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from mxward.core.rules.spamassassin.dialect import DIALECT, Dialect
from mxward.core.rules.spamassassin.expression import ExpressionError, evaluate, parse_expression
from mxward.core.rules.spamassassin.problem import Problems

MAX_LINE: Final = 65_536  # characters of one line
MAX_LINES: Final = 2_000_000  # of all files; the public set has 24,000
MAX_INCLUDE_DEPTH: Final = 16
MAX_IF_DEPTH: Final = 64
_COMMENT: Final = re.compile(r"(?<!\\)#.*")
_LANG: Final = re.compile(r"lang\s+(\S+)\s+")
_CALL: Final = re.compile(r"\b(plugin|can|has)\s*\(\s*([\w:]*)\s*\)")
_CLASS: Final = re.compile(r"[\w:]+", re.A)
_NAME: Final = re.compile(r"\b(version|perl_version|local_tests_only)\b")
_LANGUAGE: Final = "en_us"  # the language rules are read for


class Line(NamedTuple):
    """One line that counts: where it stands, its lower-case key with underscores, and the rest."""

    file: str
    number: int
    key: str
    value: str


@dataclass(slots=True)
class _Condition:
    line: int
    outer: bool  # were lines skipped where this block began?


class LineReader:
    """Reads the files of one pack in order. One use: iterate once."""

    def __init__(
        self, files: Mapping[str, str], problems: Problems, dialect: Dialect = DIALECT,
    ) -> None:  # fmt: skip
        """Args: files: path in the pack -> text (latin-1), in the order in which they are read.

        Files in folders are read only where another file includes them, unless there are no others.
        """
        self._files, self._problems, self._dialect = files, problems, dialect
        self._seen: set[str] = set()
        self._n_lines = 0

    def __iter__(self) -> Iterator[Line]:
        top = [name for name in self._files if "/" not in name] or list(self._files)
        for name in top:
            yield from self._file(name, 0)

    def _file(self, name: str, depth: int) -> Iterator[Line]:
        if name in self._seen:
            return
        self._seen.add(name)
        stack: list[_Condition] = []
        skipping = False
        for number, text in enumerate(self._files[name].split("\n"), 1):
            line = self._logical(name, number, text)
            if line is None:
                continue
            if line.key in ("if", "ifplugin", "else", "endif"):
                skipping = self._conditional(line, stack, skipping)
            elif skipping:
                continue
            elif line.key == "require_version":
                skipping = not self._is_required(line)
            elif line.key == "include":
                yield from self._include(line, depth)
            else:
                yield line
        for open_block in stack:
            self._problems.add(name, open_block.line, "warning", "the block that begins here has no endif")

    def _logical(self, name: str, number: int, text: str) -> Line | None:
        self._n_lines += 1
        if self._n_lines > MAX_LINES:
            if self._n_lines == MAX_LINES + 1:
                self._problems.add(name, number, "error", f"more than {MAX_LINES} lines; the rest is not read")
            return None
        if len(text) > MAX_LINE:
            self._problems.add(name, number, "error", f"longer than {MAX_LINE} characters")
            return None
        if "#" in text:
            text = _COMMENT.sub("", text).replace("\\#", "#")
        text = text.strip(" \t\r\f\v")
        if text.startswith("lang") and (lang := _LANG.match(text)):
            if not _LANGUAGE.startswith(lang[1].lower()):
                return None
            text = text[lang.end() :]
        if not text:
            return None
        key, *rest = text.split(None, 1)
        return Line(name, number, key.lower().replace("-", "_"), rest[0] if rest else "")

    def _conditional(self, line: Line, stack: list[_Condition], skipping: bool) -> bool:
        """Whether lines after this one are skipped."""
        if line.key in ("if", "ifplugin"):
            if len(stack) >= MAX_IF_DEPTH:
                self._problems.add(
                    line.file, line.number, "error", f"more than {MAX_IF_DEPTH} blocks within each other"
                )
                return True
            stack.append(_Condition(line.number, skipping))
            return skipping or not self._holds(line)
        if line.value:
            self._problems.add(line.file, line.number, "error", f"{line.key} takes nothing after it")
            return skipping
        if not stack:
            self._problems.add(line.file, line.number, "error", f"{line.key} without if")
            return skipping
        if line.key == "endif":
            return stack.pop().outer
        # SpamAssassin looks at every enclosing block: an `else` never wakes up a block within a skipped one
        return any(block.outer for block in stack) or not skipping

    def _holds(self, line: Line) -> bool:
        text = f"plugin({line.value})" if line.key == "ifplugin" else line.value
        try:
            if line.key == "ifplugin" and not _CLASS.fullmatch(line.value):
                raise ExpressionError("is no name of a plug-in")
            return bool(evaluate(parse_expression(self._resolve(text)), {}))
        except ExpressionError as error:
            self._problems.add(line.file, line.number, "warning", f"{line.key} {line.value}: {error}; taken as false")
            return False

    def _resolve(self, text: str) -> str:
        """The condition with its functions and variables as numbers."""
        dialect = self._dialect
        text = _CALL.sub(lambda call: str(int(dialect.holds(call[1], call[2]))), text)
        values = {
            "version": f"{dialect.version:.6f}", "perl_version": f"{dialect.perl_version:.6f}",
            "local_tests_only": str(int(dialect.local_tests_only)),
        }  # fmt: skip
        return _NAME.sub(lambda name: values[name[1]], text)

    def _is_required(self, line: Line) -> bool:
        if line.value in ("@@VERSION@@", f"{self._dialect.version:.6f}"):
            return True
        self._problems.add(
            line.file, line.number, "warning", f"the rest of the file is for version {line.value} and is not read"
        )
        return False

    def _include(self, line: Line, depth: int) -> Iterator[Line]:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(line.file), line.value))
        if target not in self._files:
            self._problems.add(line.file, line.number, "warning", f"{line.value} is not in the pack and is not read")
        elif depth >= MAX_INCLUDE_DEPTH:
            self._problems.add(
                line.file, line.number, "error", f"more than {MAX_INCLUDE_DEPTH} includes within each other"
            )
        else:
            yield from self._file(target, depth + 1)
