"""What client, template and worker of the sandbox say to each other: packets of fixed size, descriptors beside them.

Three talks, all over SOCK_SEQPACKET, so that a packet is whole or not there:
client <-> template (ORDER, NEWS), worker -> client once at its start (HELLO), client <-> worker (REQUEST, DONE).
What varies in size travels in files in memory (memfd): a sealed one to the worker, an empty one back.
"""

from __future__ import annotations

import array
import os
import socket
import struct
from typing import Final, NamedTuple

# client -> template
ORDER: Final = struct.Struct("<II")  # what, number of the worker; for JOIN a descriptor
FORK: Final = 1  # another worker, under this number
JOIN: Final = 2  # another client: the descriptor is its end of a pair

# template -> client
NEWS: Final = struct.Struct("<IIiIQ")  # what, number, wait status or errno, 0, processor time in microseconds
FORKED: Final = 3  # descriptors: the socket of the worker, and its pidfd
DIED: Final = 4
NOT_FORKED: Final = 5
NO_OCR: Final = 6  # text in pictures was asked for, and cannot be read

# worker -> client: a byte of each of restrict.RESTRICTIONS: 0 when it is active, else errno
HELLO_MAX: Final = 64

# client -> worker; descriptors: input (header, then content), output
REQUEST: Final = struct.Struct("<IIQd")  # magic, bytes of the header (JSON), bytes of the content, processor seconds
DONE: Final = struct.Struct("<I")
MAGIC: Final = 0x4D585742

# how a worker ends when it can still say why
EXIT_MEMORY: Final = 77
EXIT_FULL: Final = 78  # its output took all that it may

_INT: Final = array.array("i").itemsize


class Packet(NamedTuple):
    """One packet, b"" at the end of the talk, and the descriptors that came with it, not inherited by execs."""

    data: bytes
    fds: tuple[int, ...]


def receive(sock: socket.socket, size: int, n_fds: int) -> Packet:
    """The next packet. Raises: OSError, TimeoutError, BlockingIOError as `sock` is set."""
    data, ancillary, _, _ = sock.recvmsg(size, socket.CMSG_LEN(n_fds * _INT), socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[: len(content) - len(content) % _INT])
    return Packet(data, tuple(fds))


def send(sock: socket.socket, data: bytes, fds: tuple[int, ...] = (), flags: int = 0) -> None:
    """One packet with descriptors. Raises: OSError."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendmsg([data], rights, flags | socket.MSG_NOSIGNAL)


def close(*fds: int) -> None:
    """Close descriptors; one that is closed already does not matter."""
    for fd in fds:
        try:
            os.close(fd)
        except OSError:
            pass
