"""The decision: one disposition a recipient, with its explanation. Pure: equal inputs give equal outputs.

The counterfactual is computed, not guessed: findings are taken away, heaviest first, and the policy is asked
again until the message would have been delivered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from mxward.core.message import Message
from mxward.core.policy import score
from mxward.core.policy.facts import Facts
from mxward.core.policy.model import Policy, PolicyRule
from mxward.core.policy.words import ACTION_WORDS, because, list_words
from mxward.core.verdict import Addition, Disposition, Explanation, Hit, NotInspected, Verdict

MAX_TRIALS: Final = 16  # findings taken away in search of a counterfactual
MAX_STARS: Final = 50  # of X-Spam-Level
ABOUT_PARTS: Final = frozenset(
    ("disarm", "remove-attachments", "rename-attachments")
)  # edits that take numbers of parts
_FIELD: Final = re.compile(r"\{(?:verdict|score|policy|stars|hits)\}")
_DELIVERS: Final = frozenset(("deliver", "redirect"))


class _Outcome(NamedTuple):
    action: str
    argument: str
    additions: tuple[Addition, ...]
    rule: PolicyRule | None


def decide(message: Message, policy: Policy) -> tuple[Disposition, ...]:
    """A disposition for every recipient, in envelope order.

    Args: message: judged (message.verdict is set). Total: whatever the message, there is exactly one
    disposition a recipient; without a policy rule that applies it is `deliver`.
    """
    verdict = message.verdict
    assert verdict is not None, "judge comes before decide"
    facts = Facts(message, verdict)
    made: dict[tuple[bool, ...], Disposition] = {}
    out = []
    for recipient in message.envelope.recipients:
        signature = policy.signature(facts, recipient.address) if policy.recipient_conditions else ()
        model = made.get(signature)
        if model is None:
            model = made[signature] = _dispose(policy, facts, recipient.address)
        out.append(_for(model, recipient.address))
    return tuple(out)


def _for(model: Disposition, rcpt: str) -> Disposition:
    if model.rcpt == rcpt:
        return model
    return Disposition(rcpt, model.action, model.argument, model.additions, model.explanation)


def _walk(policy: Policy, facts: Facts, rcpt: str) -> _Outcome:
    additions: tuple[Addition, ...] = ()
    for rule in policy.by_verdict.get(facts.verdict.name, policy.rules):
        if rule.matches(facts, rcpt):
            additions += rule.additions
            if rule.action:
                return _Outcome(rule.action, rule.argument, additions, rule)
    return _Outcome("deliver", "", additions, None)


def _dispose(policy: Policy, facts: Facts, rcpt: str) -> Disposition:
    outcome = _walk(policy, facts, rcpt)
    rule_name = outcome.rule.name if outcome.rule else "default"
    counterfactual = "" if outcome.action in _DELIVERS else _counterfactual(policy, facts, rcpt, outcome)
    if outcome.rule is None and facts.verdict.name == "clean" and not outcome.additions:
        return Disposition(rcpt, "deliver", "", (), _nothing_found(policy.version, facts.verdict.score))
    explanation = Explanation(policy.version, rule_name, _sentence(outcome, facts.verdict), counterfactual)
    additions = tuple(_filled(a, facts, policy) for a in outcome.additions)
    return Disposition(rcpt, outcome.action, outcome.argument, additions, explanation)


@lru_cache(maxsize=1024)
def _nothing_found(version: str, score: float) -> Explanation:
    """The explanation of most mail: it is the same for equal scores."""
    return Explanation(version, "default", f"{ACTION_WORDS['deliver']} It was judged clean (score {score:g}).")


def _sentence(outcome: _Outcome, verdict: Verdict) -> str:
    words = ACTION_WORDS[outcome.action].format(argument=outcome.argument)
    if outcome.rule is None and verdict.name == "clean":
        return f"{words} It was judged clean (score {verdict.score:g})."
    why = because(verdict)
    if outcome.rule is None:
        return f"{words} {why}"
    about = f" ({outcome.rule.description})" if outcome.rule.description else ""
    return f"{words} The policy rule {outcome.rule.name}{about} applied. {why}"


def _counterfactual(policy: Policy, facts: Facts, rcpt: str, outcome: _Outcome) -> str:
    verdict = facts.verdict
    hits = sorted(verdict.hits, key=lambda hit: (-_gravity(hit), hit.name))[:MAX_TRIALS]
    for hit in hits:
        if _would_deliver(policy, facts, rcpt, {hit}, ()):
            return f"It would have been delivered if it had not been found that it {_clause(hit)}."
    removed: set[Hit] = set()
    for hit in hits:
        removed.add(hit)
        if _would_deliver(policy, facts, rcpt, removed, ()):
            return f"It would have been delivered if {_without(removed, hits)} had not been found."
    if verdict.not_inspected and _would_deliver(policy, facts, rcpt, set(verdict.hits), verdict.not_inspected):
        return "It would have been delivered if everything in it could have been inspected."
    name = outcome.rule.name if outcome.rule else "default"
    return f"It would have been delivered only if the policy rule {name} had not applied."


def _gravity(hit: Hit) -> float:
    """Malware and refusals to be inspected first, then by weight."""
    return hit.weight + (1000.0 if hit.category == "malware" else 500.0 if hit.category == "degraded" else 0.0)


def _would_deliver(
    policy: Policy, facts: Facts, rcpt: str, removed: set[Hit], opened: tuple[NotInspected, ...]
) -> bool:
    hits = tuple(hit for hit in facts.verdict.hits if hit not in removed)
    left = tuple(n for n in facts.verdict.not_inspected if n not in opened)
    other = score.judge(hits, left, facts.verdict.packs)
    return _walk(policy, facts.under(other), rcpt).action in _DELIVERS


def _clause(hit: Hit) -> str:
    return hit.detail or f"matches {hit.name}"


def _without(removed: set[Hit], order: list[Hit]) -> str:
    return list_words([hit.name for hit in order if hit in removed])


def _filled(addition: Addition, facts: Facts, policy: Policy) -> Addition:
    """An edit with the parts it is about; a tag with its fields filled in, in one pass, so that nothing is twice."""
    text, verdict = addition.argument, facts.verdict
    if addition.kind == "modify" and text in ABOUT_PARTS:
        return Addition("modify", " ".join([text, *(str(n) for n in facts.parts_at_fault)]))
    if addition.kind != "tag" or "{" not in text:
        return addition
    values = {
        "{verdict}": verdict.name, "{score}": f"{verdict.score:.1f}", "{policy}": policy.version,
        "{stars}": "*" * max(0, min(MAX_STARS, int(verdict.score))),
        "{hits}": ",".join(hit.name for hit in verdict.hits[:40]) or "none",
    }  # fmt: skip
    return Addition(addition.kind, _FIELD.sub(lambda found: values[found[0]], text))
