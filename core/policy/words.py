"""The plain English that explanations are made of. British spelling, whole sentences, no content of the message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mxward.core.verdict import Hit, Verdict

ACTION_WORDS: Final[dict[str, str]] = {
    "deliver": "The message was delivered.",
    "redirect": "The message was sent to {argument} instead.",
    "quarantine": "The message was put in quarantine (area {argument}).",
    "hold": "The message was held for a decision (area {argument}).",
    "reject": "The message was refused, and its sender was told so.",
    "defer": "The message was not accepted for now; its sender will try again.",
    "discard": "The message was accepted and then discarded.",
}
VERDICT_WORDS: Final[dict[str, str]] = {
    "clean": "clean", "bulk": "bulk mail", "suspect": "suspicious", "spam": "spam", "offensive": "offensive",
    "policy": "against the rules for attachments and content", "phish": "phishing", "malware": "malware",
}  # fmt: skip
MAX_REASONS: Final = 3


def list_words(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def reasons(hits: Sequence[Hit]) -> str:
    """The weightiest findings as clauses: "has no Date field and shows another address as ...", "" for none."""
    telling = [hit for hit in hits if hit.detail and (hit.weight > 0 or hit.category in ("not_inspected", "degraded"))]
    telling.sort(key=lambda hit: (hit.category != "malware", -hit.weight, hit.name))
    return list_words([hit.detail for hit in telling[:MAX_REASONS]])


def because(verdict: Verdict) -> str:
    """Why the message was judged as it was."""
    words = VERDICT_WORDS.get(verdict.name, verdict.name)
    why = reasons(verdict.hits)
    return f"It was judged {words} (score {verdict.score:g}){f' because it {why}' if why else ''}."
