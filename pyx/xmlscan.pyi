"""Text and telling tags of XML in one pass, without a tree: for the parts of office documents."""

from collections.abc import Mapping
from typing import final

from typing_extensions import Buffer

TEXT: int
"""Content of the element, and of what is in it, is text."""
CODE: int
"""Content of the element goes to the other channel: instructions, formulas."""
LINE: int
"""Its end is a line end in the text."""
GAP: int
"""Its end is a tab in the text."""
TAG: int
"""Each of its start tags is told."""
CODE_LINE: int
"""Its end is a line end in the other channel; no LINE and no GAP then."""

UNSHARED: int
"""Content of the element is no text when its attributes say t="s": then it is the number of a shared string."""

@final
class Scanner:
    """What to take from XML, by local names of elements; the prefix of a name does not count. Immutable.

    Args: actions: local name to the sum of TEXT, CODE, LINE, GAP, TAG, CODE_LINE, UNSHARED.
    Raises: ValueError for more than 128 names, one longer than 39 bytes, or other numbers.
    """

    def __init__(self, actions: Mapping[str, int], /) -> None: ...
    def scan(
        self, data: Buffer, /, *, max_tags: int = 20_000
    ) -> tuple[bytes, bytes, list[tuple[str, int, int]], bool, bool]:
        """Read XML of an encoding that is a superset of ASCII. Never raises on content; a torn tag ends it.

        The five references of XML and numeric ones are decoded, any other stays as it is: entities that the document
        declares are not used.
        Returns: text; the other channel; (name, start, end) of the attributes of told tags, in order; whether a
        document type or entity is declared; whether there were more tags than `max_tags`.
        Cost: linear, about 1 ns a byte. The GIL is released.
        """
