"""A session: one message's attachments, opened by one worker, or by the next when one dies of them."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from mxward.core.extract.opener import Opened, Request
from mxward.server.sandbox import wire
from mxward.server.sandbox.restrict import RESTRICTIONS

if TYPE_CHECKING:
    from mxward.server.sandbox.pool import SandboxPool

RECORDS: Final = 16 << 20  # bytes of an answer beside the content of what was found
WAIT_S: Final = 5.0  # for a worker, when none is ready
_TRIES: Final = 3  # workers that are asked, when one after the other died while it waited
_NOTHING: Final = memoryview(b"")
_ENCODER: Final = msgspec.json.Encoder()
_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_TOO_LONG: Final = (signal.SIGPROF, signal.SIGXCPU)


class Worker:
    """A worker process, as its client sees it."""

    __slots__ = ("number", "pidfd", "sock")

    def __init__(self, number: int, sock: socket.socket, pidfd: int) -> None:
        self.number, self.sock, self.pidfd = number, sock, pidfd

    def hang_up(self) -> None:
        """Forget it."""
        self.sock.close()
        wire.close(self.pidfd)

    def kill(self) -> None:
        """End it, whatever it is doing: after this it reads and answers nothing."""
        try:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.hang_up()


class PoolSession:
    """Implements Session. One thread. Args: until: monotonic time of its end."""

    def __init__(self, pool: SandboxPool, until: float, monotonic: Callable[[], float]) -> None:
        self._pool, self._until, self._monotonic = pool, until, monotonic
        self._worker: Worker | None = None

    def open(self, request: Request, data: bytes | memoryview) -> Opened:
        """See core/extract/opener.py."""
        begun = self._monotonic()
        if begun >= self._until:
            return Opened(_NOTHING, "timeout")
        opened = self._open(request, data)
        if opened.failure == "unavailable":
            self._pool.count("sandbox_unavailable_total")
        self._pool.count("sandbox_attachments_total")
        self._pool.count("sandbox_us_total", int((self._monotonic() - begun) * 1e6))
        return opened

    def probe(self) -> None:
        """Take a worker; its report goes to the pool."""
        if self._worker is None:
            self._worker = self._get()

    def _open(self, request: Request, data: bytes | memoryview) -> Opened:
        for _ in range(_TRIES):
            if self._worker is None:
                self._worker = self._get()
            if self._worker is None:
                break
            try:
                return self._ask(self._worker, request, data)
            except ConnectionError:  # it died before it saw anything
                self.close()
            except OSError:  # no memory here, no descriptors
                break
        return Opened(_NOTHING, "unavailable")

    def close(self) -> None:
        """End the worker: it saw a message, and shall see no other."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def _get(self) -> Worker | None:
        """A worker that is confined and waits."""
        end = min(self._until, self._monotonic() + WAIT_S)
        while (worker := self._pool.take(end)) is not None:
            try:
                worker.sock.settimeout(max(0.001, end - self._monotonic()))
                hello = worker.sock.recv(wire.HELLO_MAX)
            except OSError:
                hello = b""
            if len(hello) == len(RESTRICTIONS):
                self._pool.served(hello)
                return worker
            worker.kill()  # it died before it served, of memory that the machine has not
        return None

    def _ask(self, worker: Worker, request: Request, data: bytes | memoryview) -> Opened:
        """Raises: ConnectionError when it cannot be asked, OSError for what is missing on our side."""
        target = os.memfd_create("answer", os.MFD_CLOEXEC)
        try:
            self._send(worker, request, data, target)
            failure = self._await(worker, target)
            size = os.fstat(target).st_size
            frames = os.pread(target, min(size, request.budget.bytes + RECORDS), 0)
        finally:
            os.close(target)
        return Opened(memoryview(frames), failure)

    def _send(self, worker: Worker, request: Request, data: bytes | memoryview, target: int) -> None:
        header = _ENCODER.encode(request)
        source = _sealed(header, data)
        try:
            packet = wire.REQUEST.pack(wire.MAGIC, len(header), len(data), request.budget.cpu_s)
            worker.sock.settimeout(max(0.001, self._until - self._monotonic()))
            wire.send(worker.sock, packet, (source, target))
        finally:
            os.close(source)

    def _await(self, worker: Worker, target: int) -> str:
        """Wait for its answer; the failure, or "". Raises: ConnectionError when it died before it began."""
        try:
            answer = worker.sock.recv(wire.DONE.size)
        except TimeoutError:
            self._pool.count("sandbox_timeouts_total")
            self.close()
            return "timeout"
        # (a socket with something unread in it gives a reset when it ends, any other one an end)
        return "" if answer == wire.DONE.pack(wire.MAGIC) else self._bury(worker, target)

    def _bury(self, worker: Worker, target: int) -> str:
        """What a worker that hung up, or talked nonsense, died of."""
        self.close()
        status = self._pool.death_of(worker.number)
        if _signal(status) == signal.SIGKILL and os.fstat(target).st_size == 0:
            raise ConnectionResetError("it was killed, and had told nothing")  # not by what it was to open
        reason = _reason(status)
        self._pool.count("sandbox_timeouts_total" if reason == "timeout" else "sandbox_crashes_total")
        if _signal(status) == signal.SIGSYS:
            self._pool.warn("sandbox_violation", what="a worker made a forbidden system call and was ended")
        return reason


def _signal(status: int | None) -> int:
    """The signal that a process died of; 0 when it did not, or nobody can tell."""
    return os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else 0


def _reason(status: int | None) -> str:
    """One of opener.REASONS, by a wait status. Which attachments take too much memory is not always to be told."""
    if status is None:
        return "crashed"
    if number := _signal(status):
        return "timeout" if number in _TOO_LONG else "crashed"
    return {wire.EXIT_MEMORY: "limit:memory", wire.EXIT_FULL: "limit:bytes"}.get(os.WEXITSTATUS(status), "crashed")


def _sealed(header: bytes, data: bytes | memoryview) -> int:
    """A file in memory that nobody can change any more, at its beginning. Raises: OSError."""
    fd = os.memfd_create("attachment", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        left = memoryview(data)
        at = os.writev(fd, (header, left)) - len(header)
        while at < len(left):
            at += os.write(fd, left[at:])
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
        os.lseek(fd, 0, os.SEEK_SET)
    except BaseException:
        os.close(fd)
        raise
    return fd
