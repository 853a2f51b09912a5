"""Header fields of one part as SpamAssassin keeps them: found in one pass, objects made only of what is asked for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import final

MAX_NAME: int  # bytes kept of a name
MAX_VALUE: int  # bytes kept of a value
MAX_ALL: int  # bytes of all fields together
DECODED: int  # 0: what is wanted of a value in a FieldPlan, the others are bits of it
RAW: int  # as it stands
MAIL: int  # the address of its mailbox
NAME: int  # the name of its mailbox
CLEAN: int  # beside NAME: white space squeezed, without single quotes around it
ALL: int  # all fields, whatever the names
OTHER: int  # it is asked elsewhere

@final
class FieldPlan:
    """What is looked up in many messages. Immutable; may be shared between threads.

    Args: entries: (names in lower case, whose values are taken together; what is wanted of them).
    """

    def __init__(self, entries: Sequence[tuple[Sequence[bytes], int]], /) -> None: ...

@final
class FieldTable:
    """The fields of one part. Immutable; not to be used by several threads at once.

    Args: written: the header section of a message with LF line ends, of which lines without a colon and fields named
    X-Spam-... are left out; or (name, value behind the colon without its last line end) of each field.
    decode: value, unfolded and stripped, and name in lower case -> the value as UTF-8 with its encoded words decoded;
    called for values that have bytes outside ASCII or "=?" only. Cost: linear in the section.
    Raises: OverflowError for 4 GiB and more.
    """

    is_truncated: bool  # a name, a value or, once `lines` was called, all fields together were cut
    def __init__(
        self, written: bytes | Iterable[tuple[bytes, bytes]], decode: Callable[[bytes, bytes], bytes], /
    ) -> None: ...
    def __len__(self) -> int: ...
    def __contains__(self, name: object) -> bool:
        """Whether there is a field of that name, given in lower case."""
    def __iter__(self) -> Iterator[bytes]:
        """The names that there are, in lower case."""
    @property
    def order(self) -> list[bytes]:
        """The name of each field as written."""
    def raw(self, name: bytes, /) -> list[bytes]:
        """Values as they stand, with LF line ends and one at the end. Name in lower case."""
    def values(self, name: bytes, /) -> list[bytes]:
        """Values unfolded, stripped and decoded, without a line end. Name in lower case."""
    def joined(self, plan: FieldPlan, /) -> tuple[list[bytes | None], list[int]]:
        """What each entry wants, several values one a line, None when there is none; and the numbers of open entries.

        Open, and None in the list, is what has to be asked elsewhere: OTHER, and addresses and names when a value is
        not one plain mailbox (`usual_mailbox`) or a name has to be decoded.
        """
    def numbers(self, name: bytes, /) -> list[int]:
        """Which fields have that name, the first of all being 0. Name in lower case."""
    def lines(self) -> list[bytes]:
        """All fields, unfolded and decoded, as lines; those beyond MAX_ALL bytes are left out."""
    @property
    def n_lines(self) -> int:
        """How many `lines` there are."""
    def text(self, first: int = 0, behind: int = ..., /) -> bytes:
        """`lines` number `first` to `behind` - 1 joined."""
