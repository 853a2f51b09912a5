"""Many literals in one pass over a text: words, phrases, byte strings, up to a million of them."""

from collections.abc import Sequence

from typing_extensions import Buffer

CASELESS: int  # A-Z and a-z are the same
WORD: int  # no letter, digit or _ stands beside an end that is one itself; ASCII only

def compile(patterns: Sequence[bytes], flags: Sequence[int] | int = 0) -> bytes:
    """The compiled form, which can be kept in a file and mapped. The same input gives the same bytes.

    Args: patterns: each of 1 to 65,535 bytes; the same one may come more than once; flags: CASELESS and WORD, of each
    or of all. Cost: about 1 us a pattern; 50 to 110 bytes each beside its own.
    Raises: ValueError for a pattern of another size, unknown flags, or more than 16 million patterns; MemoryError.
    """

def rarity(pattern: bytes) -> int:
    """About -log2 of the matches that a byte of mail text brings, case aside: 1 for a letter, 12 to 25 for a word.

    Any bytes are taken; a guess from what was counted once, so a wrong one costs speed only.
    """

class Literals:
    """A compiled set, immutable; may be shared between threads. The GIL is released for texts of 512 bytes or more.

    Cost: 0.1 to 1 ns a byte for up to thousands of patterns that text seldom holds, and some 10 ns for each that it
    does; at worst, for patterns made to be alike, an eighth of a nanosecond a byte for each byte of the longest one.
    """

    def __init__(self, blob: Buffer, *, level: int | None = None) -> None:
        """Use a block that `compile` made; it is not copied when it is aligned to eight bytes.

        Args: level: at most 0 (portable code), 1 (AVX2), 2 (AVX-512) or 3 (with VBMI), for tests; the best when None.
        Raises: ValueError when it is damaged. Whatever it holds, nothing outside of it is read.
        """
    @property
    def n(self) -> int:
        """How many patterns there are."""
    @property
    def crowd(self) -> int:
        """Most patterns that have the same window; above 16 they are searched in order, not one by one."""
    @property
    def shapes(self) -> list[tuple[int, int, int, int]]:
        """Of each class of patterns: bytes from one place to the next, bytes of a window, entries, crowd."""
    def seen(self, data: Buffer) -> list[int]:
        """Numbers of the patterns that occur, ascending, each once. Raises MemoryError."""
    def find(self, data: Buffer, limit: int = 8, total: int = 10_000) -> list[tuple[int, int, int]]:
        """(start, end, number) of places where patterns occur, overlapping ones too, by start and end.

        Args: limit: at most so many of one pattern; total: at most so many in all. Which are left out is not
        defined. Raises MemoryError.
        """
    def counts(self, data: Buffer) -> list[tuple[int, int]]:
        """(number, how often it occurs) of the patterns that do, ascending. Raises MemoryError."""
