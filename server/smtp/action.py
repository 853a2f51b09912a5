"""What a session asks the world to do; it stands still until the answer comes (Session.resume and its friends)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mxward.server.smtp.transaction import Transaction


@dataclass(frozen=True, slots=True)
class StartTls:
    """Negotiate TLS, then call `Session.secured`."""


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Check the password, then call `Session.authenticated`."""

    name: str
    password: str


Action = StartTls | Authenticate | Transaction
"""A Transaction as action: judge and commit it, then call `Session.resume` with the reply."""

START_TLS: Final = StartTls()
