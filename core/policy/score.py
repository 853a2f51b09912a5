"""From hits to score and verdict, on the scale that administrators know: 4 suspect, 6 spam, 15 reject.

The score is the sum of the weights of all hits but those of the categories `info`, `bulk`, `not_inspected`,
`degraded` (which state facts) and `policy`, `offensive` (which are about rules of the house, not about junk).
The verdict is the first that holds:

    malware    any hit of category malware with a positive weight
    phish      phish hits weigh 6 or more together; or the score is 6 or more and phish hits make half of it
    policy     policy hits weigh 6 or more, or attachment hits alone do
    offensive  offensive hits weigh 6 or more
    spam       the score is 6 or more
    suspect    the score is 4 or more
    bulk       a bulk hit and a score of 2 or more
    clean      anything else

Negative weights (allow rules) lower the score, never a category's own sum below zero. What is done about a
verdict is policy, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mxward.core.verdict import Hit, NotInspected, Verdict

SUSPECT, SPAM, REJECT = 4.0, 6.0, 15.0
BULK: Final = 2.0
UNSCORED: Final = frozenset(("info", "bulk", "not_inspected", "degraded", "policy", "offensive"))


def judge(hits: Sequence[Hit], not_inspected: Iterable[NotInspected] = (), packs: tuple[str, ...] = ()) -> Verdict:
    """Verdict of a message. Pure; the order of the hits does not matter."""
    sums: dict[str, float] = {}
    for hit in hits:
        sums[hit.category] = sums.get(hit.category, 0.0) + hit.weight
    score = sum(weight for category, weight in sums.items() if category not in UNSCORED)
    name = _name(hits, sums, score) if hits else "clean"
    return Verdict(name, round(score, 3), tuple(hits), tuple(not_inspected), packs)


def _name(hits: Sequence[Hit], sums: dict[str, float], score: float) -> str:
    if "malware" not in sums and "bulk" not in sums and max(sums.values()) < SUSPECT and score < SUSPECT - 0.01:
        return "clean"  # so little decides nothing, as most mail
    # sums are rounded so that 0.1 + 0.2 style noise never decides
    phish, attachment = round(sums.get("phish", 0.0), 3), round(sums.get("attachment", 0.0), 3)
    score = round(score, 3)
    if any(hit.category == "malware" and hit.weight > 0 for hit in hits):
        return "malware"
    if phish >= SPAM or (score >= SPAM and phish * 2 >= score):
        return "phish"
    if round(sums.get("policy", 0.0), 3) >= SPAM or attachment >= SPAM:
        return "policy"
    if round(sums.get("offensive", 0.0), 3) >= SPAM:
        return "offensive"
    if score >= SPAM:
        return "spam"
    if score >= SUSPECT:
        return "suspect"
    return "bulk" if "bulk" in sums and score >= BULK else "clean"
