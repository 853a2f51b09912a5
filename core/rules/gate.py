"""The gate that a pack must pass before it judges real mail: its cost, its worst case, and what it does to ham.

Three questions, each with an answer that names the culprits:

    cost      may the machine still scan as many messages a second as it must, with this pack?
    worst     does any mail exist, among those made to hurt, that keeps a scanner busy too long?
    canary    are messages that were delivered until now suddenly kept back?

The pipeline before and the one after judge the same mails in turn. Nothing is changed here; who asks decides
(manage.py puts packs in force).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from mxward.core.extract.opener import Opener
from mxward.core.message import Message
from mxward.core.pipeline import Pipeline
from mxward.core.rules import cost, reference
from mxward.core.rules.pack import Pack
from mxward.core.rules.profile import Progress, RuleCost, by_cost, no_progress, rule_cost, slow_rules
from mxward.core.rules.single import searched_strings, single_rules
from mxward.core.verdict import VERDICTS

ROUNDS: Final = 4
NEAR: Final = 12  # mails that almost match rules of the pack
NOTICEABLE: Final = 0.05  # of the budget: a pack that adds less is not to blame for what is slow already
MIN_CANARY: Final = 3  # messages that must have turned before a share of them means something
MAX_PROFILED: Final = 3000  # rules of a refused pack that are measured one by one; the rest is not named
_CLEAN: Final = VERDICTS.index("bulk")  # up to this verdict mail is simply delivered


@dataclass(frozen=True, slots=True)
class Budget:
    """What a pack must leave: messages a second that one core scans, the worst mail's CPU time, the share of ham."""

    messages_per_second: float = 500.0
    worst_s: float = 0.5
    canary_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found. `reason` is "" when the pack may go in; microseconds and instructions are a reference mail's."""

    reason: str = ""
    culprits: tuple[RuleCost, ...] = ()
    before_us: float = 0.0
    after_us: float = 0.0
    added_instructions: float = 0.0
    worst_us: float = 0.0
    worst_input: str = ""
    n_canary: int = 0
    turned: dict[str, int] = field(default_factory=dict)  # rule -> messages of the canary that it turned

    @property
    def messages_per_second(self) -> float:
        """What one core scans with the pack."""
        return 1e6 / self.after_us if self.after_us else 0.0


def assess(
    pack: Pack, before: Pipeline, after: Pipeline, budget: Budget, ham: Sequence[bytes] = (),
    progress: Progress = no_progress,
) -> Assessment:  # fmt: skip
    """Ask the three questions of `pack`, cheapest answer first; the first no is the reason.

    Args: before, after: without and with it; ham: messages that were delivered, CRLF line ends, beside our own.
    """
    mails = reference.everyday()
    turned, n_canary = _canary(pack, before, after, [*mails, *ham])
    if max(turned.values(), default=0) >= max(MIN_CANARY, budget.canary_share * n_canary):
        return _turned(turned, n_canary)
    slowest, input_name = _worst(pack, after, budget, progress)
    worst = Assessment(worst_us=slowest * 1e6, worst_input=input_name, n_canary=n_canary, turned=turned)
    if slowest > budget.worst_s:
        return _too_slow(pack, after, worst, budget)
    return _cost(pack, before, after, budget, mails, worst, progress)


def _canary(pack: Pack, before: Pipeline, after: Pipeline, mails: Sequence[bytes]) -> tuple[dict[str, int], int]:
    """Rules of the pack by how many clean messages they turned (the heaviest of each), and how many were clean."""
    turned: Counter[str] = Counter()
    n_clean = 0
    for raw in mails:
        if _rank(before.judge(raw, cost.ENVELOPE)) > _CLEAN:
            continue
        n_clean += 1
        message = after.judge(raw, cost.ENVELOPE)
        hits = [hit for hit in message.hits if hit.pack == pack.label and hit.weight > 0]
        if hits and _rank(message) > _CLEAN:
            turned[max(hits, key=lambda hit: hit.weight).name] += 1
    if sum(turned.values()):
        turned["*"] = sum(turned.values())
    return dict(turned), n_clean


def _rank(message: Message) -> int:
    assert message.verdict is not None, "judge always gives a verdict"
    return VERDICTS.index(message.verdict.name)


def _turned(turned: dict[str, int], n_canary: int) -> Assessment:
    total = turned.pop("*")
    worst = sorted(turned, key=lambda name: -turned[name])
    named = ", ".join(f"{name} ({turned[name]})" for name in worst[:5])
    return Assessment(
        f"it would keep back {total} of {n_canary} messages that are harmless: {named}",
        tuple(RuleCost(pack="", name=name, kind="", file="", line=0, instructions=0.0, microseconds=0.0)
              for name in worst),
        n_canary=n_canary, turned=turned,
    )  # fmt: skip


