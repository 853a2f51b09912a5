"""Which of many regular expressions may match a text, by automata that read each byte once."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from typing_extensions import Buffer

# An expression by its places: of each the bytes that fit (bit b: byte b) and the places that may follow it (bit p:
# place p); the places where a match may begin; those where it may end.
Automaton: TypeAlias = tuple[Sequence[int], Sequence[int], int, int]
MAX_PLACES: int  # of one expression
MAX_MEMBERS: int  # expressions of one joint automaton
MAX_STATES: int  # of one automaton
MAX_LEAK: float  # lines of the sample that may stay undecided before less of an expression is told

def compile(automata: Iterable[Automaton], sample: bytes, first: Iterable[Sequence[int]] = ()) -> bytes:
    """The compiled form, which can be kept in a file. The same input gives the same bytes.

    Args: sample: lines of text such as is to be read; only what they lead to is told exactly; first: by kind of text,
    the numbers of the expressions that every text of the kind is asked for, which share joint automata.

    Cost: some milliseconds an expression, a second for one of thousands of places; a few kilobytes each.
    Raises: ValueError for other than 1 to 16,000 places each, bits of none, or numbers of none; MemoryError.
    """

def bits_of(bits: int) -> list[int]:
    """Numbers of the bits of a set that are there, ascending."""

def cut(automaton: Automaton, kept: int) -> Automaton | None:
    """The first `kept` bytes of an expression, which match more; None for less than one."""

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
        """Joint automata, rows of all automata, and bytes of the block."""
    def seen(self, data: Buffer, kind: int | None = None) -> list[int]:
        """Numbers of the expressions that may match somewhere in the text, ascending; the others do not.

        Args: kind: None: each is asked by itself; else those of a kind of text, by the joint automata alone.

        Cost: about two nanoseconds a byte for every eight automata. Raises: ValueError for a kind that there is not;
        MemoryError.
        """
