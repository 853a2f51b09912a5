"""The patterns of all places (the body, each header, …) over the texts that stand there.

What a pattern is compiled to is core/rules/regex; which text a place has is engine.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from mxward.bindings import pcre2
from mxward.core.errors import RulePackError
from mxward.core.rules.regex import Piece, Regex, RegexSet
from mxward.core.rules.spamassassin.compile import RegexTest
from mxward.core.rules.spamassassin.pattern import Pattern

ANY: Final = r"[\s\S]*"  # stands for a captured value until it is known
LARGE: Final = ("full", "rest")  # places with long texts, beside all kinds of whole headers
FEW: Final = 10  # tests
_FLAGS: Final = frozenset("imsx")


Kind = tuple[str, str | None, int, int, bool]  # place, and for tests of parts: unset value, first and last part, joined
Match = tuple[int, int, int, int]  # number of the test, how often, and where first: start and end in bytes of its text


class Found(NamedTuple):
    """Where a pattern matched first: the place, and bytes of its text; negated ones match nowhere."""

    place: str
    start: int
    end: int


class PlaceSet:
    """Tests over texts of many kinds, matched in one call. Immutable.

    kinds: each kind of text and its number; faults: slot of a test whose pattern cannot be used -> why.
    """

    def __init__(self, tests: Iterable[RegexTest], cache: Path | None) -> None:
        self.tests = tuple(tests)
        self.kinds: dict[Kind, int] = {}
        for test in self.tests:
            self.kinds.setdefault(kind(test), len(self.kinds))
        self.faults: dict[int, str] = {}
        self._aside = _aside(self.tests, self.kinds)
        self._set, self._few = self._compile(cache)
        self._slots = [test.slot for test in self.tests]
        self._negated: dict[int, list[int]] = {}
        for number, test in enumerate(self.tests):
            if test.negated:
                self._negated.setdefault(self.kinds[kind(test)], []).append(number)
        self._never = frozenset(number for numbers in self._negated.values() for number in numbers)

    def match(self, pieces: list[Piece], found: dict[int, Match], exhausted: list[int]) -> None:
        """Add the tests that fire, by slot, and the slots of those that gave up. Each test sees texts of its kind."""
        slots, never, aside = self._slots, self._never, self._aside
        matched, gave_up = self._set.match_pieces([piece for piece in pieces if piece[0] not in aside])
        if few := [piece for piece in pieces if piece[0] in aside]:
            other, also = self._few.match_pieces(few)
            before = len(self._set.patterns)
            matched += [(number + before, times, start, end) for number, times, start, end in other]
            gave_up += [number + before for number in also]
        found.update([(slots[match[0]], match) for match in matched if match[0] not in never])
        if gave_up:
            exhausted += [slots[number] for number in gave_up]
        settled = {match[0] for match in matched}.union(gave_up)
        for number in [number for piece in pieces for number in self._negated.get(piece[0], ())]:
            if number not in settled:
                found[slots[number]] = (number, 1, 0, 0)

    def absent(self, number: int, unset: str | None) -> list[tuple[int, Match]]:
        """What fires where a text of a kind is missing, of the tests that take `unset` instead."""
        found: dict[int, Match] = {}
        self.match([(number, (unset or "").encode("latin-1"), None)], found, [])
        return [(slot, match) for slot, match in found.items() if self.tests[match[0]].unset == unset]

    def where(self, match: Match) -> Found:
        """The place of a match."""
        return Found(self.tests[match[0]].place, match[2], match[3])

    def _compile(self, cache: Path | None) -> tuple[RegexSet, RegexSet]:
        """All patterns; when one of them is at fault, what is left without it."""
        self.tests = tuple(test if test.compact is None else self._smaller(test) for test in self.tests)
        try:
            return self._regexes(cache)
        except RulePackError:
            faults = {test.slot: fault for test in self.tests if (fault := _fault(test))}
            self.faults |= faults
            self.tests = tuple(test for test in self.tests if test.slot not in faults)
            return self._regexes(cache)

    def _regexes(self, cache: Path | None) -> tuple[RegexSet, RegexSet]:
        """The patterns, and by themselves those of the kinds that are set aside; the tests are put in that order."""
        most, few = (
            [t for t in self.tests if (self.kinds[kind(t)] in self._aside) is aside] for aside in (False, True)
        )
        self.tests = (*most, *few)
        sets = ([regex(test)._replace(place=self.kinds[kind(test)]) for test in tests] for tests in (most, few))
        first, second = (RegexSet(patterns, cache) for patterns in sets)
        return first, second

    def _smaller(self, test: RegexTest) -> RegexTest:
        """The test with its compact pattern when the other is too large for PCRE2; then `compact` is the other."""
        compact = test._replace(pattern=test.compact or test.pattern, compact=test.pattern)
        return compact if _fault(test) and not _fault(compact) else test


def _aside(tests: Iterable[RegexTest], kinds: Mapping[Kind, int]) -> frozenset[int]:
    """Kinds of long texts with few tests: it would be idle to search them for what all the others look for."""
    counts = Counter(kinds[kind(test)] for test in tests)
    large = [number for (place, *_), number in kinds.items() if place in LARGE or place.startswith("header ALL")]
    return frozenset(number for number in large if counts[number] <= FEW)


def kind(test: RegexTest) -> Kind:
    """The kind of text that a test looks at."""
    if test.place.startswith("mime "):
        return test.place, test.unset, test.first_part, test.last_part, test.joined
    return test.place, None, 1, 1, False


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
