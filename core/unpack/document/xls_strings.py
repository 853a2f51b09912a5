"""Strings of Excel's old formats, the shared ones over the seams of records.

Source: [MS-XLS] 2.4.265, 2.5.293, 2.5.294.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

_WIDE, _EXTENDED, _RICH = 1, 4, 8
_MAX_STRINGS: Final = 1_000_000


def short_string(data: bytes, at: int, end: int, *, wide: bool) -> str:
    """A string of one record: a count, flags in BIFF8, characters."""
    if at + 3 > end:
        return ""
    n = struct.unpack_from("<H", data, at)[0]
    if not wide:
        return data[at + 2 : min(end, at + 2 + n)].decode("cp1252", "replace")
    if data[at + 2] & _WIDE:
        return data[at + 3 : min(end, at + 3 + 2 * n)].decode("utf-16-le", "replace")
    return data[at + 3 : min(end, at + 3 + n)].decode("latin-1")


def shared_strings(data: bytes, spans: Sequence[tuple[int, int]]) -> Iterator[str]:
    """The strings of the shared table. Args: spans: content of its record and of those that continue it."""
    reader = _Reader(data, spans)
    reader.skip(8)
    for _ in range(_MAX_STRINGS):
        head = reader.take(3)
        if len(head) < 3:
            return
        n, flags = struct.unpack("<HB", head)
        n_runs = int.from_bytes(reader.take(2), "little") if flags & _RICH else 0
        n_more = int.from_bytes(reader.take(4), "little") if flags & _EXTENDED else 0
        yield reader.characters(n, flags & _WIDE)
        reader.skip(4 * n_runs + n_more)


class _Reader:
    """Reads over the seams. Characters that go on in the next record have their flags anew there."""

    def __init__(self, data: bytes, spans: Sequence[tuple[int, int]]) -> None:
        self._data, self._spans = data, list(reversed(spans))
        self._at, self._end = self._spans.pop()

    def _next(self) -> bool:
        if not self._spans:
            return False
        self._at, self._end = self._spans.pop()
        return True

    def take(self, n: int) -> bytes:
        """The next `n` bytes; fewer at the end."""
        out = b""
        while True:
            step = min(n - len(out), self._end - self._at)
            out += self._data[self._at : self._at + step]
            self._at += step
            if len(out) == n or not self._next():
                return out

    def skip(self, n: int) -> None:
        """Pass `n` bytes."""
        while n > self._end - self._at:
            n -= self._end - self._at
            self._at = self._end
            if not self._next():
                return
        self._at += n

    def characters(self, n: int, wide: int) -> str:
        """The next `n` characters."""
        out: list[str] = []
        while n:
            size = 2 if wide else 1
            step = min(n, (self._end - self._at) // size)
            piece = self._data[self._at : self._at + step * size]
            out.append(piece.decode("utf-16-le" if wide else "latin-1", "replace"))
            self._at += step * size
            n -= step
            if n:
                if not self._next() or self._at >= self._end:
                    break
                wide = self._data[self._at] & _WIDE
                self._at += 1
        return "".join(out)
