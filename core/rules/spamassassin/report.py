"""What became of a set of .cf files: tests by kind, which run, why the others do not, what is wrong with lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mxward.core.rules.spamassassin.compile import UNKNOWN_FUNCTION, RuleBook
from mxward.core.rules.spamassassin.config import NETWORK, Config
from mxward.core.rules.spamassassin.problem import Problem

KINDS: Final = (
    "header", "exists", "body", "rawbody", "uri", "full", "mimeheader", "uri_detail", "eval", "meta", "empty", NETWORK,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """`kinds`: kind -> (tests, tests that run), those that there are; `idle`: reason -> names, sorted."""

    n_files: int
    n_tests: int
    n_used: int
    kinds: dict[str, tuple[int, int]]
    idle: dict[str, list[str]]
    faults: dict[str, str] = field(default_factory=dict)  # name of a test -> what is wrong with it
    partial: list[str] = field(default_factory=list)  # metas that run although a test they use does not
    functions: dict[str, int] = field(default_factory=dict)  # eval function that is not supported -> tests that use it
    problems: list[Problem] = field(default_factory=list)
    n_problems_dropped: int = 0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "files": self.n_files, "tests": self.n_tests, "used": self.n_used,
            "kinds": {kind: {"tests": total, "used": used} for kind, (total, used) in self.kinds.items()},
            "idle": self.idle, "faults": self.faults, "partial": self.partial, "functions": self.functions,
            "problems": [
                {"file": p.file, "line": p.line, "severity": p.severity, "rule": p.rule, "text": p.text}
                for p in self.problems
            ],
            "problems_dropped": self.n_problems_dropped,
        }  # fmt: skip


def make_report(config: Config, book: RuleBook, files: Mapping[str, str]) -> Report:
    """The report of one rule set."""
    kinds: dict[str, list[int]] = {}
    functions: dict[str, int] = {}
    used = frozenset(book.names) - book.idle.keys()
    for test in config.tests.values():
        count = kinds.setdefault(test.kind, [0, 0])
        count[0] += 1
        count[1] += test.name in used
    idle: dict[str, list[str]] = {}
    for name, reason in book.idle.items():
        idle.setdefault(reason, []).append(name)
        if reason == UNKNOWN_FUNCTION:
            function = config.tests[name].function
            functions[function] = functions.get(function, 0) + 1
    return Report(
        len(files), len(config.tests), len(used), {k: (kinds[k][0], kinds[k][1]) for k in KINDS if k in kinds},
        {reason: sorted(names) for reason, names in sorted(idle.items())}, dict(book.faults),
        book.partial, dict(sorted(functions.items())), config.problems, config.n_problems_dropped,
    )  # fmt: skip
