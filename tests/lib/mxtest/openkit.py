"""An opener for tests of the core: the real openers, run in this process instead of a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mxward.core.extract.opener import Opened, Request, Session
from mxward.core.unpack.run import unpack


class HereSession:
    """Opens attachments where it stands. Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def open(self, request: Request, data: bytes | memoryview) -> Opened:
        self.asked.append(request)
        frames = bytearray()
        unpack(request, bytes(data), frames.extend)
        return Opened(memoryview(bytes(frames)), "")


class HereOpener:
    """Gives sessions without a sandbox; for trusted input of tests only."""

    def __init__(self) -> None:
        self.sessions: list[HereSession] = []

    @contextmanager
    def session(self, seconds: float) -> Iterator[Session]:
        session = HereSession()
        self.sessions.append(session)
        yield session


class SaidOpener:
    """Answers with given bytes whatever it is asked: what a worker that was taken over might say."""

    def __init__(self, *answers: Opened) -> None:
        self._answers = list(answers)

    @contextmanager
    def session(self, seconds: float) -> Iterator[Session]:
        yield self

    def open(self, request: Request, data: bytes | memoryview) -> Opened:
        return self._answers.pop(0)
