"""Literals that must stand in a text for a byte pattern to match it.

Hex strings and regexes are brought to one form (`Node`), from which `requirement` takes what every match holds: sets
of literals of which one must occur. Losing knowledge is always allowed here, inventing it
never: the requirement of a pattern holds in every text that the pattern matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

MIN_LITERAL: Final = 4  # bytes; shorter ones occur in any text by chance
MAX_LITERAL: Final = 48  # bytes that are searched of a longer one
MAX_SET: Final = 32  # literals of which one must occur
BRANCHING: Final = (4, 16)  # ways to go on that do not end a run: tried with few first
ENOUGH: Final = 7.0  # worth of a set beyond which no better one is looked for
MAX_CHOSEN: Final = 3  # of the sets that one string requires
MIN_BITS: Final = 16  # known bits of a masked pattern
MAX_MASKED: Final = 48  # bytes of it


@dataclass(frozen=True, slots=True)
class Any:
    """One byte of a set, ascending; an empty one stands for a gap: any number of any bytes."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Seq:
    """One after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """One of them."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`low` times or more often; exactly when `is_exact`."""

    item: Node
    low: int
    is_exact: bool = False


Node: TypeAlias = bytes | Any | Seq | Alt | Repeat  # bytes: themselves
Literals: TypeAlias = frozenset[bytes]
GAP: Final = Any(())
ONE: Final = Any(tuple(range(256)))  # one byte of any kind
NOTHING: Final = Seq(())  # matches the empty text: zero-width assertions


def requirement(node: Node) -> list[Literals]:
    """Sets of literals; in every text that matches, one of each set occurs. The best ones, at most MAX_CHOSEN."""
    found: list[Literals] = []
    for branching in BRANCHING:
        walk = _Walk(branching)
        walk.node(node)
        walk.flush()
        found += walk.found
        best = chosen(found)
        if best and worth(best[0]) >= ENOUGH:
            break
    return best


def chosen(found: Iterable[Literals]) -> list[Literals]:
    """The best of these sets, cut to MAX_LITERAL; what occurs everywhere is left out."""
    usable = {frozenset(cut(text) for text in literals) for literals in found}
    ranked = sorted((literals for literals in usable if worth(literals) > 0), key=lambda s: (-worth(s), sorted(s)))
    return ranked[:MAX_CHOSEN]


def cut(text: bytes) -> bytes:
    """At most MAX_LITERAL bytes of it: those where most different ones stand."""
    if len(text) <= MAX_LITERAL:
        return text
    starts = range(0, min(len(text) - MAX_LITERAL, 400) + 1, 4)
    best = max(starts, key=lambda at: (len(set(text[at : at + MAX_LITERAL])), -at))
    return text[best : best + MAX_LITERAL]


def worth(literals: Literals) -> float:
    """How rare the set is, roughly; 0 when one of it is too short, or a run of one byte, or there are too many."""
    if not literals or len(literals) > 2 * MAX_SET:
        return 0.0
    return min(rarity(text) for text in literals) - 0.5 * len(literals).bit_length()


def rarity(text: bytes) -> float:
    """Different bytes, and a little for length. 0: not worth a search."""
    kinds = len(set(text))
    if len(text) < MIN_LITERAL or kinds < 2 or (kinds == 2 and 0 in text and len(text) < 8):
        return 0.0
    return kinds + len(text) / 8


class _Walk:
    """Goes through a pattern from left to right with the set of literals that it may have held last."""

    def __init__(self, branching: int) -> None:
        self.branching = branching
        self.found: list[Literals] = []
        self.run: frozenset[bytes] = frozenset((b"",))

    def flush(self) -> None:
        """End the run: what follows does not stand right behind it."""
        if b"" not in self.run:
            self.found.append(self.run)
        self.run = frozenset((b"",))

    def append(self, options: Sequence[bytes]) -> None:
        """One of these comes next. A run that would be too many is ended before."""
        if len(options) > self.branching:
            self.flush()
            return
        if len(self.run) * len(options) > MAX_SET:
            self.flush()
        self.run = frozenset(left + right for left in self.run for right in options)
        if max(map(len, self.run)) > 8 * MAX_LITERAL:
            self.flush()

    def node(self, node: Node) -> None:
        """Recursive; the readers bound the depth."""
        options = exact(node)
        if options is not None:
            self.append(options)
        elif isinstance(node, Seq):
            for item in node.items:
                self.node(item)
        elif isinstance(node, Repeat) and node.low > 0:
            options = exact(node.item)
            for _ in range(1 if options is None else min(node.low, MAX_LITERAL)):
                self.node(node.item)
            self.flush()
        else:
            self.flush()
            if isinstance(node, Alt):
                self._alternatives(node)

    def _alternatives(self, node: Alt) -> None:
        """One literal of one option's best set must occur, if each option has such a set."""
        union: set[bytes] = set()
        for option in node.options:
            best = requirement(option)
            if not best:
                return
            union |= best[0]
        if len(union) <= 2 * MAX_SET:
            self.found.append(frozenset(union))