def _worst(pack: Pack, after: Pipeline, budget: Budget, progress: Progress) -> tuple[float, str]:
    """CPU time of the worst mail, in seconds, and what it is; ends at the first beyond the budget."""
    mails = reference.worst(searched_strings(pack, NEAR))
    slowest, name = 0.0, ""
    for n, (what, raw) in enumerate(mails):
        taken, in_time = _judge(after, raw)
        if taken > budget.worst_s and in_time:  # a first call may pay for what is made once
            taken, in_time = min((taken, in_time), _judge(after, raw))
        if not in_time:
            return max(taken, budget.worst_s * 1.001), what
        if taken > slowest:
            slowest, name = taken, what
        if slowest > budget.worst_s:
            break
        progress(n + 1, len(mails))
    return slowest, name


def _judge(pipeline: Pipeline, raw: bytes) -> tuple[float, bool]:
    messages: list[Message] = []
    taken = cost.seconds(lambda: messages.append(pipeline.judge(raw, cost.ENVELOPE)))
    return taken, not any(item.reason == "timeout" for item in messages[0].not_inspected)


def _too_slow(pack: Pack, after: Pipeline, found: Assessment, budget: Budget) -> Assessment:
    raw = dict(reference.worst(searched_strings(pack, NEAR)))[found.worst_input]
    (message,) = cost.prepare([raw], after.opener)
    culprits = tuple(slow_rules(pack, message, budget.worst_s / 4))
    reason = (
        f"a message of {found.worst_input} keeps a scanner busy for {found.worst_us / 1000:,.0f} ms "
        f"(allowed: {budget.worst_s * 1000:,.0f} ms): {_named(culprits)}"
    )
    return replace(found, reason=reason, culprits=culprits)


def _cost(
    pack: Pack, before: Pipeline, after: Pipeline, budget: Budget, mails: Sequence[bytes], found: Assessment,
    progress: Progress,
) -> Assessment:  # fmt: skip
    def judge_all(pipeline: Pipeline) -> None:
        for raw in mails:
            pipeline.judge(raw, cost.ENVELOPE)

    works = [lambda: judge_all(before), lambda: judge_all(after)]
    allowed_us = 1e6 / budget.messages_per_second if budget.messages_per_second else float("inf")
    best, scale = cost.compare(works, ROUNDS)
    if _is_dear(best, len(mails), allowed_us):  # a busy machine is not the pack's fault: look again
        again, scale = cost.compare(works, ROUNDS)
        best = [min(pair) for pair in zip(best, again, strict=True)]
    before_us, after_us = (cpu_s * 1e6 / len(mails) for cpu_s in best)
    added = scale.instructions(max(0.0, best[1] - best[0])) / len(mails)
    found = replace(found, before_us=before_us, after_us=after_us, added_instructions=added)
    if not _is_dear(best, len(mails), allowed_us):
        return found
    alone = _alone(pack, mails, after.opener, progress)
    # Alone, rules cost more than together: a pack whose rules cost little alone cannot have added much.
    if len(alone) < MAX_PROFILED and sum(rule.microseconds for rule in alone) <= NOTICEABLE * allowed_us:
        return found
    culprits = _dearest(alone, before_us, after_us, allowed_us)
    reason = (
        f"one core would scan {found.messages_per_second:,.0f} messages a second "
        f"(wanted: {budget.messages_per_second:,.0f}; without it: {1e6 / before_us:,.0f}): {_named(culprits)}"
    )
    return replace(found, reason=reason, culprits=tuple(culprits))


def _is_dear(best: Sequence[float], n: int, allowed_us: float) -> bool:
    """Does the machine fall below its target, and has the pack to do with it?"""
    before_us, after_us = (cpu_s * 1e6 / n for cpu_s in best)
    return after_us > allowed_us and after_us - before_us > NOTICEABLE * allowed_us


def _alone(pack: Pack, mails: Sequence[bytes], opener: Opener | None, progress: Progress) -> list[RuleCost]:
    """Rules of the pack, at most MAX_PROFILED of them, each measured alone; dearest first."""
    messages = cost.prepare(mails, opener)
    singles = list(islice(single_rules(pack), MAX_PROFILED))
    found = []
    for n, single in enumerate(singles):
        found.append(rule_cost(single, messages, 1 if len(singles) > 200 else 2))
        progress(n + 1, len(singles))
    return by_cost(found)


def _dearest(alone: Sequence[RuleCost], before_us: float, after_us: float, allowed_us: float) -> list[RuleCost]:
    """The fewest rules without which the rest of the pack should fit, dearest first.

    What the pack adds is shared out by what each rule costs alone, since engines share their passes.
    """
    total = sum(rule.instructions for rule in alone) or 1.0
    excess, culprits = after_us - max(allowed_us, before_us), []
    for rule in alone:
        if excess <= 0:
            break
        culprits.append(rule)
        excess -= (after_us - before_us) * rule.instructions / total
    return culprits


def _named(culprits: Sequence[RuleCost]) -> str:
    if not culprits:
        return "no single rule is to blame, all of them together are"
    words = [f"{rule.name} ({rule.file}:{rule.line}, {rule.microseconds:,.0f} µs)" for rule in culprits[:5]]
    more = len(culprits) - len(words)
    return ", ".join(words) + (f" and {more} more" if more > 0 else "")
