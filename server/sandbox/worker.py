"""A worker: one process for the attachments of one message. Gives everything up, then opens what it is sent.

It never leaves `serve`: it ends, by itself or by the one who asked it. It may be taken over by what it opens; nothing
that it says is believed (core/extract/reply.py), and nothing is left to it to harm others with (restrict.py).
"""

from __future__ import annotations

import os
import signal
import socket
from typing import Final, NoReturn

import msgspec

from mxward.core.extract.opener import Request
from mxward.core.unpack.run import unpack
from mxward.server.sandbox import restrict, wire
from mxward.server.sandbox.restrict import Codes, Limits

_GRACE_S: Final = 0.5  # for those who look at their budget themselves, and say more than a signal does
_REQUEST: Final = msgspec.json.Decoder(Request)


class OutputFull(BaseException):
    """The answer takes more than one answer may. Not an Exception: no reader of a format may go on after it."""


def serve(sock: socket.socket, limits: Limits, codes: Codes, template: int) -> NoReturn:
    """Confine this process, which was just forked, then open attachments until the client hangs up."""
    try:
        _reset_signals()
        hello = restrict.confine_worker(limits, codes, template)
        os.write(sock.fileno(), hello)  # send and its kin are not among the calls that are left
        while _one(sock):
            pass
        os._exit(0)
    except MemoryError:
        os._exit(wire.EXIT_MEMORY)
    except OutputFull:
        os._exit(wire.EXIT_FULL)
    except BaseException:
        os._exit(1)


def _reset_signals() -> None:
    """SIGXFSZ stays ignored, as Python has it: writing too much is then an error to be told."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)


def _one(sock: socket.socket) -> bool:
    """Open one attachment. False: there are no more."""
    packet = wire.receive(sock, wire.REQUEST.size, 2)
    if not packet.data:
        return False
    magic, n_header, n_content, cpu_s = wire.REQUEST.unpack(packet.data)
    assert magic == wire.MAGIC and len(packet.fds) == 2
    source, target = packet.fds
    request = _REQUEST.decode(_read(source, n_header))
    content = _read(source, n_content)
    os.close(source)
    signal.setitimer(signal.ITIMER_PROF, cpu_s + _GRACE_S)  # SIGPROF ends who does not look
    unpack(request, content, lambda data: _write(target, data))
    signal.setitimer(signal.ITIMER_PROF, 0)
    os.close(target)
    os.write(sock.fileno(), wire.DONE.pack(wire.MAGIC))
    return True


def _read(fd: int, size: int) -> bytes:
    data = os.read(fd, size)
    if len(data) == size:
        return data
    parts = [data]  # the kernel gives at most 2 GB at once
    while (size := size - len(parts[-1])) > 0 and parts[-1]:
        parts.append(os.read(fd, size))
    return b"".join(parts)


def _write(fd: int, data: bytes | memoryview) -> None:
    """Append to the output. Raises: OutputFull."""
    view = memoryview(data)
    while view:
        try:
            n = os.write(fd, view)
        except OSError as error:  # EFBIG, or no memory for it
            raise OutputFull from error
        view = view[n:]
