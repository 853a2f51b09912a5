"""What .cf files say, as data: tests, scores, flags, descriptions, settings. Made by parse.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mxward.core.rules.spamassassin.pattern import Pattern
from mxward.core.rules.spamassassin.problem import Problem
from mxward.core.rules.spamassassin.replace import Tags

REGEX_KINDS: Final = ("header", "mimeheader", "body", "rawbody", "uri", "full")
NETWORK: Final = "network"
NO_PATTERN: Final = Pattern("", "")


class Condition(NamedTuple):
    """One condition of a uri_detail test: which form of an address, "=~" or "!~", and the pattern."""

    target: str
    sign: str
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class SaTest:
    """One test by name; the last definition of a name counts.

    kind: one of REGEX_KINDS, "exists", "uri_detail", "eval", "meta", "empty" (named but not defined) or "network".
    target: header name with modifiers ("From:addr"), the form an eval test looks at, or the network command.
    """

    name: str
    kind: str
    file: str
    line: int
    target: str = ""
    negated: bool = False
    pattern: Pattern = NO_PATTERN
    unset: str | None = None  # what stands for a header that is absent
    expression: str = ""  # of a meta test
    function: str = ""  # of an eval test
    arguments: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()  # of a uri_detail test


@dataclass(slots=True)
class Config:
    """Everything that the files of one rule set say."""

    tests: dict[str, SaTest] = field(default_factory=dict)
    scores: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    flags: dict[str, frozenset[str]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, list[str]] = field(default_factory=dict)  # key -> values of its lines, in order
    tags: Tags = field(default_factory=Tags)
    replaced: set[str] = field(default_factory=set)  # names of replace_rules
    samples: list[tuple[str, str, str]] = field(default_factory=list)  # `test NAME ok|fail TEXT`
    problems: list[Problem] = field(default_factory=list)
    n_problems_dropped: int = 0

    def score(self, name: str, score_set: int) -> float:
        """The score of a test; without a `score` line 1.0, for T_ names 0.01, negative for `nice` tests."""
        if name in self.scores:
            return self.scores[name][score_set]
        value = 0.01 if name.startswith("T_") else 1.0
        return -value if "nice" in self.flags.get(name, ()) else value

    def max_hits(self, name: str) -> int:
        """0 unless the test counts its matches (`tflags multiple`); then the most that are counted."""
        flags = self.flags.get(name, frozenset())
        if "multiple" not in flags:
            return 0
        return next((int(f[8:]) for f in flags if f.startswith("maxhits=") and f[8:].isdecimal()), MAX_COUNT) or 1


MAX_COUNT: Final = 1000  # matches of a `multiple` test without maxhits; SpamAssassin has no limit there
