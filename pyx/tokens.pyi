"""Words of a message as hashed features, and sums of their weights: what the statistical classifier counts with.

A feature is a number below 2^bits. Pieces of bytes belong to one of N_SEGMENTS segments (subject, text, ...); the same
word in two segments is two features. Equal features of a message count once.
"""

import mmap
from collections.abc import Sequence
from typing import final

_Buffer = bytes | bytearray | memoryview | mmap.mmap

LINES: int  # mode of a piece: each of its lines that is not empty is one feature, exactly as it is
WORDS: int  # its words are features
PAIRS: int  # its words and each pair of neighbours are
N_SEGMENTS: int
MIN_BITS: int
MAX_BITS: int
MAX_LIMIT: int
LEVEL: int  # what this processor can: 2 AVX-512, 1 AVX2, 0 portable code only

@final
class Features:
    """The features of one message. Immutable; may be shared between threads.

    Words are runs of letters, digits and bytes of 0x80 and above, ASCII letters in lower case, every digit as 0,
    apostrophes within left out. Runs of ! $ % ? are words of their own, up to three signs long. Punctuation of other
    scripts separates; ideographs without spaces between are taken in pairs; four bytes from 0xF0 on are a word; what is
    longer than 24 bytes (48 of a script that is not Latin) stands for its length and for having digits.
    """

    bits: int
    def __init__(self, pieces: Sequence[tuple[int, int, bytes]], bits: int = 18, limit: int = 4096) -> None:
        """Args: pieces: (segment, mode, UTF-8 bytes) in order of segments; limit: features kept of one segment, the
        first ones.

        Never fails on any bytes. Raises: ValueError for a segment, mode, bits or limit that there is not or for
        segments out of order; TypeError for other types; MemoryError.
        Cost: about 3 ns a byte; the GIL is released from 512 bytes on.
        """
    def __len__(self) -> int: ...
    @property
    def counts(self) -> tuple[int, ...]:
        """Features of each segment."""
    @property
    def indices(self) -> list[list[int]]:
        """Features of each segment, in order of discovery."""
    def dot(self, table: _Buffer, level: int = -1) -> list[tuple[int, int]]:
        """For each segment, the sums of both columns over its features.

        Args: table: 2^bits rows of two signed bytes and two bytes more; level: as LEVEL, for tests; -1: the best.
        Raises: ValueError when the table is shorter.
        """
    def margins(
        self, table: _Buffer, gains: tuple[float, ...], damps: tuple[float, ...], level: int = -1
    ) -> tuple[float, float]:
        """Both columns' sums over the segments, each times gain / sqrt(n + damp), n being the segment's features.

        Args: as for `dot`; gains, damps: N_SEGMENTS of them. The same on every machine with IEEE arithmetic.
        """
    def strongest(self, table: _Buffer, values: Sequence[float], n: int = 32) -> list[int]:
        """The features with the largest products of weight (first column) and their segment's value, above 0 only.

        The largest first, of equal ones the first found. Raises: ValueError for a short table, or n beyond 1 to 64.
        """
    def add(self, table: _Buffer, deltas: Sequence[int], spared: _Buffer | None = None) -> None:
        """Add deltas[segment] to the sum of every feature that is not spared; sums stop at 2^30 either way.

        Args: table: 2^bits signed 32-bit integers, native order, writable; deltas: N_SEGMENTS of them; spared: 2^bits
        bytes, above 0 for a feature that is left as it is.
        Raises: ValueError when the table has another size or a delta is beyond 2^30.
        """

def feature(segment: int, words: bytes, bits: int = 18) -> int:
    """The feature of one word or of two neighbours; -1 when there is no word."""
