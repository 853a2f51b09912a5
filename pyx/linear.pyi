"""Training of a linear model on hashed features: which weights part two classes with the widest margin."""

import mmap
from collections.abc import Iterable, Sequence

from mxward.pyx.tokens import Features

_Buffer = bytes | bytearray | memoryview | mmap.mmap

MAX_ROWS: int

def fit(
    examples: Sequence[Features],
    values: Sequence[Sequence[float]],
    signs: Sequence[int],
    costs: Sequence[float],
    allowed: _Buffer,
    epochs: int = 60,
    tolerance: float = 0.01,
) -> tuple[bytes, float]:
    """Weights (2^bits doubles, native order) and bias.

    Args: values: for each example, what a feature of each segment counts; signs: above 0 for the one class; costs: the
    most an example may pull with, 0 leaves it out; allowed: 2^bits bytes, 1 for features that may have a weight;
    epochs: the most passes; tolerance: violation of the optimum at which to stop.
    The same arguments give the same bytes on every machine. Raises: ValueError when sizes differ; MemoryError.
    Cost: about 3 ns a feature and epoch; the GIL is released.
    """

def spread(examples: Iterable[Features], bits: int, least: int) -> bytearray:
    """2^bits bytes: 1 for a feature that `least` examples or more have. Raises: ValueError, MemoryError."""

def quantise(weights: _Buffer, bits: int, step: float, table: _Buffer, column: int) -> None:
    """Write weight / step, rounded half away from zero and cut at 127 (0 for NaN), into a column of two signed bytes.

    Args: weights: as `fit` gives them; table: writable, two bytes a row and more. Raises: ValueError.
    """

def narrow(sums: _Buffer, bits: int, divisor: int, table: _Buffer, column: int) -> None:
    """Write sum / divisor, rounded towards zero and cut at 127, into a column of a table of two signed bytes.

    Args: sums: 2^bits signed 32-bit integers, native order; table: writable. Raises: ValueError.
    """
