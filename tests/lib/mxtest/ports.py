"""Free loopback ports for servers that tests start."""

from __future__ import annotations

import socket
import time


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now. The caller binds it soon."""
    return free_ports(1)[0]


def free_ports(n: int) -> list[int]:
    """`n` different free ports: all are held open until all are chosen."""
    held = []
    for _ in range(n):
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        held.append(sock)
    ports = [sock.getsockname()[1] for sock in held]
    for sock in held:
        sock.close()
    return ports


def wait_for_banner(port: int, timeout: float = 20.0, expect: bytes = b"220") -> None:
    """Wait until a server greets on `port`. Raises TimeoutError with the last fault."""
    deadline = time.monotonic() + timeout
    fault = "never tried"
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
                first = sock.recv(512)
                if first.startswith(expect):
                    return
                fault = f"greeted with {first!r}"
        except OSError as error:
            fault = str(error)
        time.sleep(0.05)
    raise TimeoutError(f"no {expect!r} from 127.0.0.1:{port} within {timeout} s: {fault}")
