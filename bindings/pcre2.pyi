"""Sets of Perl regular expressions by PCRE2 (JIT), each tried only where the literals that it needs were found."""

from collections.abc import Iterable, Sequence

from mxward.pyx.candidates import Candidates
from mxward.pyx.literals import Literals
from mxward.pyx.sieve import Sieve

MAX_PATTERN: int  # bytes of an expression
MATCH_LIMIT: int  # backtracking steps of one try at one text

def version() -> str:
    """PCRE2's version, such as "10.42 2022-12-11"."""

class PatternError(ValueError):
    """An expression does not compile. `number`: which; `offset`: where, in bytes."""

    number: int
    offset: int
    def __init__(self, number: int, offset: int, reason: str) -> None: ...

class Patterns:
    """A set of expressions over bytes, immutable; may be shared between threads. The GIL is released while matching."""

    def __init__(
        self,
        patterns: Iterable[tuple[bytes, str, int]],
        literals: Literals | None = None,
        skeletons: Literals | None = None,
        sieve: Sieve | None = None,
        candidates: Candidates | None = None,
    ) -> None:
        """Compile expressions.

        Args: patterns: (expression in Perl syntax, flags out of "imsx", matches that are counted at most);
        literals, skeletons, sieve, candidates: what each expression needs, in the same order: leaf 3 n is literal n of
        the text, 3 n + 1 literal n of the text's ASCII letters and digits alone, 3 n + 2 expression n of the sieve;
        None: all are tried on every text.
        Raises: PatternError, ValueError for unknown flags, MemoryError.
        """
    @property
    def n(self) -> int:
        """How many expressions there are."""
    def match(
        self, data: bytes, starts: Sequence[int] | None = None, budget_us: int = 0
    ) -> tuple[list[tuple[int, int, int, int]], list[int]]:
        """What matches: (number, count, start, end of the first match) ascending; and numbers of what gave up.

        The text is cut into segments; an expression sees one segment at a time. One that used up its limits, or for
        which the time was over, and that had not matched before, gave up: nothing is known of it.

        Args: starts: offsets of the segments, ascending, the first usually 0; None: one segment; budget_us: wall time
        after which the rest gives up, 0: none. Raises: ValueError for other offsets; MemoryError.
        """
