"""Tells the delivery workers that something was queued: one datagram to each, at most once a turn of the loop."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path


class Wake:
    """Call it after a commit. A worker that is away finds the work by itself; errors mean nothing here."""

    def __init__(self, run_dir: Path, workers: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._paths = [str(run_dir / f"delivery.{i}.sock") for i in range(workers)]
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._is_due = False

    def __call__(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        self._is_due = False
        for path in self._paths:
            try:
                self._socket.sendto(b"1", path)
            except OSError:
                continue

    def close(self) -> None:
        self._socket.close()
