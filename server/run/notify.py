"""Notices to systemd (sd_notify(3)): one datagram to the socket in NOTIFY_SOCKET. Without it, nothing happens."""

from __future__ import annotations

import os
import socket


def notify(*lines: str) -> None:
    """Send state lines such as "READY=1"; a service manager that does not listen never hinders."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect(address)
            sock.send("\n".join(lines).encode())
    except OSError:
        pass


def watchdog_interval() -> float:
    """Seconds between WATCHDOG=1 notices: half of what systemd allows; 0 when it does not watch us."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    return int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6
