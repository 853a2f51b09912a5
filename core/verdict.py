"""What scanning found and what policy made of it: Hit, Verdict, Disposition, Explanation.

All are frozen: detectors create hits, `decide` creates verdict and dispositions, nobody changes them later.
`to_dict`/`from_dict` give the form that the store, the API and `mxward scan --json` share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

# Verdicts in rising order of severity; the names are the product's vocabulary.
VERDICTS: Final = ("clean", "bulk", "suspect", "spam", "offensive", "policy", "phish", "malware")
# Hit categories. `not_inspected` and `degraded` say that something could not be looked at.
CATEGORIES: Final = (
    "malware", "phish", "spam", "offensive", "bulk", "policy", "anomaly", "attachment", "auth", "info",
    "not_inspected", "degraded",
)  # fmt: skip
# Final actions (exactly one a recipient) and additions (any number, applied to the delivered copy).
ACTIONS: Final = ("deliver", "redirect", "quarantine", "hold", "reject", "defer", "discard")
ADDITIONS: Final = ("tag", "copy", "modify", "encrypt")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where something was found: part index, view name, byte offset and length within that view."""

    part: int
    view: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One finding of one detector.

    `name` is unique within its pack (upper-case symbols for our own), `weight` adds to the score, `pack` is
    "name@version" of the rule pack or "builtin", `detail` is one plain English clause without content.
    """

    name: str
    category: str
    weight: float = 0.0
    detector: str = ""
    pack: str = "builtin"
    detail: str = ""
    evidence: tuple[Evidence, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        part = self.evidence[0].part if self.evidence else None
        return {
            "name": self.name, "category": self.category, "weight": self.weight, "detector": self.detector,
            "pack": self.pack, "detail": self.detail, "part": part,
            "evidence": [[e.part, e.view, e.offset, e.length] for e in self.evidence],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, doc: dict[str, Any]) -> Hit:
        return cls(
            name=doc["name"], category=doc["category"], weight=doc["weight"], detector=doc.get("detector", ""),
            pack=doc.get("pack", "builtin"), detail=doc.get("detail", ""),
            evidence=tuple(Evidence(*e) for e in doc.get("evidence", ())),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NotInspected:
    """A part (or the whole message, part 0) that could not be looked into, and why."""

    part: int
    reason: str  # "encrypted", "limit:parts", "timeout", "crashed", ...
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one message, before recipients are considered."""

    name: str
    score: float
    hits: tuple[Hit, ...] = ()
    not_inspected: tuple[NotInspected, ...] = ()
    packs: tuple[str, ...] = ()  # every pack@version in force when the message was judged

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.name, "score": round(self.score, 3), "hits": [h.to_dict() for h in self.hits],
            "not_inspected": [{"part": n.part, "reason": n.reason, "detail": n.detail} for n in self.not_inspected],
            "packs": list(self.packs),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a recipient got this disposition, for a helpdesk."""

    policy_version: str
    policy_rule: str  # name of the policy rule that decided, or "default"
    sentence: str  # plain English, one or two sentences
    counterfactual: str = ""  # "It would have been delivered if ..."


@dataclass(frozen=True, slots=True)
class Addition:
    """A change to, or a copy of, what is delivered: kind of `ADDITIONS` and its argument.

    tag: a header field "Name: value" to add, or "subject: PREFIX"; copy: an address; modify: an edit's name.
    """

    kind: str
    argument: str


@dataclass(frozen=True, slots=True)
class Disposition:
    """What happens for one recipient. Exactly one action; `argument` is the area, address or reply text."""

    rcpt: str
    action: str
    argument: str = ""
    additions: tuple[Addition, ...] = ()
    explanation: Explanation = field(default_factory=lambda: Explanation("", "default", ""))

    def to_dict(self) -> dict[str, Any]:
        return {
            "rcpt": self.rcpt, "action": self.action, "argument": self.argument,
            "additions": [[a.kind, a.argument] for a in self.additions],
            "policy_version": self.explanation.policy_version, "policy_rule": self.explanation.policy_rule,
            "sentence": self.explanation.sentence, "counterfactual": self.explanation.counterfactual,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, doc: dict[str, Any]) -> Disposition:
        return cls(
            rcpt=doc["rcpt"], action=doc["action"], argument=doc["argument"],
            additions=tuple(Addition(*a) for a in doc["additions"]),
            explanation=Explanation(
                doc["policy_version"], doc["policy_rule"], doc["sentence"], doc["counterfactual"]
            ),
        )  # fmt: skip