def exact(node: Node) -> list[bytes] | None:
    """All texts that the pattern matches, when they are few and short; else None."""
    if isinstance(node, bytes):
        return [node]
    if isinstance(node, Any):
        return [bytes((value,)) for value in node.values] if 0 < len(node.values) <= 16 else None
    if isinstance(node, Alt):
        parts = [exact(option) for option in node.options]
        texts = list(dict.fromkeys(text for part in parts if part is not None for text in part))
        return None if any(part is None for part in parts) or len(texts) > MAX_SET else texts
    if isinstance(node, Repeat):
        part = exact(node.item) if node.is_exact else None
        return None if part is None else _product([part] * min(node.low, 4 * MAX_LITERAL + 1))
    parts = []
    for item in node.items:
        parts.append(exact(item))
        if parts[-1] is None:
            return None
    return _product(parts)


def _product(parts: Sequence[Sequence[bytes] | None]) -> list[bytes] | None:
    """Every way to put one of each together, unless that is too much."""
    texts = [b""]
    for part in parts:
        if part is None or len(part) * len(texts) > MAX_SET or max(map(len, texts)) > 4 * MAX_LITERAL:
            return None
        texts = [left + right for left in texts for right in part]
    return texts


class Masked(NamedTuple):
    """Bytes of which only the bits of `mask` are known; the others are 0 in `text`."""

    text: bytes
    mask: bytes


def masked(node: Node, *, is_caseless: bool = False) -> Masked | None:
    """The stretch of fixed length that says most: one such stands in every text that matches. None: too little."""
    best: tuple[int, list[tuple[int, int]]] = (0, [])
    for stretch in _stretches(node, is_caseless=is_caseless):
        while stretch and stretch[0][1] == 0:
            stretch.pop(0)
        stretch = stretch[:MAX_MASKED]
        while stretch and stretch[-1][1] == 0:
            stretch.pop()
        best = max(best, (sum(mask.bit_count() for _, mask in stretch), stretch))
    if best[0] < MIN_BITS or len(best[1]) < 2:
        return None
    return Masked(bytes(text for text, _ in best[1]), bytes(mask for _, mask in best[1]))


def _stretches(node: Node, *, is_caseless: bool) -> list[list[tuple[int, int]]]:
    """Runs of (value, mask) a byte, between places where the length is not known."""
    runs: list[list[tuple[int, int]]] = [[]]

    def walk(node: Node) -> None:
        if isinstance(node, bytes):
            runs[-1].extend(_known((value,), is_caseless=is_caseless) for value in node)
        elif isinstance(node, Any) and node.values:
            runs[-1].append(_known(node.values, is_caseless=is_caseless))
        elif isinstance(node, Seq):
            for item in node.items:
                walk(item)
        elif isinstance(node, Repeat) and 0 < node.low <= MAX_MASKED and _is_one(node.item):
            for _ in range(node.low):
                walk(node.item)
            if not node.is_exact:
                runs.append([])
        else:
            runs.append([])

    walk(node)
    return runs


def _is_one(node: Node) -> bool:
    return isinstance(node, bytes | Any) or (isinstance(node, Seq) and len(node.items) == 1 and _is_one(node.items[0]))


def _known(values: Sequence[int], *, is_caseless: bool) -> tuple[int, int]:
    """(value, mask) of what all these bytes have in common."""
    mask = 0xFF
    for value in values:
        mask &= ~(value ^ values[0]) & 0xFF
        if is_caseless and 0x61 <= value | 0x20 <= 0x7A:
            mask &= 0xDF
    return values[0] & mask, mask
