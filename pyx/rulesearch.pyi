"""Which rules could match a text: facts, literals and needs in one go, without the GIL."""

from collections.abc import Iterable, Mapping, Sequence

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
        masks: Mapping[int, Sequence[int]],
        literals_from: int,
    ) -> None:
        """Args: needs: over leaves of which those below `literals_from` are facts or what `others` tells, the rest
        literals; masks: need -> the masked patterns (facts) that it speaks of.

        Raises: ValueError when `masks` names what is no masked pattern; MemoryError.
        """
    def select(self, data: Buffer, others: Iterable[int] = ()) -> list[int]:
        """Numbers of the needs that hold, ascending.

        Args: others: leaves that hold beside those that are found in the text. Cost: one pass of pyx/literals, and
        one for each masked pattern that decides. Raises: MemoryError.
        """
