"""What this worker carries now, and what it refuses to add: sessions, memory, waiting commits, disk."""

from __future__ import annotations

from collections.abc import Callable

from mxward.core.errors import Reply, StoreError
from mxward.server.config import SmtpLimits
from mxward.server.smtp import reply

FREE_BYTES_AGE = 1.0  # seconds for which a look at the disk is believed


class Load:
    """Counts of one worker. Only the event loop's thread touches it.

    Args: free_bytes: space left for new messages (Store.free_bytes); now: monotonic seconds.
    """

    __slots__ = ("_free", "_free_bytes", "_looked", "_now", "is_draining", "is_unfit", "memory", "per_client",
                 "sessions", "waiting")  # fmt: skip

    def __init__(self, free_bytes: Callable[[], int], now: Callable[[], float]) -> None:
        self._free_bytes, self._now = free_bytes, now
        self._free, self._looked = 0, float("-inf")
        self.sessions = self.memory = self.waiting = 0
        self.per_client: dict[str, int] = {}
        self.is_draining = self.is_unfit = False

    def admit(self, client: str, limits: SmtpLimits, *, is_trusted: bool = False) -> Reply | None:
        """Count a new session of this client, or say why there may be none.

        Args: client: `client_key` of its address; is_trusted: our own relays and senders, which many stand behind,
        have no limit of their own.
        """
        if self.is_unfit:
            return reply.UNFIT
        if self.is_draining:
            return reply.DRAINING
        if self.sessions >= limits.max_sessions:
            return reply.TOO_BUSY
        count = self.per_client.get(client, 0)
        if count >= limits.max_sessions_per_client and not is_trusted:
            return reply.TOO_MANY
        self.per_client[client] = count + 1
        self.sessions += 1
        return None

    def leave(self, client: str) -> None:
        """A session that was admitted is over."""
        self.sessions -= 1
        left = self.per_client.get(client, 1) - 1
        if left > 0:
            self.per_client[client] = left
        else:
            self.per_client.pop(client, None)

    def refuse_mail(self, size: int, limits: SmtpLimits) -> Reply | None:
        """Why no new message (of this declared size) may begin now, before a byte of it is taken."""
        if self.is_unfit:
            return reply.UNFIT
        if self.memory >= limits.max_memory_bytes or self.waiting >= limits.max_waiting_commits:
            return reply.NO_MEMORY
        if self.free_bytes() < limits.min_free_bytes + size:
            return reply.NO_SPACE
        return None

    def free_bytes(self) -> int:
        """Space left, looked up once a second; 0 when the store cannot say."""
        now = self._now()
        if now - self._looked >= FREE_BYTES_AGE:
            self._looked = now
            try:
                self._free = self._free_bytes()
            except (StoreError, OSError):
                self._free = 0
        return self._free
