"""Regular expressions of all packs over text, subject, file names and links; what gives up is not inspected."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from mxward.core.extract import views
from mxward.core.limits import MAX_EVIDENCE
from mxward.core.message import Message
from mxward.core.rules.compile import RuleSet
from mxward.core.rules.regexlist import RegexView
from mxward.core.verdict import Evidence, Hit, NotInspected

Piece = tuple[int, bytes]  # (part, text)


class RegexDetector:
    """Finds listed expressions. Immutable."""

    name = "regex"

    def __init__(self, rules: RuleSet) -> None:
        self._lists = rules.regexes
        self._views = rules.regex_views
        self.packs = tuple(dict.fromkeys(label for label, _ in rules.regexes))

    def detect(self, message: Message) -> Iterable[Hit]:
        """One hit a list: the weights of the expressions that match, each counted once, up to the list's cap."""
        weights: dict[int, dict[int, float]] = {}
        places: dict[int, list[Evidence]] = {}
        for view, regexes in self._views.items():
            if message.is_late():
                message.not_inspected.append(NotInspected(0, "timeout", f"no time left for regex over {view}"))
                continue
            self._search(message, view, regexes, weights, places)
        return [self._hit(number, found, places[number]) for number, found in weights.items()]

    def _search(
        self, message: Message, view: str, regexes: RegexView,
        weights: dict[int, dict[int, float]], places: dict[int, list[Evidence]],
    ) -> None:  # fmt: skip
        pieces = _pieces(message, view)
        if not pieces:
            return
        starts = list(accumulate((len(text) for _, text in pieces[:-1]), initial=0))
        found, exhausted = regexes.regexes.match_all(b"".join(text for _, text in pieces), starts)
        for number, _, start, end in found:
            owner, line, weight = regexes.owners[number]
            weights.setdefault(owner, {})[line] = weight
            evidence = places.setdefault(owner, [])
            if len(evidence) < MAX_EVIDENCE:
                piece = max(n for n, begin in enumerate(starts) if begin <= start)
                evidence.append(Evidence(pieces[piece][0], view, start - starts[piece], end - start))
        if exhausted:
            name = self._lists[regexes.owners[exhausted[0]][0]][1].name
            detail = f"expressions of {name} gave up at their limits" if view == "text" else f"{name} gave up on {view}"
            message.not_inspected.append(NotInspected(0, "limit:regex", detail))

    def _hit(self, number: int, weights: dict[int, float], evidence: list[Evidence]) -> Hit:
        label, regexes = self._lists[number]
        weight = round(min(regexes.cap, sum(weights.values())), 3)
        detail = regexes.description or f"matches {len(weights)} of the expressions {regexes.name}"
        return Hit(regexes.name, regexes.category, weight, self.name, label, detail[:200], tuple(evidence))


def _pieces(message: Message, view: str) -> list[Piece]:
    """The texts of a view, in UTF-8."""
    if view == "text":
        return views.text_bytes(message)
    if view == "subject":
        return [(0, views.subject(message).encode("utf-8", "replace"))]
    if view == "names":
        return [(part, name.encode("utf-8", "replace")) for part, name in views.names(message)]
    return [(link.part, link.url.encode("utf-8", "replace")) for link in views.links(message)]
