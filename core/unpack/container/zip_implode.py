"""Zip's method 6, "imploded", of programs before 1993. Source: PKWARE APPNOTE 5.3."""

from __future__ import annotations

from typing import Final

from mxward.core.unpack.work import Damaged, Work

_LARGE_WINDOW, _THREE_TREES = 2, 4  # general purpose flags
_LITERALS, _OTHERS = 256, 64
_LONGEST: Final = 63  # a length that goes on in eight more bits
_Tree = dict[tuple[int, int], int]  # (bits, code) to symbol


class _Bits:
    """Bits of a buffer, lowest first. Raises: Damaged at its end."""

    def __init__(self, data: memoryview, at: int) -> None:
        self._data, self._at, self._held, self._n = data, at, 0, 0

    def take(self, n: int) -> int:
        while self._n < n:
            if self._at >= len(self._data):
                raise Damaged("its packed content breaks off")
            self._held |= self._data[self._at] << self._n
            self._at, self._n = self._at + 1, self._n + 8
        value = self._held & (1 << n) - 1
        self._held >>= n
        self._n -= n
        return value

    def symbol(self, tree: _Tree) -> int:
        code = 0
        for n in range(1, 17):
            code = code << 1 | self.take(1)
            if (found := tree.get((n, code))) is not None:
                return found
        raise Damaged("a code of it is not in its tree")


def exploded(work: Work, packed: memoryview, size: int, flags: int) -> bytes:
    """The content. Raises: Damaged, OverBudget.

    Args: size: bytes of it, bounded by the budget; flags: of the header.
    """
    if size > work.purse.bytes_left:
        work.purse.spend_bytes(size)
    three = bool(flags & _THREE_TREES)
    literals, at = _tree(packed, 0, _LITERALS) if three else ({}, 0)
    lengths, at = _tree(packed, at, _OTHERS)
    distances, at = _tree(packed, at, _OTHERS)
    bits, out = _Bits(packed, at), bytearray()
    n_low, shortest = 7 if flags & _LARGE_WINDOW else 6, 3 if three else 2
    while len(out) < size:
        if bits.take(1):
            out.append(bits.symbol(literals) if three else bits.take(8))
            continue
        low = bits.take(n_low)
        back = (bits.symbol(distances) << n_low | low) + 1
        length = bits.symbol(lengths)
        length += shortest + (bits.take(8) if length == _LONGEST else 0)
        for _ in range(length):
            out.append(out[-back] if back <= len(out) else 0)
        if not len(out) & 0xFF:
            work.purse.check_time()
    return bytes(out[:size])


def _tree(packed: memoryview, at: int, count: int) -> tuple[_Tree, int]:
    """A Shannon-Fano tree, packed as (how many, how long) in a byte; its codes are given from the last symbol on."""
    if at >= len(packed):
        raise Damaged("its packed content breaks off")
    end = at + 2 + packed[at]
    lengths = [(byte & 15) + 1 for byte in packed[at + 1 : end] for _ in range((byte >> 4) + 1)]
    if len(lengths) != count:
        raise Damaged("a tree of it makes no sense")
    code = step = last = 0
    tree: _Tree = {}
    for symbol in sorted(range(count), key=lambda n: (lengths[n], n), reverse=True):
        code += step
        if lengths[symbol] != last:
            last = lengths[symbol]
            step = 1 << 16 - last
        tree[last, code >> 16 - last] = symbol
    return tree, end
