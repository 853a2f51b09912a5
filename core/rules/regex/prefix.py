"""Which bytes can stand at the first few places of a match: a filter for expressions that need no literal.

The tree is made an automaton (Thompson's) and walked from the start of a match, one byte at a time. Assertions are
taken to hold, so the sets may be too large, never too small.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from mxward.core.rules.regex.tree import ALL, Anything, Bytes, Choice, Node, Repeat, Sequence, Unclear, parse

PLACES: Final = 8  # bytes of a match that are looked at
MAX_STATES: Final = 50_000  # of an automaton; an expression with more is not understood
_END: Final = 0  # the state after a match, or after which nothing is known

Sets: TypeAlias = list[frozenset[int]]


def prefix_sets(pattern: bytes, flags: str) -> Sets:
    """For each of the first places of a match, the bytes that can stand there; shorter when matches may be.

    Empty for what is not understood. Never raises.
    """
    try:
        return _Automaton(parse(pattern, flags)).sets()
    except (Unclear, RecursionError):
        return []


class _Automaton:
    """States by number: one takes a byte out of a set and goes on to one other, or goes on to others at once."""

    def __init__(self, tree: Node) -> None:
        self._takes: list[frozenset[int] | None] = [None]
        self._next: list[list[int]] = [[]]
        self._start = self._add(tree, _END)

    def _state(self, takes: frozenset[int] | None, following: list[int]) -> int:
        if len(self._takes) >= MAX_STATES:
            raise Unclear("too many ways")
        self._takes.append(takes)
        self._next.append(following)
        return len(self._takes) - 1

    def _add(self, node: Node, after: int) -> int:
        """The state from which the node is matched and then `after` is reached."""
        match node:
            case Bytes(members):
                return self._state(members, [after])
            case Sequence(items):
                for item in reversed(items):
                    after = self._add(item, after)
                return after
            case Choice(items):
                return self._state(None, [self._add(item, after) for item in items])
            case Repeat(item, low, high):
                return self._repeat(item, low, high, after)
            case Anything():
                return _END

    def _repeat(self, item: Node, low: int, high: int | None, after: int) -> int:
        """Counts beyond PLACES make no difference to the first places: then it may go on without end."""
        if high is None or high - low > PLACES:
            start = self._state(None, [after])
            self._next[start].append(self._add(item, start))
        else:
            start = after
            for _ in range(high - low):
                start = self._state(None, [after, self._add(item, start)])
        for _ in range(min(low, PLACES + 1)):
            start = self._add(item, start)
        return start

    def sets(self) -> Sets:
        """Bytes by place, until a match may be over."""
        sets: Sets = []
        states = {self._start}
        while len(sets) < PLACES:
            states = self._closed(states)
            if _END in states:
                break
            members: set[int] = set()
            following: set[int] = set()
            for state in states:
                if (takes := self._takes[state]) is not None:
                    members |= takes
                    following.update(self._next[state])
            sets.append(frozenset(members))
            states = following
        while sets and sets[-1] == ALL:
            sets.pop()
        return sets

    def _closed(self, states: set[int]) -> set[int]:
        """With all that is reached without a byte."""
        todo, seen = list(states), set(states)
        while todo:
            state = todo.pop()
            if self._takes[state] is None:
                for other in self._next[state]:
                    if other not in seen:
                        seen.add(other)
                        todo.append(other)
        return seen
