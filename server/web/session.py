"""Sessions of people at the console: kept in memory, named by a random token of which only the hash is stored.

A restart signs everyone out. Two clocks end a session: time without use, and time since log-in. Passing the log-in
or changing the password always makes a new token.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mxward.server.store.api import UserRow

MAX_SESSIONS: Final = 1000  # in this process; the oldest gives way
MAX_SESSIONS_PER_USER: Final = 20
CHECK_EVERY: Final = 10.0  # seconds between looks at whether the user may still be here


@dataclass(slots=True)
class Session:
    """One signed-in person. `csrf` must come back with every change; `notice` is shown once on the next page."""

    user: str
    role: str
    csrf: str
    created: float
    used: float
    checked: float
    must_change: bool = False
    notice: str = ""
    key: bytes = field(default=b"", repr=False)
    stamp: bytes = field(default=b"", repr=False)  # of the password that opened it

    def still_holds(self, user: UserRow | None) -> bool:
        """Whether the account is as it was at log-in: there, enabled, same role, same password."""
        return user is not None and not user.disabled and (user.role, _stamp(user)) == (self.role, self.stamp)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _stamp(user: UserRow) -> bytes:
    return hashlib.sha256(user.password_hash.encode()).digest()


class Sessions:
    """All sessions of this process. `idle` and `absolute` are seconds on the monotonic clock."""

    def __init__(self, idle: float, absolute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.idle, self.absolute, self._clock = idle, absolute, clock
        self._by_hash: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def create(self, user: UserRow) -> tuple[str, Session]:
        """A new session and the token that names it; the token itself is not kept."""
        self._make_room(user.name)
        token, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(32), self._clock()
        session = Session(user.name, user.role, csrf, now, now, now, user.must_change)
        session.key, session.stamp = _hash(token), _stamp(user)
        self._by_hash[session.key] = session
        return token, session

    def find(self, token: str, *, touch: bool = True) -> Session | None:
        """The live session of a token, or None. `touch` False leaves the idle clock alone (automatic refresh)."""
        session = self._by_hash.get(_hash(token))
        if session is None:
            return None
        now = self._clock()
        if not self._is_live(session, now):
            self.end(session)
            return None
        if touch:
            session.used = now
        return session

    def is_due(self, session: Session) -> bool:
        """Whether it is time to look at the account again; saying yes counts as having looked."""
        now = self._clock()
        if now - session.checked < CHECK_EVERY:
            return False
        session.checked = now
        return True

    def end(self, session: Session) -> None:
        self._by_hash.pop(session.key, None)

    def end_user(self, user: str) -> int:
        """End every session of a user (password changed, account disabled); returns how many."""
        theirs = [s for s in self._by_hash.values() if s.user == user]
        for session in theirs:
            self.end(session)
        return len(theirs)

    def _is_live(self, session: Session, now: float) -> bool:
        return now - session.used < self.idle and now - session.created < self.absolute

    def _make_room(self, user: str) -> None:
        now = self._clock()
        for session in [s for s in self._by_hash.values() if not self._is_live(s, now)]:
            self.end(session)
        theirs = [s for s in self._by_hash.values() if s.user == user]
        for session in theirs[: max(0, len(theirs) - MAX_SESSIONS_PER_USER + 1)]:
            self.end(session)
        while len(self._by_hash) >= MAX_SESSIONS:
            self.end(next(iter(self._by_hash.values())))
