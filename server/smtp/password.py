"""Checks passwords of AUTH: argon2 in a thread, few at once, and the same time for every kind of failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mxward.core.errors import Reply, StoreError
from mxward.server.metrics import METRICS
from mxward.server.smtp import reply
from mxward.server.smtp.action import Authenticate
from mxward.server.store.api import UserRow

PARALLEL = 2  # each takes 64 MiB and some 170 ms of processor time
MAX_QUEUE = 64  # waiting checks; beyond: 454, the client tries again


@lru_cache(maxsize=1)
def _decoy() -> str:
    """A hash no password fits, verified for unknown users so that they cost what known ones cost."""
    return PasswordHasher().hash("no user has this password")


def verify(user: UserRow | None, password: str) -> bool:
    """Is it the password of this user? Takes as long for no user, a disabled one and a wrong password."""
    try:
        PasswordHasher().verify(user.password_hash if user else _decoy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return user is not None and not user.disabled


class Passwords:
    """Args: find: looks a user up in the store (blocking)."""

    def __init__(self, find: Callable[[str], UserRow | None]) -> None:
        self._find = find
        self._executor = ThreadPoolExecutor(PARALLEL, thread_name_prefix="password")
        self._waiting = 0

    async def check(self, credentials: Authenticate) -> tuple[str, Reply]:
        """(user name or "", reply)."""
        if self._waiting >= MAX_QUEUE:
            return "", reply.NO_AUTH_NOW
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            name = await loop.run_in_executor(self._executor, self._check, credentials)
        except StoreError:
            return "", reply.NO_AUTH_NOW
        finally:
            self._waiting -= 1
        if not name:
            METRICS.add("smtp_auth_failures_total")
            return "", reply.AUTH_BAD
        return name, reply.AUTH_OK

    def _check(self, credentials: Authenticate) -> str:
        user = self._find(credentials.name)
        return user.name if verify(user, credentials.password) and user else ""

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
