"""Makes needs cheaper to search for: drops what hardly adds to what is already asked.

A need may only become weaker. Of things that must all be there, the two rarest are enough; of a number of things,
short ones are taken as given when longer ones remain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mxward.core.rules.yara.facts import EXTERNALS_FROM, LITERALS_FROM, Leaves
from mxward.core.rules.yara.ordinary import ORDINARY
from mxward.core.rules.yara.pattern import rarity
from mxward.pyx import literals
from mxward.pyx.candidates import Need

STRONG: Final = 7.0  # as strong as seven different bytes
KEPT: Final = 2  # strong parts that are kept of an "all"
QUICK: Final = 7  # bytes; shorter literals cost more to search
_FREE: Final = 8.0  # strength of bytes at a place and of externals: rare, and as good as free


class Pruner:
    """Weakens needs over the leaves given."""

    def __init__(self, leaves: Leaves) -> None:
        self._facts = list(leaves.facts)
        texts = list(leaves.literals)
        self._strength = [
            rarity(text) * (0.75 if is_caseless or len(text) < QUICK else 1.0) for text, is_caseless in texts
        ]
        flags = [literals.CASELESS if literal.is_caseless else 0 for literal in texts]
        compiled = literals.Literals(literals.compile([literal.text for literal in texts], flags))
        for mail in ORDINARY:
            for number in compiled.seen(mail):
                self._strength[number] = 0.5

    def strength(self, need: Need) -> float:
        """How seldom it holds, roughly; 0: always."""
        if isinstance(need, bool):
            return 0.0 if need else 99.0
        if isinstance(need, int):
            return self._leaf(need)
        if need[0] == "size":
            return 0.0
        parts = [self.strength(part) for part in need[-1]]  # type: ignore[union-attr]  # a list, as it is not a size
        if need[0] == "all":
            return max(parts, default=0.0)
        k = 1 if need[0] == "any" else int(need[1])  # type: ignore[arg-type]  # the number of an "of"
        if k <= 0:
            return 0.0
        return sorted(parts)[k - 1] - 0.02 * len(parts) if k <= len(parts) else 99.0

    def _leaf(self, leaf: int) -> float:
        if leaf >= LITERALS_FROM:
            return self._strength[leaf - LITERALS_FROM]
        if leaf >= EXTERNALS_FROM or self._facts[leaf][0] == "at":
            return _FREE
        return 0.1 if self._facts[leaf][0] == "compute" else 3.0

    def prune(self, need: Need) -> Need:
        """A need that holds whenever this one does, and costs less to search for."""
        if isinstance(need, int) or need[0] == "size":
            return need
        parts: list[Need] = [self.prune(part) for part in need[-1]]  # type: ignore[union-attr]  # as above
        if need[0] == "all":
            return ("all", self._needed(_flat(parts)))
        if need[0] == "of" and int(need[1]) > 1:  # type: ignore[arg-type]  # as above
            return self._of(int(need[1]), parts)  # type: ignore[arg-type]  # as above
        return ("any", parts) if need[0] == "any" else ("of", need[1], parts)  # type: ignore[return-value]  # as above

    def _needed(self, parts: Sequence[Need]) -> list[Need]:
        """What is free, and the strongest of the rest until they are strong enough."""
        free = [part for part in parts if self._is_free(part)]
        ranked = sorted((part for part in parts if not self._is_free(part)), key=lambda part: -self.strength(part))
        kept: list[Need] = []
        for part in ranked:
            strong = sum(self.strength(one) >= STRONG for one in kept)
            if strong >= KEPT or (kept and self.strength(part) <= 0.5):
                break
            kept.append(part)
        return free + kept

    def _is_free(self, need: Need) -> bool:
        if isinstance(need, bool):
            return True
        if isinstance(need, int):
            return need < LITERALS_FROM and (need >= EXTERNALS_FROM or self._facts[need][0] not in ("mask", "near"))
        return need[0] == "size" or all(self._is_free(part) for part in need[-1])  # type: ignore[union-attr]  # as above

    def _of(self, k: int, parts: list[Need]) -> Need:
        """Weak parts are taken as given while more than half of what is asked for remains."""
        ranked = sorted(parts, key=self.strength)
        n_weak = sum(self.strength(part) < STRONG for part in ranked)
        taken = min(n_weak, (k - 1) // 2)
        return ("of", k - taken, ranked[taken:])


def folded(need: Need) -> Need:
    """The need without constants inside: True, False, or one that depends on something."""
    if isinstance(need, int) or need[0] == "size":
        return need
    parts: list[Need] = [folded(part) for part in need[-1]]  # type: ignore[union-attr]  # a list, as it is not a size
    k = len(parts) if need[0] == "all" else 1 if need[0] == "any" else int(need[1])  # type: ignore[arg-type]  # as above
    k -= sum(part is True for part in parts)
    open_parts = [part for part in parts if not isinstance(part, bool)]
    if k <= 0 or k > len(open_parts):
        return k <= 0
    if len(open_parts) == 1:
        return open_parts[0]
    return ("all", open_parts) if k == len(open_parts) else ("any", open_parts) if k == 1 else ("of", k, open_parts)


def _flat(parts: Sequence[Need]) -> list[Need]:
    """An "all" inside of an "all" is part of it; what always holds is left out."""
    found: list[Need] = []
    for part in parts:
        if isinstance(part, tuple) and part[0] == "all":
            found += _flat(part[-1])  # type: ignore[arg-type]  # the list of an "all"
        elif part is not True:
            found.append(part)
    return found
