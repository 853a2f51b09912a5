"""Which rules could match a text: facts, literals and needs in one go, without the GIL."""

from collections.abc import Iterable, Sequence

from typing_extensions import Buffer

from mxward.pyx.candidates import Candidates
from mxward.pyx.facts import Facts
from mxward.pyx.literals import Literals

class RuleSearch:
    """Immutable; may be shared between threads."""

    def __init__(
        self,
        literals: Literals,
        facts: Facts,
        needs: Candidates,
        loose: Candidates,
        masks: Iterable[Sequence[int]],
        literals_from: int,
    ) -> None:
        """Args: needs: over leaves of which those below `literals_from` are facts or what `others` tells, the rest
        literals; loose: those needs that speak of masked patterns, with each of these taken to occur; masks: of each
        loose need, the masked patterns (facts) that were taken to occur.

        Raises: ValueError when `masks` names what is no masked pattern, or is not one entry a loose need; MemoryError.
        """
    def select(self, data: Buffer, others: Iterable[int] = ()) -> list[int]:
        """Numbers of the needs that hold, ascending.

        Args: others: leaves that hold beside those that are found in the text. Cost: one pass of pyx/literals, and
        one for each masked pattern that decides. Raises: MemoryError.
        """
