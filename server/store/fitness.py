"""Whether this store may still promise durability. Set once by a failed fsync, never cleared in this process."""

from __future__ import annotations

from mxward.core.errors import StoreUnfit


class Fitness:
    """Shared by spool and database; `reason` is empty while fit."""

    __slots__ = ("reason",)

    def __init__(self) -> None:
        self.reason = ""

    def require(self) -> None:
        """Raises StoreUnfit once anything failed."""
        if self.reason:
            raise StoreUnfit(self.reason)

    def lose(self, reason: str) -> StoreUnfit:
        """End the right to say 250; returns the error to raise."""
        self.reason = self.reason or reason
        return StoreUnfit(self.reason)
