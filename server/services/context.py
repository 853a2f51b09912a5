"""Who acts on which gateway: the first argument of every service."""

from __future__ import annotations

from dataclasses import dataclass

from mxward.server.clock import SYSTEM_CLOCK, Clock
from mxward.server.config import Config
from mxward.server.store.api import Store


@dataclass(frozen=True, slots=True)
class Context:
    """`actor` goes to the audit trail: the user's name in the console, "cli:LOGIN" on the command line."""

    config: Config
    store: Store
    actor: str
    clock: Clock = SYSTEM_CLOCK

    def audit(self, action: str, object_: str, **detail: object) -> None:
        """One line of the audit trail: who (actor), when (now), what, on what, why (detail)."""
        self.store.audit(self.clock.now_us(), self.actor, action, object_, detail)
