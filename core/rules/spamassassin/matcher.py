"""The patterns of one place (the body, one header, …) over the text that stands there.

What a pattern is compiled to is core/rules/regex; which text a place has is engine.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mxward.bindings import pcre2
from mxward.core.errors import RulePackError
from mxward.core.rules.regex import Regex, RegexSet
from mxward.core.rules.spamassassin.compile import RegexTest
from mxward.core.rules.spamassassin.pattern import Pattern

ANY: Final = r"[\s\S]*"  # stands for a captured value until it is known
_FLAGS: Final = frozenset("imsx")


class Found(NamedTuple):
    """A test that fired: how often, at which place, and where first (bytes of its text); negated ones nowhere."""

    slot: int
    times: int
    place: str
    start: int
    end: int


class PlaceSet:
    """All tests of one place. Immutable. `faults`: slot of a test whose pattern cannot be used -> why."""

    def __init__(self, place: str, tests: Iterable[RegexTest], cache: Path | None) -> None:
        self.place = place
        self.tests = tuple(tests)
        self.faults: dict[int, str] = {}
        self._set = self._compile(cache)
        self._slots = [test.slot for test in self.tests]
        self._negated = frozenset(number for number, test in enumerate(self.tests) if test.negated)

    def match(self, data: bytes, starts: Sequence[int] | None, found: list[Found], exhausted: list[int]) -> None:
        """Add the tests that fire on a text cut into segments at `starts` (None: it is one), and those that gave up."""
        slots, place, negated = self._slots, self.place, self._negated
        matched, gave_up = self._set.match_all(data, starts)
        if gave_up:
            exhausted += [slots[number] for number in gave_up]
        if not negated:
            found += [Found(slots[number], times, place, start, end) for number, times, start, end in matched]
            return
        settled = {number for number, _, _, _ in matched}.union(gave_up)
        found += [Found(slots[n], times, place, start, end) for n, times, start, end in matched if n not in negated]
        found += [Found(slots[number], 1, place, 0, 0) for number in negated if number not in settled]

    def _compile(self, cache: Path | None) -> RegexSet:
        """All patterns together; when one of them is at fault, what is left without it."""
        self.tests = tuple(test if test.compact is None else self._smaller(test) for test in self.tests)
        try:
            return RegexSet([regex(test) for test in self.tests], cache)
        except RulePackError:
            faults = {test.slot: fault for test in self.tests if (fault := _fault(test))}
            self.faults |= faults
            self.tests = tuple(test for test in self.tests if test.slot not in faults)
            return RegexSet([regex(test) for test in self.tests], cache)

    def _smaller(self, test: RegexTest) -> RegexTest:
        """The test with its compact pattern when the other is too large for PCRE2; then `compact` is the other."""
        compact = test._replace(pattern=test.compact or test.pattern, compact=test.pattern)
        return compact if _fault(test) and not _fault(compact) else test


def _fault(test: RegexTest) -> str:
    """Why the pattern does not compile, "" when it does."""
    pattern = regex(test)
    try:
        pcre2.Patterns([(pattern.pattern, pattern.flags, 1)])
    except ValueError as error:
        return str(error)
    return ""


def regex(test: RegexTest, values: Mapping[str, str] | None = None) -> Regex:
    """The pattern for the engine; captured values that stand in it are ANY until they are given."""
    pattern = test.pattern
    source = pattern.source
    if "%{" in source and pattern.templates:
        source = pattern.filled(values or dict.fromkeys(pattern.templates, ANY))
    flags = "".join(flag for flag in pattern.flags if flag in _FLAGS)
    plain = test.compact.source.encode("latin-1") if test.compact is not None else b""
    return Regex(source.encode("latin-1"), flags, bool(test.max_count), test.max_count or 1, plain)


def single(pattern: Pattern) -> RegexSet:
    """One pattern alone. Raises: RulePackError when it does not compile."""
    return RegexSet([Regex(pattern.source.encode("latin-1"), pattern.flags)])
