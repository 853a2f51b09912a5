"""Many literals in one pass by pyahocorasick (an Aho-Corasick automaton over code points).

Case folding and word boundaries are the caller's business (core/detect/literal.py). pyahocorasick holds the
GIL while it searches; about 2.5 ns a character for small lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

import ahocorasick

MAX_FINDINGS: Final = 10_000  # of one search; a text of nothing but listed words stays bounded


class LiteralMatcher:
    """An immutable automaton over `words`; `find` may be called from several threads at once."""

    __slots__ = ("_automaton",)

    def __init__(self, words: Sequence[str]) -> None:
        """Args: words: distinct, non-empty; a word's position is the number that `find` reports."""
        automaton = ahocorasick.Automaton()
        for number, word in enumerate(words):
            automaton.add_word(word, number)
        if words:
            automaton.make_automaton()
        self._automaton = automaton if words else None

    def find(self, text: str) -> list[tuple[int, int]]:
        """(end, number of the word) of every occurrence, overlapping ones too; `end` is exclusive."""
        if self._automaton is None:
            return []
        return [(end + 1, number) for end, number in islice(self._automaton.iter(text), MAX_FINDINGS)]
