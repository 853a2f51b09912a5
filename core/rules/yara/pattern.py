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
ENOUGH_BITS: Final = 40  # that need no second one near by
MIN_OTHER: Final = 12  # bits of the second
MAX_DISTANCE: Final = 256  # places where the second may begin


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
    """From `low` to `high` times; a high of -1: without end."""

    item: Node
    low: int
    high: int = -1

    @property
    def is_exact(self) -> bool:
        return self.low == self.high


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
        if options is not None and (len(options) <= self.branching or isinstance(node, bytes | Any)):
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

    @property
    def n_bits(self) -> int:
        return sum(bits.bit_count() for bits in self.mask)


class Near(NamedTuple):
    """Two of them: the second begins from `low` to `high` bytes behind the beginning of the first."""

    first: Masked
    second: Masked
    low: int
    high: int


class _Stretch(NamedTuple):
    """A part of fixed length, and how far it begins from where places are counted from in its segment."""

    known: list[tuple[int, int]]
    low: int
    high: int  # both grow by what lies between, so that their differences are distances
    segment: int  # one more behind each part without end


def masked(node: Node, *, is_caseless: bool = False) -> Masked | Near | None:
    """The stretches of fixed length that say most: such stand in every text that matches. None: too little.

    One is enough when it is long; of short ones two are given, if their distance is bounded.
    """
    stretches = [_trimmed(stretch) for stretch in _stretches(node, is_caseless=is_caseless)]
    known = [(Masked(bytes(v for v, _ in s.known), bytes(m for _, m in s.known)), s) for s in stretches if s.known]
    ranked = sorted((one for one in known if len(one[0].text) >= 2), key=lambda one: -one[0].n_bits)
    if not ranked or ranked[0][0].n_bits < MIN_BITS:
        return None
    best, place = ranked[0]
    if best.n_bits >= ENOUGH_BITS:
        return best
    for other, where in ranked[1:]:
        first, second = sorted(((best, place), (other, where)), key=lambda one: (one[1].low, one[1].high))
        low, high = second[1].low - first[1].low, second[1].high - first[1].high
        if place.segment == where.segment and high - low <= MAX_DISTANCE and other.n_bits >= MIN_OTHER:
            return Near(first[0], second[0], low, high)
    return best


def _trimmed(stretch: _Stretch) -> _Stretch:
    """Without bytes of which nothing is known at either end, and not longer than MAX_MASKED."""
    known, skipped = stretch.known, 0
    while skipped < len(known) and known[skipped][1] == 0:
        skipped += 1
    known = known[skipped : skipped + MAX_MASKED]
    while known and known[-1][1] == 0:
        known = known[:-1]
    return stretch._replace(known=known, low=stretch.low + skipped, high=stretch.high + skipped)


def _stretches(node: Node, *, is_caseless: bool) -> list[_Stretch]:
    """Runs of (value, mask) a byte, between places where the length is not fixed."""
    runs = [_Stretch([], 0, 0, 0)]

    def walk(node: Node) -> None:
        if isinstance(node, bytes):
            runs[-1].known.extend(_known((value,), is_caseless=is_caseless) for value in node)
        elif isinstance(node, Any) and node.values:
            runs[-1].known.append(_known(node.values, is_caseless=is_caseless))
        elif isinstance(node, Seq):
            for item in node.items:
                walk(item)
        elif isinstance(node, Repeat) and 0 < node.low <= MAX_MASKED and _is_one(node.item) and node.is_exact:
            for _ in range(node.low):
                walk(node.item)
        else:
            last, (low, high) = runs[-1], width(node)
            low += last.low + len(last.known)
            if high < 0:  # places are counted anew behind a part without end
                runs.append(_Stretch([], 0, 0, last.segment + 1))
            else:
                runs.append(_Stretch([], low, last.high + len(last.known) + high, last.segment))

    walk(node)
    return runs


def width(node: Node) -> tuple[int, int]:
    """Bytes that the pattern may take, from and to; -1: without end."""
    if isinstance(node, bytes):
        return len(node), len(node)
    if isinstance(node, Any):
        return (1, 1) if node.values else (0, -1)
    if isinstance(node, Repeat):
        low, high = width(node.item)
        return low * node.low, -1 if high < 0 or node.high < 0 else high * node.high
    ends = [width(part) for part in (node.items if isinstance(node, Seq) else node.options)]
    if isinstance(node, Seq):
        return sum(low for low, _ in ends), -1 if any(high < 0 for _, high in ends) else sum(high for _, high in ends)
    return min(low for low, _ in ends), -1 if any(high < 0 for _, high in ends) else max(high for _, high in ends)


def _is_one(node: Node) -> bool:
    return isinstance(node, bytes | Any) or (isinstance(node, Seq) and len(node.items) == 1 and _is_one(node.items[0]))


def _known(values: Sequence[int], *, is_caseless: bool) -> tuple[int, int]:
    """(value, mask) of what all these bytes have in common."""
    if len(values) == 256:
        return 0, 0
    mask = 0xFF
    for value in values:
        mask &= ~(value ^ values[0]) & 0xFF
        if is_caseless and 0x61 <= value | 0x20 <= 0x7A:
            mask &= 0xDF
    return values[0] & mask, mask
