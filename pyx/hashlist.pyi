"""Lists of digests with millions of entries: read from text, compiled to a block that is mapped, asked in no time."""

from collections.abc import Iterable, Sequence

from typing_extensions import Buffer

SIZES: tuple[int, int, int]  # bytes of an MD5, a SHA-1, a SHA-256
TLSH_SIZE: int  # bytes of a TLSH digest (pyx/tlsh)
MAX_ENTRIES: int  # of one kind in one table

def read(text: Buffer) -> tuple[bytes, bytes, bytes, bytes]:
    """The digests of a text, one a line: MD5, SHA-1, SHA-256 and TLSH, those of a kind one after another.

    A line begins with a digest in hexadecimal, of either case, a TLSH one with "T1" before it; blanks, a comma, colon,
    semicolon or "#" end it, and what follows is a remark. Empty lines and those that begin with "#" or "@" are passed
    over. Gives up the GIL.
    Raises: ValueError(line, text) for the first line that is no digest; MemoryError.
    """

def compile(lists: Iterable[Sequence[bytes]]) -> bytes:
    """The compiled form, which can be kept in a file and mapped. The same lists give the same bytes.

    Args: lists: of each its MD5, SHA-1 and SHA-256 digests, as `read` gives them; what follows is not looked at.
    Raises: ValueError when one is of another size, or when there are more than MAX_ENTRIES; MemoryError.
    """

class HashTable:
    """A compiled table, immutable; may be shared between threads."""

    def __init__(self, blob: Buffer) -> None:
        """Use a block that `compile` made, not copied when it is aligned to eight bytes.

        Raises: ValueError when it is damaged (whatever it holds, nothing outside of it is read); MemoryError.
        """
    @property
    def counts(self) -> tuple[int, int, int]:
        """Entries of MD5, SHA-1 and SHA-256."""
    def find(self, digest: bytes) -> list[int]:
        """Numbers of the lists that name this digest, ascending. Cost: one look into an index, about 100 ns.

        Args: digest: 16, 20 or 32 bytes, which say what it is. Raises: ValueError for another size.
        """
