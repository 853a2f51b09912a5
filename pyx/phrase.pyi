"""Whole words and phrases of a list in one pass over a text."""

from collections.abc import Sequence

class PhraseMatcher:
    """An immutable matcher of phrases that each begin with a letter or digit; may be shared between threads."""

    def __init__(self, phrases: Sequence[str]) -> None:
        """Args: phrases: distinct; a phrase's position is the number that `find` reports.

        Raises: ValueError when a phrase is empty or does not begin with a letter or digit; MemoryError.
        """
    def find(self, text: str | bytes, limit: int = 8) -> list[tuple[int, int, int]]:
        """(start, end, number) of occurrences as whole words, at most `limit` of one phrase, in order of their start.

        Whole: no letter or digit stands right before it, nor right after it when it ends in one itself. Offsets
        are bytes of the text in UTF-8 (lone surrogates count one byte); bytes are read as UTF-8. Never raises
        on any text but for MemoryError. Cost: linear in the text; about 1 ns a byte, whatever the number of phrases.
        """
