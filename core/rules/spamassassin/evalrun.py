"""Runs the tests of a rule book that are code.

What a test asks for is made ready once a rule set: its arguments are read, tests of one number of the message are put
together, and those that cannot match under the rule set's settings are left out. The functions are evals.py. Tests that
are patterns are matcher.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mxward.core.rules.spamassassin.evals import EVALS
from mxward.core.rules.spamassassin.evaltools import Eval, Measure, Range

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.compile import EvalTest
    from mxward.core.rules.spamassassin.site import Site
    from mxward.core.rules.spamassassin.texts import TextSet

_Call = tuple[int, Callable[..., float], tuple[str, ...]]  # slot, function, arguments
_Wanted = tuple[int, float, float]  # slot, and a range in which it matches


class _Group:
    """Tests that need the same of a message: functions, and numbers with the ranges that tests look for them in."""

    def __init__(self) -> None:
        self.calls: list[_Call] = []
        self.measures: dict[Measure, list[_Wanted]] = {}

    def measure(self, slot: int, measure: Measure, ranges: Sequence[Range]) -> None:
        """Add a test of a number."""
        self.measures.setdefault(measure, []).extend((slot, low, high) for low, high in ranges)


class _Plan(NamedTuple):
    """The tests as they are run with the settings of one rule set. broken: slots with arguments of a wrong number."""

    site: Site
    groups: list[tuple[str, list[_Call], list[tuple[Measure, list[_Wanted]]]]]
    broken: list[int]


class EvalRun:
    """All tests of a rule book that are code. Immutable to its users; may be used by several threads at once."""

    def __init__(self, tests: Sequence[EvalTest]) -> None:
        """Tests of functions that EVALS has not are left out."""
        self._tests = [(test, EVALS[test.function]) for test in tests if test.function in EVALS]
        self._plan: _Plan | None = None

    def run(self, texts: TextSet, values: dict[int, float], failed: list[int]) -> None:
        """Note in `values` how often each test matched, and in `failed` the tests whose code failed."""
        plan = self._plan
        if plan is None or plan.site is not texts.site:
            plan = self._plan = self._made(texts.site)  # threads that meet here make the same
        failed += plan.broken
        for need, calls, measures in plan.groups:
            if need and not texts.has(need):
                continue
            for measure, wanted in measures:
                try:
                    found = measure(texts)
                except Exception:  # a fault in one test must neither lose the others nor pass unseen
                    failed += dict.fromkeys(slot for slot, _, _ in wanted)
                    continue
                for value in found:
                    for slot, low, high in wanted:
                        if low <= value <= high:
                            values[slot] = 1
            for slot, run, arguments in calls:
                try:
                    result = run(texts, *arguments)
                except Exception:  # as above
                    failed.append(slot)
                else:
                    if result:
                        values[slot] = result if result > 0 else 1

    def _made(self, site: Site) -> _Plan:
        groups: dict[str, _Group] = {}
        broken: list[int] = []
        for test, function in self._tests:
            try:
                if not isinstance(function, Eval):
                    bound = function.bind(*test.arguments)
                    groups.setdefault(bound.needs, _Group()).measure(test.slot, bound.measure, bound.ranges)
                elif function.is_idle is None or not function.is_idle(site, *test.arguments):
                    call = (test.slot, function.run, test.arguments)
                    groups.setdefault(function.needs, _Group()).calls.append(call)
            except TypeError:  # the rule gives too few arguments, or too many
                broken.append(test.slot)
        return _Plan(site, [(need, g.calls, list(g.measures.items())) for need, g in groups.items()], broken)
