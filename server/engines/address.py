"""Servers of an engine: which is asked first, and which is left alone for a while because it failed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from mxward.core.errors import EngineUnavailable

REST_S: Final = 5.0  # a server that failed is asked last for so long


class Servers:
    """Addresses "unix:/PATH", "HOST:PORT" or "[IPv6]:PORT" in the order they are to be tried. Thread-safe."""

    def __init__(self, addresses: Sequence[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._addresses, self._monotonic = tuple(addresses), monotonic
        self._failed: dict[str, float] = {}
        self._lock = threading.Lock()

    def in_turn(self) -> Iterator[str]:
        """Each once: those in order first, then those that failed a moment ago."""
        with self._lock:
            now = self._monotonic()
            resting = {a for a in self._addresses if now - self._failed.get(a, -REST_S) < REST_S}
        yield from (a for a in self._addresses if a not in resting)
        yield from (a for a in self._addresses if a in resting)

    def note(self, address: str, *, works: bool) -> None:
        """Remember how it went."""
        with self._lock:
            if works:
                self._failed.pop(address, None)
            else:
                self._failed[address] = self._monotonic()


def connect(address: str, seconds: float) -> socket.socket:
    """A connection whose operations each end after `seconds`. Raises: OSError."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(seconds)
            sock.connect(address.removeprefix("unix:"))
        except OSError:
            sock.close()
            raise
        return sock
    host, _, port = address.rpartition(":")
    sock = socket.create_connection((host.strip("[]"), int(port)), timeout=seconds)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def until(sock: socket.socket, end: float, monotonic: Callable[[], float]) -> None:
    """Have the next operation end by `end`. Raises: TimeoutError when that has passed."""
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError("no time left")
    sock.settimeout(left)


def none_answered(name: str, faults: Sequence[str]) -> EngineUnavailable:
    """The error that names each server's fault."""
    return EngineUnavailable(f"{name}: no server answers ({'; '.join(faults)})" if faults else f"{name}: no server")
