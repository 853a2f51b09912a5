"""YARA by yara-python: compile rule text, keep compiled rules as bytes, scan a buffer.

Rules are untrusted programs: `include` is off, a scan has a time limit, what `console.log` prints is dropped.
What the findings mean is not here (core/detect/yara.py), nor are packs (core/rules).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import yara

VERSION: Final[str] = yara.YARA_VERSION
_WHERE: Final = re.compile(r"^(?:(?P<file>[^\s(]+)\((?P<line>\d+)\)|line (?P<line2>\d+)): (?P<reason>.*)$", re.S)
MAX_SPANS: Final = 8  # match instances reported for one yara rule


class YaraSyntaxError(Exception):
    """A rule text does not compile. `namespace` and `line` say where (0: unknown)."""

    def __init__(self, namespace: str, line: int, reason: str) -> None:
        self.namespace, self.line, self.reason = namespace, line, reason
        super().__init__(f"{namespace}:{line}: {reason}")


class YaraTimeout(Exception):
    """A scan used up its time limit; findings up to then are lost."""


class YaraFailure(Exception):
    """libyara failed for a reason that is not the rule text's syntax (memory, a broken compiled form)."""


class Finding(NamedTuple):
    """One yara rule that matched one buffer; spans are (offset, length), at most MAX_SPANS."""

    namespace: str
    name: str
    tags: tuple[str, ...]
    meta: dict[str, Any]
    spans: tuple[tuple[int, int], ...]


def _spans(match: Any) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for string in match.strings:
        for instance in string.instances:
            spans.append((instance.offset, instance.matched_length))
            if len(spans) >= MAX_SPANS:
                return tuple(spans)
    return tuple(spans)


def _ignore_warning(kind: int, detail: Any) -> int:
    """Too many matches of one string: count no further and go on. Anything but this value ends the scan."""
    return int(yara.CALLBACK_CONTINUE)


def _ignore_console(text: str) -> None:
    """Rules that print do so for their author, not into our logs."""


class YaraRules:
    """Compiled rules. Immutable; `scan` may be called from several threads at once."""

    __slots__ = ("_match", "_rules")

    def __init__(self, rules: Any) -> None:
        self._rules = rules
        self._match: Callable[..., list[Any]] = rules.match

    def scan(
        self, data: bytes | memoryview, externals: Mapping[str, str | int | bool], timeout_s: int
    ) -> list[Finding]:
        """Yara rules that match `data`. The GIL is released while libyara works.

        Args: externals: values for variables given to `compile_rules`; timeout_s: whole seconds.
        Raises: YaraTimeout, YaraFailure.
        """
        try:
            matches = self._match(
                data=data, externals=externals, timeout=timeout_s,
                warnings_callback=_ignore_warning, console_callback=_ignore_console,
            )  # fmt: skip
        except yara.TimeoutError as error:
            raise YaraTimeout(str(error)) from error
        except yara.Error as error:
            raise YaraFailure(str(error)) from error
        if not matches:
            return []
        return [Finding(m.namespace, m.rule, tuple(m.tags), dict(m.meta), _spans(m)) for m in matches]

    def names(self) -> list[str]:
        """Identifiers of the public yara rules, in source order."""
        return [rule.identifier for rule in self._rules]

    def dump(self) -> bytes:
        """The compiled form, for `load_rules` of the same libyara version."""
        buffer = io.BytesIO()
        self._rules.save(file=buffer)
        return buffer.getvalue()


def compile_rules(sources: Mapping[str, str], externals: Mapping[str, str | int | bool]) -> YaraRules:
    """Compile rule texts, one namespace each, into one rule set.

    Args: sources: namespace -> text; externals: variables that conditions may use, with default values.
    Raises: YaraSyntaxError with the first offending namespace and line; YaraFailure.
    """
    try:
        rules = yara.compile(sources=dict(sources), externals=dict(externals), includes=False)
    except yara.SyntaxError as error:
        raise _located(str(error), sources, externals) from error
    except yara.Error as error:
        raise YaraFailure(str(error)) from error
    return YaraRules(rules)


def _located(message: str, sources: Mapping[str, str], externals: Mapping[str, str | int | bool]) -> YaraSyntaxError:
    """Which namespace it was: yara-python's text for several sources does not always say."""
    for namespace, text in sources.items():
        try:
            yara.compile(source=text, externals=dict(externals), includes=False)
        except yara.SyntaxError as error:
            found = _WHERE.match(str(error))
            if found is None:
                return YaraSyntaxError(namespace, 0, str(error))
            return YaraSyntaxError(namespace, int(found["line"] or found["line2"] or 0), found["reason"])
        except yara.Error as error:
            return YaraSyntaxError(namespace, 0, str(error))
    return YaraSyntaxError("", 0, message)


def load_rules(blob: bytes | memoryview) -> YaraRules:
    """Rules from `YaraRules.dump`. Only for blobs whose integrity the caller has checked.

    Raises: YaraFailure when it is of another libyara version or damaged in a way libyara sees.
    """
    try:
        return YaraRules(yara.load(file=io.BytesIO(blob)))
    except yara.Error as error:
        raise YaraFailure(str(error)) from error
