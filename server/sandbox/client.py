"""One template process seen from outside: started, asked for workers, its news read. No locks: pool.py has them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from mxward.server.sandbox import wire
from mxward.server.sandbox.restrict import Limits

MODULE: Final = "mxward.server.sandbox.template"
# Nothing else of our environment goes to a process that may be taken over: settings may hold passwords.
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "LD_LIBRARY_PATH")


class Asked(msgspec.Struct):
    """How a template is to be. Args: uid: -1: do not change user; module: what is started, for tests."""

    limits: Limits
    uid: int = -1
    gid: int = -1
    ocr: str = ""  # languages of text in pictures
    module: str = MODULE


@dataclass(frozen=True, slots=True)
class Forked:
    """A worker that was asked for is there. Its descriptors are the receiver's."""

    number: int
    sock: socket.socket
    pidfd: int


@dataclass(frozen=True, slots=True)
class Died:
    """A worker ended. `status` is of wait(2)."""

    number: int
    status: int
    cpu_us: int


@dataclass(frozen=True, slots=True)
class NotForked:
    """A worker that was asked for cannot be had."""

    number: int
    errno: int


class NoOcr:
    """Text in pictures cannot be read: tesseract or the language is not there."""


News = Forked | Died | NotForked | NoOcr


class TemplateClient:
    """The talk with one template, ours or (after `join`) that of the process that we were forked from."""

    def __init__(self, sock: socket.socket, process: subprocess.Popen[bytes] | None) -> None:
        self.sock, self._process = sock, process
        sock.setblocking(False)

    @classmethod
    def start(cls, asked: Asked) -> TemplateClient:
        """Start a template. Raises: OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.pidfd_open(os.getpid())
        doc = {
            "control": theirs.fileno(), "parent": parent, "uid": asked.uid, "gid": asked.gid, "limits": asked.limits,
            "ocr": asked.ocr,
        }  # fmt: skip
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", asked.module, msgspec.json.encode(doc).decode()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=(theirs.fileno(), parent), cwd="/",
                env={**environment, "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"},
                process_group=0,  # Ctrl-C is its parent's to handle
            )  # fmt: skip
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(parent)
        return cls(ours, process)

    def join(self) -> TemplateClient:
        """A talk of our own with the same template, for a process that was forked. Raises: OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            wire.send(self.sock, wire.ORDER.pack(wire.JOIN, 0), (theirs.fileno(),))
        return TemplateClient(ours, None)

    def ask(self, number: int) -> None:
        """Have a worker forked. Raises: OSError when the template is gone, BlockingIOError when it is far behind."""
        wire.send(self.sock, wire.ORDER.pack(wire.FORK, number))

    def news(self) -> Iterator[News]:
        """What the template told since, without waiting. Raises: ConnectionError when it is gone."""
        while True:
            try:
                packet = wire.receive(self.sock, wire.NEWS.size, 2)
            except BlockingIOError:
                return
            if not packet.data:
                raise ConnectionResetError("the template process ended")
            what, number, status, _, cpu_us = wire.NEWS.unpack(packet.data)
            if what == wire.FORKED and len(packet.fds) == 2:
                yield Forked(number, socket.socket(fileno=packet.fds[0]), packet.fds[1])
            elif what == wire.DIED:
                yield Died(number, status, cpu_us)
            elif what == wire.NO_OCR:
                yield NoOcr()
            else:
                wire.close(*packet.fds)  # none, or one when we have no descriptors left
                yield NotForked(number, status)

    def close(self) -> str:
        """End the talk, and the template when it is ours; returns how it had ended, for the log."""
        self.sock.close()
        if self._process is None:
            return "gone"
        self._process.kill()  # it dies with our end of the talk anyhow; like this it is at once, and waited for
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit {code}"
