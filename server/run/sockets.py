"""Listening sockets: bound by the supervisor, one a worker and listener, and kept open while a worker restarts.

With SO_REUSEPORT the kernel spreads connections over the workers; those that arrive while a worker is away wait in
its backlog instead of being refused.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Final

from mxward.core.errors import ConfigError
from mxward.server.addresses import join_address, split_address

BACKLOG: Final = 1024  # connections waiting for a worker; the kernel caps it at net.core.somaxconn


def bind(address: str, count: int, *, key: str, patience: float = 3.0) -> list[socket.socket]:
    """`count` listening sockets on one address ("HOST:PORT"; port 0 takes a free one, the same for all).

    SO_REUSEPORT alone would let two gateways share a port unnoticed, so the first try goes without it.
    Raises ConfigError naming `key` when the address is taken, not ours or not permitted.
    """
    host, port = split_address(address)
    try:
        family, _, _, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        port = _probe(family, target, patience)
    except OSError as error:
        raise ConfigError(_reason(address, error), key=key) from None
    target = (target[0], port, *target[2:])
    out = []
    for _ in range(count):
        sock = _socket(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            sock.bind(target)
            sock.listen(BACKLOG)
        except OSError as error:
            raise ConfigError(_reason(address, error), key=key) from None
        out.append(sock)
    return out


def _socket(family: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


def _probe(family: int, target: tuple[object, ...], patience: float) -> int:
    """The port, when nobody else listens there. Waits a little for workers of a killed supervisor to end."""
    deadline = time.monotonic() + patience
    while True:
        with _socket(family) as sock:
            try:
                sock.bind(target)
                sock.listen(1)
                return int(sock.getsockname()[1])
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                    raise
        time.sleep(0.05)


def _reason(address: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{address} is in use by another program"
    if error.errno == errno.EACCES:
        return f"{address} needs privileges: start as root (server.user drops them), or use a port above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address} is not an address of this machine"
    return f"{address} cannot be bound: {error.strerror or os.strerror(error.errno or 0)}"


def address_of(sock: socket.socket) -> str:
    """Where a socket listens, as HOST:PORT."""
    name = sock.getsockname()
    return join_address(name[0], name[1])
