"""Runs the tests of a rule book that are code.

What a test asks for is made ready once a rule set: its arguments are read, tests of the same measure are put together,
and those that cannot match under the rule set's settings are left out. The functions are evals.py. Tests that are
patterns are matcher.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, nextafter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mxward.core.rules.spamassassin.evals import EVALS
from mxward.core.rules.spamassassin.evaltools import Condition, Eval, Measure, Range

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.compile import EvalTest
    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet

LOOK: Final = 8  # tests between looks at the clock
_Call = tuple[int, Callable[..., float], tuple[str, ...]]  # slot, function, arguments


class _Steps(NamedTuple):
    """The tests of one number: between two points, in order, the same tests match."""

    points: list[float]
    slots: list[tuple[int, ...]]  # of the numbers below the first point, from it to the second, and so on

    @classmethod
    def of(cls, wanted: Sequence[tuple[int, Range]]) -> _Steps:
        """Args: wanted: (slot, a range in which it matches), a slot as often as it has ranges."""
        ends = [nextafter(high, inf) for _, (_, high) in wanted if high < inf]
        points = sorted({low for _, (low, _) in wanted} | set(ends))
        inside = [tuple(slot for slot, (low, high) in wanted if low <= point <= high) for point in points]
        return cls(points, [(), *inside])


@dataclass(slots=True)
class _Group:
    """Tests that need the same of a message: functions, and measures with what is looked for by key."""

    needs: Condition | None
    calls: list[_Call] = field(default_factory=list)
    measures: dict[Measure, dict[Any, _Steps]] = field(default_factory=dict)

    def run(self, texts: TextSet, values: dict[int, float], failed: list[int]) -> None:
        """As EvalRun.run, for these tests."""
        is_late = texts.message.is_late
        for measure, tests in self.measures.items():
            if is_late():
                return
            try:
                for key, value in measure(texts, tests):
                    points, slots = tests[key]
                    for slot in slots[bisect_right(points, value)]:
                        values[slot] = 1
            except Exception:  # a fault in one test must neither lose the others nor pass unseen
                failed += {slot for steps in tests.values() for slots in steps.slots for slot in slots}
        for number, (slot, run, arguments) in enumerate(self.calls):
            if number % LOOK == 0 and is_late():
                return
            try:
                result = run(texts, *arguments)
            except Exception:  # as above
                failed.append(slot)
            else:
                if result:
                    values[slot] = result if result > 0 else 1


class _Plan:
    """The tests as they are run with the settings of one rule set. broken: slots with arguments of a wrong number."""

    def __init__(self, tests: Sequence[EvalTest], site: Site) -> None:
        self.site = site
        self.broken: list[int] = []
        self._groups: dict[Condition | None, _Group] = {}
        wanted: dict[tuple[Condition | None, Measure, Any], list[tuple[int, Range]]] = {}
        for test in tests:
            try:
                self._add(test, wanted)
            except TypeError:  # the rule gives too few arguments, or too many
                self.broken.append(test.slot)
        for (needs, measure, key), ranges in wanted.items():
            self._group(needs).measures.setdefault(measure, {})[key] = _Steps.of(ranges)
        self.groups = list(self._groups.values())

    def _add(self, test: EvalTest, wanted: dict[Any, list[tuple[int, Range]]]) -> None:
        function = EVALS[test.function]
        if not isinstance(function, Eval):
            bound = function.bind(*test.arguments)
            ranges = wanted.setdefault((bound.needs, bound.measure, bound.key), [])
            ranges += [(test.slot, one) for one in bound.ranges]
        elif function.is_idle is None or not function.is_idle(self.site, *test.arguments):
            self._group(function.needs).calls.append((test.slot, function.run, test.arguments))

    def _group(self, needs: Condition | None) -> _Group:
        return self._groups.setdefault(needs, _Group(needs))


class EvalRun:
    """All tests of a rule book that are code. Immutable to its users; may be used by several threads at once."""

    def __init__(self, tests: Sequence[EvalTest]) -> None:
        """Tests of functions that EVALS has not are left out."""
        self._tests = [test for test in tests if test.function in EVALS]
        self._plan: _Plan | None = None

    def run(self, texts: TextSet, values: dict[int, float], failed: list[int]) -> None:
        """Note in `values` how often each test matched, and in `failed` the tests whose code failed."""
        plan = self._plan
        if plan is None or plan.site is not texts.site:
            plan = self._plan = _Plan(self._tests, texts.site)  # threads that meet here make the same
        failed += plan.broken
        for group in plan.groups:
            if group.needs is None or group.needs(texts):
                group.run(texts, values, failed)
