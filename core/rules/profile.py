"""What each rule of a pack costs by itself: `mxward rules profile`, and how the gate finds a culprit.

A rule is measured alone, with what it refers to, over the reference mails, minus the cost of having no rule of its
kind. Rules together cost less than the sum: engines share one pass. The sum says who is to blame, `together` what is
to be paid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mxward.core.detect.detector import Detector
from mxward.core.errors import RulePackError
from mxward.core.extract.opener import Opener
from mxward.core.message import Message
from mxward.core.pipeline import builtin_detectors
from mxward.core.rules import cost
from mxward.core.rules.attachments import parse_attachments
from mxward.core.rules.compile import RuleSet, compile_packs
from mxward.core.rules.hashlist import parse_hashes
from mxward.core.rules.literals import parse_list
from mxward.core.rules.pack import Pack, YaraSource
from mxward.core.rules.regexlist import parse_regexes
from mxward.core.rules.single import SingleRule, single_rules
from mxward.core.rules.spamassassin.source import CfSource

ROUNDS: Final = 3
Progress = Callable[[int, int], None]  # done, of how many
_NOTHING: Final = Pack(
    "nothing", "0", Path("nothing"),
    yara=(YaraSource("nothing.yar", "rule NOTHING { condition: false }"),),
    literals=(parse_list("@words no\nzqzqjxzqzq\n", "nothing.list"),),
    attachments=tuple(parse_attachments('[[attachment]]\nname = "N"\nextensions = ["zqzqjx"]\n', "nothing")),
    regexes=(parse_regexes("/zqzqjxzqzq/\n", "nothing.regex"),),
    spamassassin=(CfSource("nothing.cf", "header NOTHING X-Zqzqjx =~ /zqzqjx/\nscore NOTHING 1\n"),),
    hashes=(parse_hashes("0" * 64, "nothing.hashes"),),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleCost:
    """One rule's cost a reference message. `share` is of the sum over the rules that were measured."""

    pack: str
    name: str
    kind: str
    file: str
    line: int
    instructions: float
    microseconds: float
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class PackCost:
    """A profile: rules by falling cost, and what all of them cost together, both a message."""

    rules: tuple[RuleCost, ...]
    instructions: float
    microseconds: float
    n_messages: int
    n_bytes: int


def no_progress(_done: int, _total: int) -> None:
    """For who does not want to watch."""


def rule_detectors(rules: RuleSet) -> list[Detector]:
    """The detectors that these rules keep busy."""
    return [detector for detector in builtin_detectors(rules) if set(detector.packs) & set(rules.labels)]


def profile(
    packs: Sequence[Pack], raws: Sequence[bytes], progress: Progress = no_progress, opener: Opener | None = None
) -> PackCost:
    """Measure every rule of `packs` over these messages and what their attachments hold.

    Raises: RulePackError when a pack does not compile.
    """
    messages = cost.prepare(raws, opener)
    detectors = rule_detectors(compile_packs(packs))
    cost.scan(detectors, messages)  # views are made once, by whoever comes first
    singles = [single for pack in packs for single in single_rules(pack)]
    (together,), scale = cost.compare([lambda: cost.scan(detectors, messages)], ROUNDS + 2)
    found = []
    for n, single in enumerate(singles):
        found.append(rule_cost(single, messages))
        progress(n + 1, len(singles))
    total = sum(rule.instructions for rule in found) or 1.0
    n = len(messages) or 1
    return PackCost(
        tuple(replace(rule, share=rule.instructions / total) for rule in by_cost(found)),
        scale.instructions(together) / n, together * 1e6 / n, len(raws), sum(map(len, raws)),
    )  # fmt: skip


def by_cost(rules: Sequence[RuleCost]) -> list[RuleCost]:
    """Dearest first."""
    return sorted(rules, key=lambda rule: (-rule.instructions, rule.name))


def rule_cost(single: SingleRule, messages: Sequence[Message], rounds: int = ROUNDS) -> RuleCost:
    """Cost of one rule, a message. Raises: RulePackError when it does not compile by itself."""
    alone, nothing = _detectors_of(single.pack), _detectors_of(_like(single.pack))
    works = [lambda: cost.scan(alone, messages), lambda: cost.scan(nothing, messages)]
    (with_rule, without), scale = cost.compare(works, rounds)
    net = max(0.0, with_rule - without) / (len(messages) or 1)
    return RuleCost(
        single.pack.label, single.name, single.kind, single.file, single.line, scale.instructions(net), net * 1e6
    )


def _detectors_of(pack: Pack) -> list[Detector]:
    return rule_detectors(compile_packs([pack]))


def _like(pack: Pack) -> Pack:
    """A pack with a rule of the same kind that does nothing."""
    return replace(
        _NOTHING,
        yara=_NOTHING.yara if pack.yara else (),
        literals=_NOTHING.literals if pack.literals else (),
        attachments=_NOTHING.attachments if pack.attachments else (),
        regexes=_NOTHING.regexes if pack.regexes else (),
        spamassassin=_NOTHING.spamassassin if pack.spamassassin else (),
        hashes=_NOTHING.hashes if pack.hashes else (),
    )


def slow_rules(pack: Pack, message: Message, limit_s: float, most: int = 5) -> Iterator[RuleCost]:
    """Rules of a pack that alone take longer than `limit_s` for one message, or run out of time; at most `most`."""
    found = 0
    for single in single_rules(pack):
        try:
            alone = _detectors_of(single.pack)
        except RulePackError:
            continue  # it compiles among its own kind only; the whole pack was measured
        taken = [True]

        def work(detectors: list[Detector] = alone, taken: list[bool] = taken) -> None:
            taken[0] = cost.scan(detectors, [message])

        cpu_s = cost.seconds(work)
        if cpu_s > limit_s or not taken[0]:
            found += 1
            yield RuleCost(pack.label, single.name, single.kind, single.file, single.line, 0.0, cpu_s * 1e6)
        if found >= most:
            return
