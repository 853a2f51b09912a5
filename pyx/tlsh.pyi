"""TLSH digests: of content, their distance, and the nearest of a hundred thousand listed ones."""

from collections.abc import Iterable

from typing_extensions import Buffer

SIZE: int  # bytes of a digest: what its 70 hexadecimal digits after "T1" say
LEAST: int  # bytes of content that have a digest
MAX_ENTRIES: int  # of one set
FAR: int  # a distance that no two digests have
LEVEL: int  # 1: this processor counts bits by one instruction

def digest(data: Buffer) -> bytes:
    """The digest of content; b"" when it has none, being shorter than LEAST or made of too few different bytes.

    Gives up the GIL. Cost: about 10 ns a byte.
    Source: J. Oliver, C. Cheng, Y. Chen, "TLSH - A Locality Sensitive Hash", 2013; 128 buckets, 1 byte of checksum, T1.
    """

def distance(left: bytes, right: bytes) -> int:
    """How far two digests are from each other: 0 for the same, below 30 for versions of one file, above 150 for others.

    The classes of length count. Raises: ValueError when one has not SIZE bytes.
    """

class Nearest:
    """Listed digests. Immutable; may be shared between threads."""

    def __init__(self, lists: Iterable[bytes], level: int = -1) -> None:
        """Args: lists: of each its digests, one after another; level: 0 does without instructions for counting bits.

        Raises: ValueError when one is of another size, or when there are more than MAX_ENTRIES; MemoryError.
        """
    @property
    def n(self) -> int:
        """How many digests there are."""
    def find(self, digest: bytes, limit: int) -> list[tuple[int, int]]:
        """(list, distance) of the nearest digest of each list that has one within `limit`, by list.

        Gives up the GIL. Cost: linear in the digests of about the same length of content.
        Raises: ValueError when `digest` has not SIZE bytes; MemoryError.
        """
