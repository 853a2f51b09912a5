"""A policy in memory: ordered policy rules, each with conditions and what follows. Read by load.py.

policy rule: `when` every key must hold (a list holds when any of its values does), `unless` must not hold as a
whole; then its additions are collected, and if it has an action the walk ends there. When no policy rule
decides, the message is delivered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mxward.core.verdict import VERDICTS, Addition

if TYPE_CHECKING:
    from mxward.core.policy.facts import Facts

Test = Callable[["Facts", str], bool]  # (facts of the message, recipient address) -> holds


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of `when` or `unless`, ready to run."""

    key: str
    value: Any  # as written, for display and for the reference interpreter
    test: Test

    @property
    def is_about_recipient(self) -> bool:
        return self.key == "recipient"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One policy rule. `action` "" collects additions and goes on."""

    name: str
    description: str
    when: tuple[Condition, ...]
    unless: tuple[Condition, ...]
    action: str
    argument: str
    additions: tuple[Addition, ...]

    def is_open_to(self, verdict: str) -> bool:
        """May it apply under that verdict? Only the `verdict` keys of `when` are looked at."""
        wanted = [condition.value for condition in self.when if condition.key == "verdict"]
        return all(verdict == value or (not isinstance(value, str) and verdict in value) for value in wanted)

    def matches(self, facts: Facts, rcpt: str) -> bool:
        """Does this policy rule apply to that recipient? Pure."""
        for condition in self.when:
            if not condition.test(facts, rcpt):
                return False
        return not self.unless or not all(condition.test(facts, rcpt) for condition in self.unless)


@dataclass(frozen=True, slots=True)
class Policy:
    """An ordered set of policy rules. `version` is a short digest of its content."""

    name: str
    version: str
    rules: tuple[PolicyRule, ...]
    recipient_conditions: tuple[Condition, ...] = ()
    by_verdict: dict[str, tuple[PolicyRule, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort out once which policy rules a verdict leaves in question."""
        for name in VERDICTS:
            self.by_verdict[name] = tuple(rule for rule in self.rules if rule.is_open_to(name))

    def signature(self, facts: Facts, rcpt: str) -> tuple[bool, ...]:
        """What this policy can tell about a recipient: recipients of equal signature get equal dispositions."""
        return tuple(condition.test(facts, rcpt) for condition in self.recipient_conditions)
