"""SpamAssassin rules of all packs: one hit a scored test that fired, on the product's own scale.

A pack's threshold (SpamAssassin's 5.0) is scaled to the score at which the product calls a message spam, so that a
message that SpamAssassin calls spam is spam here too. What all tests of a pack add up to is bounded on both sides,
so that no pack alone drowns what other detectors found: beyond the bound all its weights shrink alike. Sub-rules
(`__NAME`) and tests without a score give no hit. How tests are run is core/rules/spamassassin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from mxward.core.message import Message
from mxward.core.policy.score import SPAM
from mxward.core.rules.compile import RuleSet
from mxward.core.verdict import Evidence, Hit, NotInspected

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.engine import Engine, Outcome

MOST, LEAST = 20.0, -10.0  # weight that the tests of one pack may have together
_PHISH: Final = ("PHISH", "SPOOF_BANK")


class _Scored(NamedTuple):
    """What a hit of one test always has."""

    name: str
    category: str
    weight: float
    detail: str


class _PackRules:
    """The engine of one pack and the hits that its tests can give."""

    def __init__(self, label: str, engine: Engine, threshold: float) -> None:
        self.label, self.engine = label, engine
        book = engine.book
        self.scored: dict[int, _Scored] = {}
        for slot, name in enumerate(book.names):
            if not name.startswith("__") and book.scores[slot]:
                weight = round(book.scores[slot] * SPAM / threshold, 4)
                detail = book.descriptions.get(name, "") or f"matches the SpamAssassin rule {name}"
                self.scored[slot] = _Scored(name, _category(name, weight), weight, detail[:200])


class SpamAssassinDetector:
    """Runs the SpamAssassin rules of all packs that have some. Immutable."""

    name = "spamassassin"

    def __init__(self, rules: RuleSet) -> None:
        thresholds = {pack.label: pack.spamassassin_options.threshold for pack in rules.packs}
        self._packs = [_PackRules(label, engine, thresholds[label]) for label, engine in rules.spamassassin]
        self.packs = tuple(pack.label for pack in self._packs)

    def detect(self, message: Message) -> Iterable[Hit]:
        """Hits of every pack; tests whose pattern gave up at its limits are reported as not inspected."""
        from mxward.core.rules.spamassassin.texts import TextSet  # few packs have such rules

        hits: list[Hit] = []
        for pack in self._packs:
            texts = TextSet(message, pack.engine.site)
            outcome = pack.engine.run(texts)
            hits += self._hits(pack, outcome)
            if texts.is_cut:
                detail = "holds more text than SpamAssassin rules are applied to"
                message.not_inspected.append(NotInspected(0, "limit:text", detail))
            if outcome.exhausted:
                names = ", ".join(pack.engine.book.names[slot] for slot in outcome.exhausted[:3])
                detail = f"{len(outcome.exhausted)} SpamAssassin rules used up their limit ({names})"
                message.not_inspected.append(NotInspected(0, "limit:regex", detail))
            if outcome.is_late:
                detail = "no time left for all SpamAssassin rules"
                message.not_inspected.append(NotInspected(0, "timeout", detail))
            if outcome.failed:
                detail = f"{len(outcome.failed)} SpamAssassin tests failed"
                hits.append(Hit("SPAMASSASSIN_FAILED", "degraded", 0.0, self.name, pack.label, detail))
        return hits

    def _hits(self, pack: _PackRules, outcome: Outcome) -> list[Hit]:
        fired = [(slot, pack.scored[slot]) for slot in outcome.values if slot in pack.scored]
        factor = _factor([scored.weight for _, scored in fired])
        return [
            Hit(
                scored.name, scored.category, round(scored.weight * factor, 4), self.name, pack.label, scored.detail,
                _evidence(pack.engine, outcome, slot),
            )
            for slot, scored in fired
        ]  # fmt: skip


def _category(name: str, weight: float) -> str:
    return "phish" if weight > 0 and any(word in name for word in _PHISH) else "spam"


def _factor(weights: Sequence[float]) -> float:
    """What the weights are multiplied by so that their sum is within its bounds."""
    total = sum(weights)
    if total > MOST:
        return MOST / total
    return LEAST / total if total < LEAST else 1.0


def _evidence(engine: Engine, outcome: Outcome, slot: int) -> tuple[Evidence, ...]:
    """Where a pattern matched: bytes of the text as SpamAssassin renders it, which the view names."""
    found = engine.where(outcome, slot)
    if found is None:
        return ()
    return (Evidence(0, f"spamassassin {found.place}", found.start, found.end - found.start),)
