"""What one attachment may still cost: bytes, items, depth, processor time. Spent here, and nowhere else."""

from __future__ import annotations

import time
from typing import Final

from mxward.core.extract.opener import Budget

RATIO: Final = 200  # bytes out for a byte in, once FREE_BYTES came out: deflate cannot do more than 1,032
FREE_BYTES: Final = 10 << 20


class OverBudget(Exception):
    """No more may be spent; `reason` is one of opener.REASONS."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Purse:
    """The budget of one attachment, being spent. One thread."""

    def __init__(self, budget: Budget, n_input: int) -> None:
        self._budget, self._n_input = budget, max(1, n_input)
        self._bytes_left, self._items_left = budget.bytes, budget.items
        self._end = time.process_time() + budget.cpu_s

    @property
    def bytes_left(self) -> int:
        """Most bytes that may still come out; decoders are given it as their bound."""
        out = self._budget.bytes - self._bytes_left
        return max(0, min(self._bytes_left, max(FREE_BYTES, RATIO * self._n_input) - out))

    def spend_bytes(self, n: int) -> None:
        """Count `n` bytes that came out. Raises: OverBudget."""
        if n > self._bytes_left:
            raise OverBudget("limit:bytes", f"more than {self._budget.bytes} bytes come out of it")
        if n > self.bytes_left:
            raise OverBudget("limit:ratio", f"more than {RATIO} times its size comes out of it")
        self._bytes_left -= n

    def spend_item(self, depth: int) -> None:
        """Count one item. Raises: OverBudget."""
        if depth > self._budget.depth:
            raise OverBudget("limit:depth", f"nested deeper than {self._budget.depth} levels")
        if self._items_left <= 0:
            raise OverBudget("limit:parts", f"more than {self._budget.items} things in it")
        self._items_left -= 1

    def check_time(self) -> None:
        """Long loops call this now and then. Raises: OverBudget."""
        if time.process_time() > self._end:
            raise OverBudget("timeout", f"takes more than {self._budget.cpu_s:g} s")
