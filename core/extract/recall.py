"""An opener that remembers answers: for who judges the same messages many times, with one set of rules and another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Final

from mxward.core.extract.opener import Opened, Opener, Request, Session

MAX_BYTES: Final = 64 << 20  # of answers; further ones are not remembered


class RecallingOpener:
    """Asks `opener` once for each attachment and request. Failures are not remembered. Thread-safe."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._known: dict[tuple[Request, bytes], Opened] = {}
        self._left = MAX_BYTES
        self._lock = threading.Lock()

    @contextmanager
    def session(self, seconds: float) -> Iterator[Session]:
        """See opener.py."""
        with self._opener.session(seconds) as session:
            yield _RecallingSession(self, session)

    def recall(self, key: tuple[Request, bytes]) -> Opened | None:
        """What was answered before."""
        with self._lock:
            return self._known.get(key)

    def remember(self, key: tuple[Request, bytes], opened: Opened) -> None:
        """Keep an answer, if there is room."""
        with self._lock:
            if not opened.failure and len(opened.frames) <= self._left and key not in self._known:
                self._known[key] = opened
                self._left -= len(opened.frames)


class _RecallingSession:
    def __init__(self, opener: RecallingOpener, session: Session) -> None:
        self._opener, self._session = opener, session

    def open(self, request: Request, data: bytes | memoryview) -> Opened:
        """See opener.py."""
        key = (request, sha256(data).digest())
        opened = self._opener.recall(key)
        if opened is None:
            opened = self._session.open(request, data)
            self._opener.remember(key, opened)
        return opened
