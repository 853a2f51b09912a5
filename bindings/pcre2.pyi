"""Sets of Perl regular expressions by PCRE2 (JIT), each tried only where the literals that it needs were found."""

from collections.abc import Iterable, Sequence

from mxward.pyx.candidates import Candidates
from mxward.pyx.literals import Literals
from mxward.pyx.sieve import Sieve

MAX_PATTERN: int  # bytes of an expression
MATCH_LIMIT: int  # backtracking steps of one try at one text

def version() -> str:
    """PCRE2's version, such as "10.42 2022-12-11"."""

def begins(pattern: bytes, flags: str = "") -> tuple[str, frozenset[int] | None]:
    """Where a match may begin: "text" or "line", at the beginning of one, "" anywhere; and which bytes may come first,
    None: not known, as for what does not compile. Raises: ValueError for unknown flags."""

class PatternError(ValueError):
    """An expression does not compile. `number`: which; `offset`: where, in bytes."""

    number: int
    offset: int
    def __init__(self, number: int, offset: int, reason: str) -> None: ...

class Filter:
    """What expressions need to match.

    Leaf 3 n of a need is literal n of the text, 3 n + 1 literal n of the text's ASCII letters and digits alone, 3 n + 2
    says that expression n of the sieve, looked for in every text of its kind, may begin. `own`: of each expression its
    number in the sieve, which it must pass when its needs hold; -1: it has none. `uses`: of each leaf 3 n and 3 n + 1 a
    row of bits, filled up to 64: the kinds of text that it is looked for in.
    """

    def __init__(
        self,
        literals: Literals,
        skeletons: Literals,
        sieve: Sieve,
        candidates: Candidates,
        own: Sequence[int],
        uses: bytes,
    ) -> None: ...

class Patterns:
    """A set of expressions over bytes, immutable; may be shared between threads. The GIL is released while matching."""

    def __init__(
        self,
        patterns: Iterable[tuple[bytes, str, int]],
        filter: Filter | None = None,
        places: Sequence[int] | None = None,
    ) -> None:
        """Compile expressions.

        Args: patterns: (expression in Perl syntax, flags out of "imsx", matches that are counted at most);
        filter: what each needs, in the same order; None: all are tried on every text; places: the kind of text that
        each is applied to; None: kind 0.
        Raises: PatternError, ValueError for unknown flags or what does not fit together, MemoryError.
        """
    @property
    def n(self) -> int:
        """How many expressions there are."""
    def match(
        self, data: bytes, starts: Sequence[int] | None = None, budget_us: int = 0
    ) -> tuple[list[tuple[int, int, int, int]], list[int]]:
        """What matches a text of kind 0: as `match_pieces` for one piece."""
    def match_pieces(
        self, pieces: list[tuple[int, bytes, Sequence[int] | None]], budget_us: int = 0
    ) -> tuple[list[tuple[int, int, int, int]], list[int]]:
        """What matches: (number, count, start, end of the first match) ascending; and numbers of what gave up.

        A piece is cut into segments; an expression sees one segment at a time, of its own kind of text. Start and end
        count from the beginning of the piece. An expression that used up its limits, or for which the time was over,
        and that had not matched before, gave up: nothing is known of it.

        Args: pieces: (kind of text, text, offsets of its segments, ascending, the first usually 0; None: it is one);
        budget_us: wall time after which the rest gives up, 0: none. Raises: ValueError for other offsets, or a
        kind that no expression is for; TypeError for other than bytes; MemoryError.
        """
