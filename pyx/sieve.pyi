"""Which of many regular expressions may match a text, by automata that read each byte once."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from typing_extensions import Buffer

# An expression by its places: of each the bytes that fit (bit b: byte b) and the places that may follow it (bit p:
# place p); the places where a match may begin; those where it may end.
Automaton: TypeAlias = tuple[Sequence[int], Sequence[int], int, int]
MAX_PLACES: int  # of one expression
MAX_MEMBERS: int  # expressions of one automaton
MAX_STATES: int  # of one automaton
MAX_LEAK: float  # lines of the sample that may stay undecided before a group is divided

def compile(automata: Iterable[Automaton], sample: bytes) -> bytes:
    """The compiled form, which can be kept in a file. The same input gives the same bytes.

    Args: sample: lines of text such as is to be read; only what they lead to is told exactly.

    Cost: some milliseconds an expression; up to half a megabyte for 64 of them.
    Raises: ValueError for other than 1 to 8,000 places each, or bits of none; MemoryError.
    """

class Sieve:
    """A compiled sieve, immutable; may be shared between threads. The GIL is released while reading."""

    def __init__(self, blob: Buffer) -> None:
        """Use a block that `compile` made; it is not copied when it is aligned to eight bytes.

        Raises: ValueError when it is damaged (whatever it holds, nothing outside of it is read); MemoryError.
        """
    @property
    def n(self) -> int:
        """How many expressions there are."""
    @property
    def shape(self) -> tuple[int, int, int]:
        """Automata, rows of all of them, and entries of a row (2 bytes each)."""
    def seen(self, data: Buffer) -> list[int]:
        """Numbers of the expressions that may match somewhere in the text, ascending; the others do not.

        Cost: about two nanoseconds a byte for every eight automata. Raises: MemoryError.
        """
