"""A disk as bytes that can be asked for by place, whole or sparse; partitions of it; what lies on them as files.

File systems are generators of Found; they read through Disk only, so that a sparse image costs what is read of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from mxward.core.unpack.work import Damaged, Work

MAX_RUNS: Final = 200_000  # pieces of one file


class Found(NamedTuple):
    """A file of a file system; `pieces` are (place, size) on the disk, place -1 for zeros. Folders have none."""

    path: str
    size: int
    pieces: list[tuple[int, int]]
    is_folder: bool = False
    inline: bytes | None = None  # content that stands in a directory instead
    problem: str = ""  # why its content cannot be read


class Disk:
    """Bytes by place. Args: read: gives `n` bytes from `at`, fewer at the end; never raises for places outside."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        self.size, self._read = size, read

    @classmethod
    def of(cls, data: bytes) -> Disk:
        """A disk whose image is whole."""
        return cls(len(data), lambda at, n: data[at : at + n])

    def read(self, at: int, n: int) -> bytes:
        """`n` bytes from `at`. Raises: Damaged when they are not all there."""
        if at < 0 or n < 0 or at + n > self.size:
            raise Damaged("it leads to places outside of the disk")
        content = self._read(at, n)
        if len(content) < n:
            raise Damaged("it breaks off")
        return content

    def part(self, at: int, size: int) -> Disk:
        """A partition."""
        return Disk(max(0, min(size, self.size - at)), lambda place, n: self._read(at + place, n))


def content_of(found: Found, disk: Disk, work: Work) -> bytes:
    """The content of a file. Raises: OverBudget, Damaged."""
    if found.size > work.purse.bytes_left:
        work.purse.spend_bytes(found.size)
    if found.inline is not None:
        return found.inline[: found.size]
    return work.pull(_pieces(found, disk))


def _pieces(found: Found, disk: Disk) -> Iterator[bytes]:
    left = found.size
    for at, n in found.pieces:
        if left <= 0:
            return
        n = min(n, left)
        left -= n
        while n > 0:
            step = min(n, 1 << 20)
            yield bytes(step) if at < 0 else disk.read(at, step)
            at, n = at + step if at >= 0 else at, n - step
    if left > 0:
        raise Damaged("a file of it breaks off")
