"""Runs the tests of a rule book that are code: those whose condition the message meets, each by its own function.

The functions are evals.py. Tests that are patterns are matcher.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mxward.core.rules.spamassassin.evals import EVALS

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.compile import EvalTest
    from mxward.core.rules.spamassassin.texts import TextSet

_Call = tuple[int, Callable[..., float], tuple[str, ...]]  # slot, function, arguments


class EvalRun:
    """All tests of a rule book that are code. Immutable; may be used by several threads at once."""

    def __init__(self, tests: Sequence[EvalTest]) -> None:
        """Tests of functions that EVALS has not are left out."""
        groups: dict[str, list[_Call]] = {}
        for test in tests:
            if test.function in EVALS:
                function = EVALS[test.function]
                groups.setdefault(function.needs, []).append((test.slot, function.run, test.arguments))
        self._groups = list(groups.items())

    def run(self, texts: TextSet, values: dict[int, float], failed: list[int]) -> None:
        """Note in `values` how often each test matched, and in `failed` the tests whose code failed."""
        for need, calls in self._groups:
            if need and not texts.has(need):
                continue
            for slot, run, arguments in calls:
                try:
                    result = run(texts, *arguments)
                except Exception:  # a fault in one test must neither lose the others nor pass unseen
                    failed.append(slot)
                else:
                    if result:
                        values[slot] = result if result > 0 else 1
