"""Which of many needs hold, given the literals that were found: a filter before costly rules."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from typing_extensions import Buffer

# True: always; False: never; n: leaf n was found; ("all", needs); ("any", needs); ("of", k, needs): at least k of them,
# the same one given twice counts twice; ("size", low, high): the text has so many bytes, both included.
Need: TypeAlias = bool | int | tuple[str, Sequence[Need]] | tuple[str, int, Sequence[Need]] | tuple[str, int, int]
NO_LIMIT: int  # the highest size there is

def compile(needs: Iterable[Need]) -> bytes:
    """The compiled form, which can be kept in a file and mapped. The same input gives the same bytes.

    Args: needs: leaves from 0 to 67,108,863; any depth.
    Raises: ValueError when one is no need, or when they are too large; MemoryError.
    """

class Candidates:
    """A compiled set of needs, immutable; may be shared between threads."""

    def __init__(self, needs: Iterable[Need] | Buffer) -> None:
        """Use a block that `compile` made, not copied when it is aligned to eight bytes, or compile needs here.

        Raises: ValueError when the block is damaged (whatever it holds, nothing outside of it is read), or as
        `compile`.
        """
    @property
    def n(self) -> int:
        """How many needs there are."""
    @property
    def always(self) -> list[int]:
        """Numbers of the needs that hold whatever is found."""
    def select(self, found: Iterable[int], size: int = 0) -> list[int]:
        """Numbers of the needs that hold, ascending; those that always hold among them.

        Args: found: leaves, in any order, also more than once or such that no need has; size: of the text in bytes,
        for needs that speak of it. Cost: linear in the gates that the found leaves are children of.
        Raises: ValueError when a leaf is below 0; MemoryError.
        """
