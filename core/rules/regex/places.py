"""An expression as places of bytes and what may follow what: V. Glushkov's automaton, for mxward.pyx.sieve.

It is read forward: each node is joined to the places behind which it may begin, and tells the places behind which it
has ended. It matches at least what the expression matches: assertions hold, repeats have no upper bound, and where an
expression is too large, what stands behind the cut is taken to match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mxward.core.rules.regex.tree import Anything, Bytes, Choice, Node, Repeat, Sequence
from mxward.pyx.sieve import bits_of

if TYPE_CHECKING:
    from mxward.pyx.sieve import Automaton

MAX_PLACES: Final = 16_000
# What is tried until an expression has few enough places: the bytes of a match that are looked at; copies of what must
# be repeated; are letters beyond ASCII told apart?
TRIES: Final = (
    (400, 8, True),
    (400, 5, False),
    (400, 2, False),
    (40, 2, False),
    (20, 2, False),
    (10, 1, False),
    (5, 1, False),
)
MAX_BYTES: Final = 24  # copies of one byte that must be repeated
MAX_OPTIONAL: Final = 3  # copies of what may be repeated; more of them become any number
HIGH: Final = frozenset(range(128, 256))
BEGIN: Final = 1 << 0  # stands for the beginning of a match, in place of a place


def automaton(tree: Node) -> Automaton | None:
    """The places of an expression; None when it may match everywhere, so that nothing is told by them."""
    for depth, copies, is_exact in TRIES:
        net = _Net(depth, copies, is_exact)
        ended = net.walk(tree, BEGIN)
        net.accept |= ended
        if not net.is_full:
            return None if net.accept & BEGIN else net.pruned()
    return None


class _Net:
    """Bit 0 of each set is the beginning; places begin at 1."""

    def __init__(self, depth: int, copies: int, is_exact: bool) -> None:
        self.sets: list[int] = [0]
        self.follow: list[int] = [0]
        self.depth: list[int] = [0]  # the fewest bytes of a match up to a place
        self.accept = 0
        self.max_depth, self.copies, self.is_exact = depth, copies, is_exact
        self.is_full = False

    def walk(self, node: Node, before: int) -> int:
        """Join a node to what stands before it; returns the places behind which it has ended, 0: nowhere any more."""
        if not before:
            return 0
        match node:
            case Bytes(members):
                return self.place(members, before)
            case Sequence(items):
                return self.sequence(items, before)
            case Choice(items):
                return self.choice(items, before)
            case Repeat(item, low, high):
                return self.repeat(item, low, high, before)
            case Anything():
                self.accept |= before
                return 0

    def place(self, members: frozenset[int], before: int) -> int:
        if not members:
            return 0
        self.is_full |= len(self.sets) > MAX_PLACES
        depth = 1 + min(self.depth[number] for number in bits_of(before))
        if self.is_full or depth > self.max_depth:
            self.accept |= before
            return 0
        place = 1 << len(self.sets)
        self.sets.append(sum(1 << member for member in members))
        self.follow.append(0)
        self.depth.append(depth)
        self.join(before, place)
        return place

    def join(self, before: int, places: int) -> None:
        for number in bits_of(before):
            self.follow[number] |= places

    def sequence(self, items: tuple[Node, ...], before: int) -> int:
        for item in items:
            ended = self.walk(item, before)
            # A match may begin behind what may be empty: to look for that part as well would tell nothing.
            before = BEGIN if ended & BEGIN else ended
            if not before:
                break
        return before

    def choice(self, items: tuple[Node, ...], before: int) -> int:
        if not self.is_exact:
            items = _blurred(items)
        ended = 0
        for item in items:
            ended |= self.walk(item, before)
        return ended

    def repeat(self, item: Node, low: int, high: int | None, before: int) -> int:
        is_first = before == BEGIN  # then a match may as well begin at the last times that are needed
        copies = MAX_BYTES if isinstance(item, Bytes) else self.copies
        for _ in range(min(low, copies)):
            before = self.walk(item, before)
            if not before:
                return 0
        more = high is None or high > low or low > copies
        if not more or is_first:
            return before
        if high is not None and high - low <= MAX_OPTIONAL and low <= copies:
            ended = before
            for _ in range(high - low):
                before = self.walk(item, before)
                ended |= before
            return ended
        return self.loop(item, before)

    def loop(self, item: Node, before: int) -> int:
        """Any number of the item."""
        known = len(self.sets)
        ended = before | self.walk(item, before)
        begun = 0
        for number in bits_of(before):
            begun |= self.follow[number] >> known << known  # the item's own first places
        self.join(ended, begun)
        return ended

    def pruned(self) -> Automaton:
        """Without what stands behind an end, and without places that nothing leads to."""
        for number in bits_of(self.accept):
            self.follow[number] = 0
        reached, new = BEGIN, BEGIN
        while new:
            ahead = 0
            for number in bits_of(new):
                ahead |= self.follow[number]
            new = ahead & ~reached
            reached |= ahead
        kept = [number for number in bits_of(reached) if number]
        place = {number: at for at, number in enumerate(kept)}

        def moved(bits: int) -> int:
            return sum(1 << place[number] for number in bits_of(bits) if number in place)

        follow = [moved(self.follow[number]) for number in kept]
        return [self.sets[number] for number in kept], follow, moved(self.follow[0]), moved(self.accept)


def _blurred(items: tuple[Node, ...]) -> tuple[Node, ...]:
    """Single bytes and letters beyond ASCII as one choice of first bytes, with any bytes beyond ASCII behind."""
    plain = [item for item in items if not isinstance(item, Bytes) and not _is_high(item)]
    merged: frozenset[int] = frozenset()
    for item in items:
        if isinstance(item, Bytes):
            merged |= item.members
        elif _is_high(item):
            merged |= HIGH
    if len(items) - len(plain) < 2:
        return items
    return (Sequence((Bytes(merged), Repeat(Bytes(HIGH), 0, None))), *plain)


def _is_high(node: Node) -> bool:
    """Has it one byte at least, and are all of them beyond ASCII?"""
    match node:
        case Bytes(members):
            return bool(members) and min(members) >= 128
        case Sequence(items) | Choice(items):
            return bool(items) and all(map(_is_high, items))
        case Repeat(item, low, _):
            return low > 0 and _is_high(item)
    return False
