"""Cheap facts about a text: bytes at a place, masked bytes anywhere, comparisons of numbers read from it."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from typing_extensions import Buffer

# ("at", place, bytes): these bytes stand there; ("mask", bytes, mask): the pattern stands anywhere, where only the bits
# of the mask count; ("window", bytes, mask, (low, from_end), (high, from_end)): it begins at places from low to high,
# counted from the end of the text where from_end is set; ("near", bytes, mask, bytes, mask, low, high): the second
# begins from low to high behind the beginning of the first; ("compute", steps): a postfix program whose value is
# defined and not 0
Bound: TypeAlias = tuple[int, bool]
Fact: TypeAlias = (
    tuple[str, int, bytes]
    | tuple[str, bytes, bytes]
    | tuple[str, bytes, bytes, Bound, Bound]
    | tuple[str, bytes, bytes, bytes, bytes, int, int]
    | tuple[str, Sequence[tuple[str, int]]]
)
OPS: tuple[str, ...]  # names of steps; "const" has its number, "read" its width 1, 2 or 4 with SIGNED and BIG, others 0
SIGNED: int
BIG: int
LEVEL: int  # the best level of this processor

class Facts:
    """Facts, numbered in the order given. Immutable; may be shared between threads."""

    def __init__(self, facts: Iterable[Fact], *, level: int = ...) -> None:
        """Integers of programs are of 64 bits and wrap; what is read beyond the text is undefined, and so is what is
        computed from it, a quotient by 0 and a shift by less than 0.

        Args: level: 0 portable, 1 AVX2, 2 AVX-512 at most (for tests and comparisons).
        Raises: ValueError when one is no fact, a program lacks operands or holds more than 32 values; MemoryError.
        """
    @property
    def n(self) -> int:
        """How many facts there are."""
    def holding(self, data: Buffer) -> list[int]:
        """Numbers of the facts that hold, ascending, patterns left out: those are searched when asked for.

        Cost: a search a place, and a few nanoseconds a step of a program; the text is not gone through.
        """
    def occurring(self, data: Buffer, numbers: Iterable[int]) -> list[int]:
        """Those of the masked patterns that occur, in the order given. The GIL is released.

        Cost: about 0.1 ns a byte and pattern. Raises: ValueError when one is no masked pattern.
        """
